"""The servers that the other tests stand on: they keep their data and address, verify, and end with their starter."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import psycopg
import pytest
import requests
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from types_boto3_s3 import S3Client

from tests.contract.scripted_pipeline import wait_for
from tests.servers.bucket import REGION, Bucket
from tests.servers.postgres import Postgres

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_postgres_keeps_its_data_and_its_address(postgres: Postgres, postgres_url: str, end: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    getattr(postgres, end)()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(postgres_url)
    postgres.start()
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchall() == [(7,)]
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_postgres_wants_the_password(postgres: Postgres) -> None:
    password = psycopg.conninfo.conninfo_to_dict(postgres.url)["password"]
    assert isinstance(password, str)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url.replace(password, "guessed"))


@pytest.fixture
def client(bucket: Bucket) -> Iterator[S3Client]:
    bucket.start()
    client = _client(bucket, bucket.secret_key)
    yield client
    client.close()


def _client(bucket: Bucket, secret_key: str) -> S3Client:
    return boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=REGION,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4"),
    )


def _name(location: str) -> str:
    return location.removeprefix("s3://").partition("?")[0]


def test_the_bucket_keeps_its_objects_and_its_address(bucket: Bucket, bucket_location: str, client: S3Client) -> None:
    name = _name(bucket_location)
    client.put_object(Bucket=name, Key="folder/key", Body=b"kept")
    assert (bucket.root / name / "folder" / "key").read_bytes() == b"kept"
    bucket.stop()
    with pytest.raises(EndpointConnectionError):
        client.get_object(Bucket=name, Key="folder/key")
    bucket.start()
    assert client.get_object(Bucket=name, Key="folder/key")["Body"].read() == b"kept"


def test_the_bucket_verifies_signatures(bucket: Bucket, bucket_location: str, client: S3Client) -> None:
    name = _name(bucket_location)
    stranger = _client(bucket, "guessed")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        stranger.put_object(Bucket=name, Key="key", Body=b"")
    stranger.close()
    good = client.generate_presigned_url("put_object", Params={"Bucket": name, "Key": "key"}, ExpiresIn=60)
    assert requests.put(good.replace("/key?", "/other?"), data=b"x", timeout=60).status_code == 403
    assert list((bucket.root / name).iterdir()) == []
    assert requests.put(good, data=b"x", timeout=60).status_code == 200


def test_both_end_with_the_process_that_started_them() -> None:
    start = """
import os, signal
from tests.servers.bucket import Bucket
from tests.servers.postgres import Postgres
for server in (Postgres(), Bucket()):
    server.start()
    print(server._process.pid, server.folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    starter = subprocess.run([sys.executable, "-c", start], cwd=ROOT, capture_output=True, text=True, check=False)
    assert starter.returncode == -signal.SIGKILL, starter.stderr
    pids = [int(line.split()[0]) for line in starter.stdout.splitlines()]
    assert len(pids) == 2
    wait_for(lambda: not any(Path(f"/proc/{pid}/exe").exists() for pid in pids), "the end of the servers")
    for line in starter.stdout.splitlines():
        shutil.rmtree(line.split()[1])
