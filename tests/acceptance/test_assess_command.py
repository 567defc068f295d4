"""`voicegauge assess` as people and pipelines run it."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.acceptance.running import COMMAND, SAMPLES, zip_of

SCHEMA = json.loads((SAMPLES.parent / "docs" / "result.schema.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.xdist_group("command")


def assess(*arguments: str | Path, locale: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "assess", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "LC_ALL": locale},
    )


def test_a_clean_folder_passes_with_exit_code_0() -> None:
    done = assess(SAMPLES / "en" / "clean", "--language", "EN")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Signal-to-noise ratio" in done.stdout
    assert "✗" not in done.stdout


def test_a_spoiled_zip_fails_with_exit_code_1_and_valid_json(tmp_path: Path) -> None:
    archive = tmp_path / "takes.zip"
    archive.write_bytes(zip_of(SAMPLES / "cn" / "noisy"))
    done = assess(archive, "--format", "json")
    assert (done.returncode, done.stderr) == (1, "")
    result = json.loads(done.stdout)
    jsonschema.validate(result, SCHEMA)
    assert result["language"] == "CN"
    assert result["verdicts"]["snr"]["within"] is False
    assert result["verdicts"]["loudness"]["within"] is True
    assert len(result["verdicts"]["snr"]["failing"]) == len(result["recordings"]) == 3


def test_labels_are_written_for_every_recording(tmp_path: Path) -> None:
    done = assess(SAMPLES / "en" / "clipped", "--language", "EN", "--labels", tmp_path / "labels")
    assert (done.returncode, done.stderr) == (1, "")
    assert "Clipping" in done.stdout
    assert len(list((tmp_path / "labels").rglob("*.TextGrid"))) == 3
    labels = next(iter((tmp_path / "labels").rglob("bakery.labels.txt"))).read_text(encoding="utf-8")
    assert "Clipping (record again)" in labels
    assert "clipping" in (tmp_path / "labels" / "findings.csv").read_text(encoding="utf-8")


def test_a_folder_for_labels_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    done = assess(SAMPLES / "en" / "clipped" / "bakery.flac", "--language", "EN", "--labels", tmp_path / "taken")
    assert done.returncode == 2
    assert "--labels" in done.stderr


def test_too_little_to_judge_is_exit_code_2(tmp_path: Path) -> None:
    import numpy as np
    import soundfile

    soundfile.write(tmp_path / "silence.wav", np.zeros(48_000), 48_000)
    done = assess(tmp_path / "silence.wav", "--format", "json")
    assert done.returncode == 2
    result = json.loads(done.stdout)
    assert result["verdicts"]["loudness"]["within"] is None
    assert result["verdicts"]["loudness"]["actual"]["reason"] == "silent"


def test_a_file_that_cannot_be_read_is_named_and_the_rest_is_judged(tmp_path: Path) -> None:
    for path in (SAMPLES / "en" / "clean").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "broken.wav").write_bytes(b"nothing to hear")
    done = assess(tmp_path, "--language", "EN", "--format", "csv")
    assert done.returncode == 2
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert len(rows) == 4
    assert rows["broken.wav"]["snr"] == ""
    assert rows["broken.wav"]["findings"]
    assert float(rows["bakery.flac"]["snr"]) > 30


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no/such/folder"], "no/such/folder"),
        ([str(SAMPLES / "en" / "clean"), "--profile", "defalt"], "default"),
        ([str(SAMPLES / "en" / "clean"), "--jobs", "0"], "--jobs"),
        ([str(SAMPLES / "en" / "clean"), "--language", "FR"], "FR"),
        ([], "PATH"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_sentence(arguments: list[str], said: str) -> None:
    done = assess(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_profile_of_ones_own_changes_the_verdict(tmp_path: Path) -> None:
    import voicegauge.profiles

    default = Path(voicegauge.profiles.__path__[0]) / "default.toml"
    profile = tmp_path / "mine.toml"
    text = default.read_text(encoding="utf-8").replace('name = "default"', 'name = "mine"')
    profile.write_text(text.replace("minimum = 30\n", "minimum = 60\n"), encoding="utf-8")
    done = assess(SAMPLES / "en" / "clean", "--language", "EN", "--profile", profile, "--format", "json")
    assert done.returncode == 1
    result = json.loads(done.stdout)
    assert result["profile"]["name"] == "mine"
    assert result["verdicts"]["snr"]["expected"]["min"] == 60


def test_the_table_speaks_the_language_of_the_locale() -> None:
    done = assess(SAMPLES / "en" / "clean" / "bakery.flac", "--language", "EN", locale="zh_CN.UTF-8")
    assert "信噪比" in done.stdout
    assert "Measured" not in done.stdout


def test_a_terminal_sees_a_progress_bar() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "assess", str(SAMPLES / "en" / "clean"), "--language", "EN"],
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(ours)
    assert process.wait() == 0
    assert b"3/3" in shown or b"2/3" in shown


def test_assess_loads_nothing_of_the_service() -> None:
    code = (
        "import sys; from voicegauge.cli import main;"
        f"main(['assess', {str(SAMPLES / 'en' / 'clean' / 'bakery.flac')!r}, '--format', 'csv']);"
        "heavy = {'dbos', 'sqlalchemy', 'fastapi', 'uvicorn', 'scipy', 'torch', 'librosa'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_reader_of_the_output_may_leave_early() -> None:
    with subprocess.Popen(
        [*COMMAND, "assess", str(SAMPLES / "en" / "clean"), "--language", "EN", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
