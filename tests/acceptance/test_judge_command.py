"""`voicegauge judge`, `explain`, `profiles`, and several profiles at once, as people run them."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.acceptance.running import COMMAND, SAMPLES

SCHEMA = json.loads((SAMPLES.parent / "docs" / "result.schema.json").read_text(encoding="utf-8"))

pytestmark = pytest.mark.xdist_group("command")


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "140"},
    )


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored result of the clean English samples."""
    path = tmp_path_factory.mktemp("stored") / "result.json"
    done = run("assess", SAMPLES / "en" / "clean", "--language", "EN", "--format", "json")
    path.write_text(done.stdout, encoding="utf-8")
    return path


def test_a_stored_result_is_judged_again_as_it_was(result: Path) -> None:
    done = run("judge", result, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == json.loads(result.read_text(encoding="utf-8"))


def test_every_value_has_its_error_and_the_result_its_provenance(result: Path) -> None:
    document = json.loads(result.read_text(encoding="utf-8"))
    for recording in document["recordings"]:
        assert recording["speech_s"] > 1
        for measurement in recording["measurements"].values():
            assert measurement["error"] > 0
    assert {model["name"] for model in document["provenance"]["models"]} == {"dnsmos_p835", "silero_vad", "reverb_c50"}


def test_several_profiles_judge_one_measurement(result: Path) -> None:
    done = run("judge", result, "--profile", "default,acx", "--profile", "tencent-ivh", "--format", "json")
    assert done.returncode == 1
    document: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert [each["profile"]["name"] for each in document["judgements"]] == ["default", "acx", "tencent-ivh"]
    assert document["judgements"][2]["verdicts"]["total_speech"]["within"] is False
    table = run("judge", result, "--profile", "default,acx,tencent-ivh")
    assert table.returncode == 1
    assert "≥ 25 dB" in table.stdout
    assert "= 44100 Hz" in table.stdout
    rows = list(csv.DictReader(io.StringIO(run("judge", result, "--profile", "strict,acx", "--format", "csv").stdout)))
    assert len(rows) == 3
    assert "out_of_range:acx" in rows[0]


def test_assess_takes_several_profiles_too() -> None:
    take = SAMPLES / "en" / "clean" / "bakery.flac"
    done = run("assess", take, "--language", "EN", "--profile", "default,tencent-ivh", "--format", "json")
    assert done.returncode == 1
    jsonschema.validate(json.loads(done.stdout), SCHEMA)


def test_a_mistake_in_the_second_profile_shows_before_anything_is_measured() -> None:
    done = run("assess", SAMPLES, "--profile", "default,acks", "--format", "json")
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "acx"' in done.stderr


def test_judging_loads_neither_audio_nor_arrays_nor_models(result: Path) -> None:
    code = (
        "import sys; from voicegauge.cli import main;"
        f"main(['judge', {str(result)!r}, '--profile', 'default,strict', '--format', 'json']);"
        "heavy = {'numpy', 'onnxruntime', 'soundfile', 'soxr', 'rich', 'fastapi'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["judge", "none.json"], "No such file"),
        (["judge", str(SAMPLES / "en" / "clean" / "bakery.flac")], "so no result"),
        (["judge", "RESULT", "--profile", "default,,strict"], "empty name"),
        (["judge", "RESULT", "--profile", "strickt"], 'did you mean "strict"'),
        (["explain", "noise"], "snr"),
        (["profiles", "show", "acks"], 'did you mean "acx"'),
        (["profiles"], "ACTION"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_sentence(result: Path, arguments: list[str], said: str) -> None:
    done = run(*(str(result) if word == "RESULT" else word for word in arguments))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_profile_file_is_checked_line_by_line(tmp_path: Path) -> None:
    shown = run("profiles", "show", "strict", "--format", "json")
    assert json.loads(shown.stdout)["expected"]["snr"]["min"] == 35
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    text = '[snr]\nminimum = 20\nunit = "dB"\nsource = "us"\ndate = 2026-11-20\n'
    head = 'name = "mine"\ntitle = { zh = "我的", en = "Mine" }\n\n'
    good.write_text(head + text, encoding="utf-8")
    bad.write_text(head + text.replace("dB", "bel"), encoding="utf-8")
    assert run("profiles", "check", good).returncode == 0
    done = run("profiles", "check", good, bad)
    assert done.returncode == 2
    assert "good.toml: ok" in done.stdout
    assert "bad.toml, line 6, [snr]" in done.stderr


def test_everything_is_explained(result: Path) -> None:
    measured = json.loads(result.read_text(encoding="utf-8"))["recordings"][0]["measurements"]
    definitions = json.loads(run("explain", "--format", "json").stdout)["definitions"]
    assert set(measured) <= {definition["name"] for definition in definitions}
    assert "SHA-256" in run("explain", "dnsmos_ovrl").stdout
    assert "tencent-one-sentence" in run("profiles", "list").stdout
