from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.wire.results import noisy_result, verdict
from voicegauge.identity.errors import (
    AccessKeyLockedError,
    AuthenticationError,
    MalformedSignatureError,
    NotSignedError,
    SignatureMismatchError,
    UnknownAccessKeyError,
)
from voicegauge.ingest.problems import ArchiveProblem
from voicegauge.jobs.job import Job, JobState
from voicegauge.metastudio import wire

GOLDEN = Path(__file__).parents[2] / "wire" / "golden"
JOB_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def job(state: JobState, **values: Any) -> Job:
    return Job(
        **{
            "job_id": JOB_ID,
            "project_id": "p123",
            "language": "CN",
            "state": state,
            "object_key": "p123/a.zip",
            "created_s": 1763514123,
            "updated_s": 1763514140,
            **values,
        }
    )


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("show_creating", job(JobState.CREATING, updated_s=1763514123)),
        ("show_succeeded", job(JobState.SUCCEED, result=noisy_result())),
        (
            "show_failed",
            job(
                JobState.FAILED,
                failure_code="truncated_archive",
                failure_reason="the zip is cut short; pack it again",
            ),
        ),
    ],
)
def test_golden(name: str, shown: Job) -> None:
    assert wire.shown_job(shown) == json.loads((GOLDEN / f"{name}.json").read_text())


def assessed(expected: dict[str, Any], actual: dict[str, Any], within: bool | None) -> dict[str, Any]:
    result = noisy_result()
    result["verdicts"]["snr"] = verdict(expected, actual, within)
    rendered: dict[str, Any] = wire.assess_result(result, language="CN")["snr"]
    return rendered


def test_the_overall_suggestion_is_in_the_job_s_language() -> None:
    assert wire.assess_result(noisy_result(), language="CN")["suggestion"] == "响度和信噪比不合要求。"
    assert wire.assess_result(noisy_result(), language="EN")["suggestion"] == "Loudness and noise are out of range."


@pytest.mark.parametrize(("within", "status"), [(True, 0), (False, 1), (None, 2)])
def test_status(within: bool | None, status: int) -> None:
    actual = {"value": 31.0} if within is not None else {"value": None, "reason": "too_short"}
    rendered = assessed({"min": 30, "unit": "dB"}, {**actual, "unit": "dB"}, within)
    assert rendered["status"] == status
    assert type(rendered["status"]) is int


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        ({"min": 30.0}, "≥ 30 dB"),
        ({"max": -0.5}, "≤ -0.5 dB"),
        ({"min": -27, "max": -16.5}, "-27 to -16.5 dB"),
        ({}, "any dB"),
    ],
)
def test_expected(bounds: dict[str, float], text: str) -> None:
    assert assessed({**bounds, "unit": "dB"}, {"value": 31.0, "unit": "dB"}, True)["expected"] == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (34.2, "34.2 dB"),
        (30.0, "30.0 dB"),
        (29.94, "29.9 dB"),
        (29.96, "29.96 dB"),
        (29.9999, "29.9999 dB"),
        (30.04, "30.0 dB"),
    ],
)
def test_rounding_never_moves_a_value_over_its_bound(value: float, text: str) -> None:
    assert assessed({"min": 30, "unit": "dB"}, {"value": value, "unit": "dB"}, value >= 30)["actual"] == text


@pytest.mark.parametrize("reason", ["too_short", "no_speech", "not_enough_pause", "no_measurement"])
def test_what_could_not_be_judged_says_why(reason: str) -> None:
    actual = assessed({"min": 30, "unit": "dB"}, {"value": None, "unit": "dB", "reason": reason}, None)["actual"]
    assert actual == "not judged: " + reason.replace("_", " ")


def test_every_text_of_a_result_is_a_string_that_says_something() -> None:
    rendered = wire.assess_result(noisy_result(), language="CN")
    for name, assessed_property in rendered.items():
        if name == "suggestion":
            continue
        for field in ("expected", "actual", "suggestion", "suggestion_en"):
            assert isinstance(assessed_property[field], str)
            assert assessed_property[field].strip()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("no_recordings", "MSS.20020012"),
        ("too_many_entries", "MSS.20020016"),
        ("internal_error", "MSS.00000004"),
        ("recording_crashed", "MSS.00000004"),
    ],
)
def test_failure_codes(ours: str, theirs: str) -> None:
    failed = job(JobState.FAILED, failure_code=ours, failure_reason="why")
    assert wire.shown_job(failed)["job_failed_code"] == theirs


@pytest.mark.parametrize("problem", list(ArchiveProblem))
def test_no_problem_of_an_archive_is_called_an_internal_error(problem: ArchiveProblem) -> None:
    failed = job(JobState.FAILED, failure_code=str(problem), failure_reason="why")
    assert wire.shown_job(failed)["job_failed_code"].startswith("MSS.200200")


def test_a_long_reason_is_cut_to_the_documented_length() -> None:
    failed = job(JobState.FAILED, failure_code="truncated_archive", failure_reason="长" * 300)
    reason = wire.shown_job(failed)["job_failed_reason"]
    assert len(reason) == 256
    assert reason.endswith("…")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (NotSignedError("no"), "x-auth-token not found"),
        (UnknownAccessKeyError("AK1"), "ak AK1 not exist"),
        (AccessKeyLockedError("AK1", 12), "AK access failed to reach the limit,forbidden: .* in 12 s"),
        (MalformedSignatureError("the clock is off"), "verify aksk signature fail, the clock is off"),
        (SignatureMismatchError("GET\n/\n\na:b\n\na\nhash"), r"verify aksk signature fail.*GET\|/\|\|a:b\|\|a\|hash$"),
    ],
)
def test_authentication_errors_speak_the_gateway_s_words(error: AuthenticationError, message: str) -> None:
    rendered = wire.authentication_error(error)
    assert (rendered.code, rendered.http_status) == ("APIGW.0301", 401)
    assert re.match("Incorrect IAM authentication information: " + message, rendered.message)


def all_errors(kind: type[wire.WireError] = wire.WireError) -> list[type[wire.WireError]]:
    return [each for direct in kind.__subclasses__() for each in (direct, *all_errors(direct))]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_is_flat_and_within_the_documented_lengths(kind: type[wire.WireError]) -> None:
    for message in ("m", "m" * 1000):
        body = kind(message).body("request-1")
        assert 1 <= len(body["error_code"]) <= 32
        assert 1 <= len(body["error_msg"]) <= 256
        assert ("request_id" in body) == body["error_code"].startswith("APIGW.")
        assert all(type(value) is str for value in body.values())
    assert kind.http_status >= 400


def test_each_undocumented_case_has_its_own_code() -> None:
    codes = [kind.code for kind in wire.JOB_ERRORS.values()]
    assert len(set(codes)) == len(codes)
