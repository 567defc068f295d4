"""Stored results: judged again without loss, and refused with the field and what is allowed there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.reports.test_result import MEASURED, judged
from voicegauge.errors import ResultError
from voicegauge.rejudge import judge_again, judge_stored
from voicegauge.reports.result import assessment_to_json, assessments_to_json
from voicegauge.reports.stored import read_result


def stored(folder: Path, document: object) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return path


def test_a_stored_result_is_judged_as_the_fresh_one_was(tmp_path: Path) -> None:
    path = stored(tmp_path, assessment_to_json(judged("default")))
    assert judge_stored(path, "default") == judged("default")
    assert judge_stored(path, "strict") == judge_again(judged("default"), "strict") == judged("strict")


def test_a_result_of_several_profiles_is_read_like_one(tmp_path: Path) -> None:
    path = stored(tmp_path, assessments_to_json([judged("acx"), judged("strict")]))
    assert judge_stored(path, "default") == judged("default")


def test_a_result_from_before_errors_and_provenance_is_read(tmp_path: Path) -> None:
    document = assessment_to_json(judged("default"))
    del document["provenance"], document["recordings"][0]["speech_s"]
    for measurement in document["recordings"][0]["measurements"].values():
        del measurement["error"]
    result = read_result(stored(tmp_path, document))
    assert result.models == ()
    assert result.recordings[0].speech_s is None
    assert result.recordings[0].measurements["snr"].reason == MEASURED.measurements["snr"].reason  # type: ignore[index]


def changed(where: str, value: object) -> Callable[[dict[str, Any]], None]:
    """A change of the document at a dotted path."""

    def change(document: dict[str, Any]) -> None:
        *path, last = [int(word) if word.isdigit() else word for word in where.split(".")]
        node: Any = document
        for word in path:
            node = node[word]
        if value is ...:
            del node[last]
        else:
            node[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (changed("voicegauge", ...), ['has no "voicegauge"', "voicegauge assess --format json"]),
        (changed("recordings", []), ["recordings must be a list that is not empty"]),
        (changed("recordings", {}), ["recordings must be a list, not dict"]),
        (changed("language", "FR"), ["language must be one of: CN, EN", '"FR"']),
        (changed("recordings.0.name", 3), ["recordings[0].name must be a text, not 3"]),
        (changed("recordings.0.duration_s", -1), ["recordings[0].duration_s must be a number of at least 0 or null"]),
        (changed("recordings.0.measurements.snr.unit", "bel"), ["recordings[0].measurements.snr.unit", "dB", '"bel"']),
        (changed("recordings.0.measurements.snr.reason", "cats"), ["snr.reason must be one of", "no_speech"]),
        (changed("recordings.0.measurements.snr.reason", ...), ['measurements.snr lacks "reason"']),
        (
            changed("recordings.0.measurements.reverb.reason", "silent"),
            ["reason must be left out where there is a value"],
        ),
        (changed("recordings.0.measurements.reverb.value", True), ["reverb.value must be a number or null, not true"]),
        (changed("recordings.0.measurements.reverb.value", float("nan")), ["reverb.value must be a number", "NaN"]),
        (changed("recordings.0.measurements.reverb.error", -2), ["recordings[0]", "error"]),
        (changed("recordings.0.measurements.loudness.true_peak_dbtp", "x"), ["loudness.true_peak_dbtp", '"x"']),
        (changed("recordings.0.measurements.noise", {}), ["measurements.noise must be one of: speaking_rate"]),
        (changed("recordings.0.findings.0.severity", "bad"), ["findings[0].severity", "fixable"]),
        (changed("recordings.0.dnsmos_rows.1.ovrl", None), ["dnsmos_rows[1].ovrl must be a number, not null"]),
        (changed("ignored.0.why", "x"), ["ignored[0].why must be an object"]),
        (changed("provenance.models.0.sha256", ...), ['provenance.models[0] lacks "sha256"']),
    ],
)
def test_what_is_no_result_is_refused_with_place_and_cure(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], expected: list[str]
) -> None:
    document = assessment_to_json(judged("default"))
    change(document)
    path = stored(tmp_path, document)
    with pytest.raises(ResultError) as caught:
        read_result(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    for part in expected:
        assert part in message, message


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"RIFF\xff\xff", "is not UTF-8"),
        (b"{", "is not JSON"),
        (b"[1]", "so it is no result"),
        (b"[" * 200_000, "is not JSON"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(ResultError, match=expected):
        read_result(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="No such file"):
        read_result(tmp_path / "none.json")
