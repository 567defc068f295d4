"""What a first start prints, pasted as it is."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance import running
from tests.acceptance.running import DEADLINE_S, SAMPLES, Service, zip_of

WIDEST = 110
LONGEST = 40

pytestmark = pytest.mark.xdist_group("service")


class FirstStart:
    """A first start, and the blocks of lines it printed."""

    def __init__(self, service: Service, folder: Path) -> None:
        self.folder = folder
        (folder / "takes.zip").write_bytes(zip_of(SAMPLES / "en" / "clean"))
        self.printed = service.printed_until("Repeat the last line")
        self.blocks = [block.strip("\n") for block in self.printed.split("\n\n")]

    def block(self, first_word: str) -> str:
        (block,) = (block for block in self.blocks if block.startswith(first_word))
        return block

    def paste(self, lines: str) -> str:
        """Paste lines into a bash in the folder of the recordings; return what it shows."""
        # The interpreter of this test first, as where the SDK and a python3 are installed.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash"],
            input=lines,
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="module")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstStart]:
    folder = tmp_path_factory.mktemp("first")
    with running.service(folder / "data") as service:
        yield FirstStart(service, folder)


def test_it_fits_on_a_screen(first_start: FirstStart) -> None:
    lines = first_start.printed.splitlines()
    assert max(map(len, lines)) <= WIDEST
    assert len(lines) <= LONGEST


def test_the_key_s_secret_is_said_to_be_shown_once(first_start: FirstStart) -> None:
    assert "shown this once" in first_start.printed
    assert "voicegauge keys create" in first_start.printed
    secret = first_start.paste(first_start.block("export") + '\necho "$HUAWEICLOUD_SDK_SK"\n').strip()
    assert len(secret) == 40
    assert first_start.printed.count(secret) == 1


def test_the_lines_for_curl_lead_to_a_verdict(first_start: FirstStart) -> None:
    lines = first_start.block("JOBS=")
    *_, show = lines.splitlines()
    repeated = f"until {show} | tee shown.json | grep -E 'SUCCEED|FAILED' > state.txt; do sleep 0.2; done"
    told = first_start.paste("\n".join((first_start.block("export"), lines, repeated)))
    first, shown = json.loads(told), json.loads((first_start.folder / "shown.json").read_text(encoding="utf-8"))
    assert first["job_id"] == shown["job_id"]
    assert shown["state"] == "SUCCEED"
    assert shown["assess_result"]["snr"]["status"] == 0


def test_the_lines_for_python_lead_to_a_verdict(first_start: FirstStart) -> None:
    lines = first_start.block("import")
    *_, show = lines.splitlines()
    repeated = f"import time\nwhile shown := {show.removeprefix('print(').removesuffix(')')}:\n"
    repeated += "    if shown.state in ('SUCCEED', 'FAILED'): break\n    time.sleep(0.2)\nprint(shown.state)"
    script = shlex.quote(f"{lines}\n{repeated}")
    told = first_start.paste(f"{first_start.block('export')}\npython -W ignore -c {script}\n")
    first, _, state = told.strip().rpartition("\n")
    assert json.loads(first)["job_type"] == "VOICE_ASSESS"
    assert state == "SUCCEED"
