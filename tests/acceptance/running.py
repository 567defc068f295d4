"""The real service, started as a user starts it, on a free port and in a folder of its own."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[2] / "samples"
COMMAND = [sys.executable, "-c", "import sys; from voicegauge.cli import main; sys.exit(main())"]
DEADLINE_S = 300


@dataclass
class Service:
    """A running `voicegauge serve`."""

    process: subprocess.Popen[str]
    url: str
    data: Path

    def key(self) -> dict[str, str]:
        """Make an access key while the service runs."""
        made = subprocess.run(
            [*COMMAND, "keys", "create", "--data", str(self.data), "--format", "json"],
            check=True,
            capture_output=True,
            text=True,
        )
        document: dict[str, str] = json.loads(made.stdout)
        return document

    def printed_until(self, beginning: str) -> str:
        """Return what the service prints from now on, to the end of the first line that begins so."""
        assert self.process.stdout is not None
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith(beginning):
                return "".join(lines)
        raise AssertionError(f"the service never printed {beginning!r}")


def start(data: Path, *flags: str) -> tuple[Service, list[str]]:
    """Start the service; return it once it listens, with the lines it printed until then."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--data", str(data), *flags],
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("voicegauge is listening on "):
            return Service(process, line.split()[-1], data), lines
    raise AssertionError(f"the service ended with {process.wait()} before it listened: {''.join(lines)}")


@contextmanager
def service(data: Path, *flags: str) -> Iterator[Service]:
    """Run the service for the length of the block, and see that it ends in order."""
    running, _ = start(data, *flags)
    with running.process:
        try:
            yield running
        finally:
            running.process.terminate()
            code = running.process.wait(60)
    assert code == 0


def zip_of(folder: Path, **extra: bytes) -> bytes:
    """Pack a set of samples, and further members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, path.name)
        for name, content in extra.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def until(ask: Callable[[], Any], is_right: Callable[[Any], bool]) -> Any:
    """Ask until the answer is right."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        answer = ask()
        if is_right(answer):
            return answer
        time.sleep(0.1)
    raise AssertionError(f"still {answer!r} after {DEADLINE_S} s")
