"""A real S3 server that verifies signatures (V4, headers and presigned): rclone's, over a folder."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.config import Config

from tests.servers.owned import PATIENCE_S, free_port, launch

REGION = "us-east-1"


class Bucket:
    """An S3 server on 127.0.0.1 with one access key, which can be stopped and started again.

    From the first start on there is one bucket, at `location`.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="voicegauge-bucket-"))
        self.root = self.folder / "buckets"
        self.root.mkdir()
        self.log = self.folder / "log"
        self.port = free_port()
        self.access_key = secrets.token_hex(10)
        self.secret_key = secrets.token_hex(20)
        self._process: subprocess.Popen[bytes] | None = None
        self.location = ""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that hand the access key to a process."""
        return {"AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key}

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def create_bucket(self) -> str:
        """Make an empty bucket and return its location, as `--objects` takes it. It is a folder in `root`."""
        name = f"test-{secrets.token_hex(6)}"
        # Asked of the server, which remembers what its folders hold: to look anew each time costs it 50 times as much.
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}),
        )
        client.create_bucket(Bucket=name)
        client.close()
        return f"s3://{name}?endpoint={self.endpoint}&region={REGION}"

    def start(self) -> None:
        """Start the server where it does not run, and return when it accepts connections."""
        if not self.runs:
            self._process = self._launch()
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._answers():
            if not self.runs or time.monotonic() > deadline_s:
                raise AssertionError(f"the S3 server did not start: {self.log.read_text()}")
            time.sleep(0.02)
        self.location = self.location or self.create_bucket()

    def stop(self) -> None:
        """End the server, so that connections are refused; requests in flight are cut."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(PATIENCE_S)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove what it holds."""
        self.stop()
        shutil.rmtree(self.folder)

    def _launch(self) -> subprocess.Popen[bytes]:
        program = shutil.which("rclone", path=str(Path(sys.executable).parent))
        assert program is not None
        command = [program, "serve", "s3", str(self.root), "--addr", f"127.0.0.1:{self.port}"]
        # Hardly anything remembered of the folder, so what a test lays into it is there at once; with 0 rclone spins
        # for ever once a delete has emptied a folder.
        command += ["--dir-cache-time", "1ms", "--cache-dir", str(self.folder / "cache"), "--config", ""]
        key = f'"{self.access_key},{self.secret_key}"'
        return launch(command, self.log, environment={**os.environ, "RCLONE_AUTH_KEY": key})

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    """An S3 server of this test process. A test that stops it starts it again."""
    server = Bucket()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def bucket_location(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> str:
    """The location of an empty bucket of the test's own; the environment has the access key to it."""
    bucket.start()
    for name, value in bucket.environment.items():
        monkeypatch.setenv(name, value)
    return bucket.create_bucket()
