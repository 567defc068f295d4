"""The vendor's words: every error and every body of the MetaStudio short-job API is rendered here and nowhere else.

WireError
├── NoSuchApiError            APIGW.0101   404   gateway errors: the body holds request_id too
├── MalformedRequestError     APIGW.0201   400
├── RequestTooLargeError      APIGW.0201   413
├── NotAuthenticatedError     APIGW.0301   401
├── InvalidBodyError          MSS.00000002 400
├── InvalidParameterError     MSS.00000003 400
├── InternalError             MSS.00000004 500
├── WrongProjectError         MSS.00010009 400
└── the cases the vendor does not document, with codes of ours so that none is mistaken for one of theirs
    ├── UnknownJobError       VOICEGAUGE.JOB_NOT_FOUND      400
    ├── NoUploadError         VOICEGAUGE.NOTHING_UPLOADED   400
    ├── CommittedError        VOICEGAUGE.ALREADY_COMMITTED  400
    ├── ExpiredError          VOICEGAUGE.UPLOAD_EXPIRED     400
    ├── UploadSizeError       VOICEGAUGE.UPLOAD_TOO_LARGE   400
    ├── EndedError            VOICEGAUGE.ALREADY_ENDED      400
    └── UnavailableError      VOICEGAUGE.UNAVAILABLE        503

References
----------
.. [1] Huawei Cloud, MetaStudio API reference, CreateShortJob, CommitShortJob, ShowShortJob (2025-11-19).
.. [2] Huawei Cloud, API Gateway, error codes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from voicegauge.errors import UsageError
from voicegauge.identity.errors import (
    AccessKeyLockedError,
    AuthenticationError,
    InvalidTokenError,
    NotSignedError,
    SignatureMismatchError,
    TokenExpiredError,
    UnknownAccessKeyError,
)
from voicegauge.jobs.errors import (
    AlreadyCommittedError,
    AlreadyEndedError,
    JobNotFoundError,
    NothingUploadedError,
    UploadExpiredError,
    UploadTooLargeError,
)
from voicegauge.jobs.job import Job, JobState

__all__ = [
    "JOB_ERRORS",
    "JOB_TYPE",
    "LANGUAGES",
    "CommittedError",
    "EndedError",
    "ExpiredError",
    "InternalError",
    "InvalidBodyError",
    "InvalidParameterError",
    "MalformedRequestError",
    "NoSuchApiError",
    "NoUploadError",
    "NotAuthenticatedError",
    "RequestTooLargeError",
    "UnavailableError",
    "UnknownJobError",
    "UploadSizeError",
    "WireError",
    "WrongProjectError",
    "assess_result",
    "authentication_error",
    "created_job",
    "iam_time",
    "job_error",
    "shown_job",
]

JOB_TYPE = "VOICE_ASSESS"
LANGUAGES = ("CN", "EN")

MESSAGE_MAX_CHARS = 256
CANONICAL_MAX_CHARS = 8192

STATUS_WITHIN = 0
STATUS_OUT_OF_RANGE = 1
STATUS_NOT_JUDGED = 2

ASSESSED = {
    "speaking_rate": "speed",
    "loudness": "sound",
    "snr": "snr",
    "reverb": "reverb",
    "dnsmos_ovrl": "dnsmos_ovrl",
    "dnsmos_bak": "dnsmos_bak",
}
"""Our property -> the vendor's."""

WRONG_FILE_KINDS = "MSS.20020012"
WRONG_FILE_COUNT = "MSS.20020016"

CANCELLED = "VOICEGAUGE.CANCELLED"

FAILED_CODES = {
    "archive_unreadable": WRONG_FILE_KINDS,
    "cancelled": CANCELLED,
    "corrupt_archive": WRONG_FILE_KINDS,
    "encrypted": WRONG_FILE_KINDS,
    "no_recordings": WRONG_FILE_KINDS,
    "not_a_zip": WRONG_FILE_KINDS,
    "split_archive": WRONG_FILE_KINDS,
    "suspicious_ratio": WRONG_FILE_KINDS,
    "too_large": WRONG_FILE_KINDS,
    "too_many_entries": WRONG_FILE_COUNT,
    "truncated_archive": WRONG_FILE_KINDS,
}
"""Our failure code -> the vendor's `job_failed_code`; any other failure is ours, not the archive's."""

DECIMALS = {"dB": 1, "LUFS": 1, "MOS": 2}
"""Decimals of a value by its unit; rates have none."""

FURTHER_FIGURES = {"true_peak_dbtp": ("true peak", "dBTP")}
EXACT_DECIMALS = 4


class WireError(Exception):
    """An answer that is not a success: a code of 1 to 32 characters, a message of 1 to 256."""

    code: str
    http_status = 400
    of_gateway = False

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = _clipped(message)

    def body(self, request_id: str) -> dict[str, str]:
        """Render the flat body that every SDK parses."""
        body = {"error_code": self.code, "error_msg": self.message}
        return body | {"request_id": request_id} if self.of_gateway else body


class NoSuchApiError(WireError):
    """No such path, or not with this method."""

    code = "APIGW.0101"
    http_status = 404
    of_gateway = True


class MalformedRequestError(WireError):
    """Not a request this gateway can read."""

    code = "APIGW.0201"
    of_gateway = True


class RequestTooLargeError(WireError):
    """The body is larger than the gateway takes."""

    code = "APIGW.0201"
    http_status = 413
    of_gateway = True


class NotAuthenticatedError(WireError):
    """The caller did not prove who it is.

    The canonical request of a wrong signature may run past the 256 characters that other messages keep to: cut short,
    it would help nobody find what differs.
    """

    code = "APIGW.0301"
    http_status = 401
    of_gateway = True

    def __init__(self, message: str, *, canonical_request: str = "") -> None:
        super().__init__("Incorrect IAM authentication information: " + message)
        if canonical_request:
            self.message += ", canonicalRequest:" + canonical_request.replace("\n", "|")[:CANONICAL_MAX_CHARS]


class InvalidBodyError(WireError):
    """The body is not the JSON object it must be."""

    code = "MSS.00000002"


class InvalidParameterError(WireError):
    """A field or header breaks a rule."""

    code = "MSS.00000003"


class InternalError(WireError):
    """Our fault."""

    code = "MSS.00000004"
    http_status = 500


class WrongProjectError(WireError):
    """The project in the URL is not the one the access key acts for."""

    code = "MSS.00010009"


class UnknownJobError(WireError):
    """The project has no such job."""

    code = "VOICEGAUGE.JOB_NOT_FOUND"


class NoUploadError(WireError):
    """Commit before the upload."""

    code = "VOICEGAUGE.NOTHING_UPLOADED"


class CommittedError(WireError):
    """A second commit."""

    code = "VOICEGAUGE.ALREADY_COMMITTED"


class ExpiredError(WireError):
    """The time to upload is over."""

    code = "VOICEGAUGE.UPLOAD_EXPIRED"


class UploadSizeError(WireError):
    """More bytes than are taken."""

    code = "VOICEGAUGE.UPLOAD_TOO_LARGE"


class EndedError(WireError):
    """Cancelling what has ended."""

    code = "VOICEGAUGE.ALREADY_ENDED"


class UnavailableError(WireError):
    """The machine lacks something for now: trying again later may help."""

    code = "VOICEGAUGE.UNAVAILABLE"
    http_status = 503


JOB_ERRORS: dict[type[UsageError], type[WireError]] = {
    JobNotFoundError: UnknownJobError,
    NothingUploadedError: NoUploadError,
    AlreadyCommittedError: CommittedError,
    UploadExpiredError: ExpiredError,
    UploadTooLargeError: UploadSizeError,
    AlreadyEndedError: EndedError,
}


def authentication_error(error: AuthenticationError) -> NotAuthenticatedError:
    """Say in the gateway's words why the caller was not let in."""
    match error:
        case NotSignedError():
            return NotAuthenticatedError(
                "x-auth-token not found; send a token from POST /v3/auth/tokens, or sign the request (AK/SK)"
            )
        case InvalidTokenError():
            return NotAuthenticatedError(f"decrypt token fail, {error}")
        case TokenExpiredError():
            return NotAuthenticatedError(f"token expires, expires_at: {iam_time(error.expires_s)}")
        case UnknownAccessKeyError():
            return NotAuthenticatedError(f"ak {error.access_key[:40]} not exist")
        case AccessKeyLockedError():
            return NotAuthenticatedError(
                "AK access failed to reach the limit,forbidden: "
                f"too many wrong signatures or passwords in a row, try again in {error.remaining_s} s"
            )
        case SignatureMismatchError():
            return NotAuthenticatedError("verify aksk signature fail", canonical_request=error.canonical_request)
        case _:
            return NotAuthenticatedError(f"verify aksk signature fail, {error}")


def iam_time(unix_s: int) -> str:
    """Write a time the way IAM does: UTC with microseconds."""
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def job_error(error: UsageError) -> WireError:
    """Say in the vendor's form what is wrong with a request about a job."""
    return JOB_ERRORS[type(error)](str(error))


def created_job(job: Job, upload_url: str) -> dict[str, Any]:
    """Render the answer to CreateShortJob."""
    return {"job_id": job.job_id, "data_uploading_url": upload_url}


def shown_job(job: Job) -> dict[str, Any]:
    """Render the answer to ShowShortJob; what a job does not have is left out, since no SDK needs a null."""
    body: dict[str, Any] = {
        "job_type": JOB_TYPE,
        "job_id": job.job_id,
        "state": str(job.state),
        "create_time": job.created_s,
        "lastupdate_time": job.updated_s,
    }
    if job.state is JobState.FAILED:
        body["job_failed_code"] = FAILED_CODES.get(job.failure_code or "", InternalError.code)
        body["job_failed_reason"] = _clipped(job.failure_reason or "the job failed")
    if job.result is not None:
        body["assess_result"] = assess_result(job.result, language=job.language)
    return body


def assess_result(result: dict[str, Any], *, language: str) -> dict[str, Any]:
    """Render an assessment, given in the form of docs/result.schema.json.

    `status` is 0 within the range, 1 out of it, 2 where it could not be judged. `expected` and `actual` have no second
    language beside them as `suggestion` has, so they keep to numbers, international unit signs and few English words.
    The overall suggestion is Chinese for CN, English for EN.
    """
    rendered: dict[str, Any] = {theirs: _assessed(result["verdicts"][ours]) for ours, theirs in ASSESSED.items()}
    rendered["suggestion"] = result["advice"]["zh" if language == "CN" else "en"]
    return rendered


def _assessed(verdict: dict[str, Any]) -> dict[str, Any]:
    within: bool | None = verdict["within"]
    status = {True: STATUS_WITHIN, False: STATUS_OUT_OF_RANGE, None: STATUS_NOT_JUDGED}[within]
    return {
        "expected": _expected(verdict["expected"]),
        "actual": _actual(verdict["actual"], verdict["expected"]),
        "suggestion": verdict["advice"]["zh"],
        "suggestion_en": verdict["advice"]["en"],
        "status": status,
    }


def _expected(expected: dict[str, Any]) -> str:
    texts = [f"{_range(expected)} {expected['unit']}"]
    texts += [
        f"{name} {_range(expected[key])} {unit}" for key, (name, unit) in FURTHER_FIGURES.items() if key in expected
    ]
    return ", ".join(texts)


def _actual(actual: dict[str, Any], expected: dict[str, Any]) -> str:
    if actual["value"] is None:
        return f"not judged: {actual['reason'].replace('_', ' ')}"
    texts = [f"{_number(actual['value'], DECIMALS.get(actual['unit'], 0), expected)} {actual['unit']}"]
    texts += [
        f"{name} {_number(actual[key], 1, expected[key])} {unit}"
        for key, (name, unit) in FURTHER_FIGURES.items()
        if key in expected and actual.get(key) is not None
    ]
    return ", ".join(texts)


def _range(bounds: dict[str, Any]) -> str:
    low, high = bounds["min"], bounds["max"]
    if low is None:
        return "any" if high is None else f"≤ {high:g}"
    return f"≥ {low:g}" if high is None else f"{low:g} to {high:g}"


def _number(value: float, decimals: int, bounds: dict[str, Any]) -> str:
    """Round, but never onto the other side of a bound: 29.96 beside "≥ 30" stays 29.96."""
    inside = _contains(bounds, value)
    for count in range(decimals, EXACT_DECIMALS):
        if _contains(bounds, round(value, count)) == inside:
            return f"{value:.{count}f}"
    return f"{value:.{EXACT_DECIMALS}f}"


def _contains(bounds: dict[str, Any], value: float) -> bool:
    low, high = bounds["min"], bounds["max"]
    return (low is None or value >= low) and (high is None or value <= high)


def _clipped(message: str) -> str:
    return message if len(message) <= MESSAGE_MAX_CHARS else message[: MESSAGE_MAX_CHARS - 1] + "…"
