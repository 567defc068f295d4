"""A client of the short-job API: signs as the vendor's SDKs do, and can wait for a service that is away."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import requests

from voicegauge.identity.directory import Credential
from voicegauge.identity.signature import ALGORITHM, DATE_FORMAT, HttpRequest, canonical_request, sign

TIMEOUT_S = 20.0
PAUSE_S = 0.2
SIGNED_HEADERS = ("host", "x-sdk-date")
NO_UPLOAD = "VOICEGAUGE.NOTHING_UPLOADED"
COMMITTED = "VOICEGAUGE.ALREADY_COMMITTED"


class AwayError(Exception):
    """No answer, or one that says that the service cannot answer now."""


class RefusedError(Exception):
    """The service answered, and the answer is no."""


@dataclass
class Ticket:
    """One job as its client knows it.

    Attributes
    ----------
    phase : {"create", "upload", "commit", "committed"}
        What the client does, or was doing when it gave up; "committed" once a commit answered 200.
    shown : dict, optional
        The answer that told the job's end.
    """

    phase: str = "create"
    job_id: str = ""
    upload_url: str = field(default="", repr=False)
    commit_tried: bool = False
    shown: dict[str, Any] | None = None


class Caller:
    """Calls as one access key; not to be shared by threads."""

    def __init__(self, url: str, credential: Credential) -> None:
        self.url = url
        self.path = f"/v1/{credential.project_id}/voice-training-manage/user/short-jobs"
        self._credential = credential
        self._session = requests.Session()
        self._session.trust_env = False

    def create(self, ticket: Ticket) -> None:
        answer = self._call("POST", self.path, json.dumps({"job_type": "VOICE_ASSESS", "language": "EN"}).encode())
        ticket.job_id, ticket.upload_url = answer["job_id"], answer["data_uploading_url"]
        ticket.phase = "upload"

    def upload(self, ticket: Ticket, content: bytes) -> None:
        answer = self._send("PUT", ticket.upload_url, content, {"Content-Type": "application/zip"})
        _check(answer)
        ticket.phase = "commit"

    def commit(self, ticket: Ticket) -> None:
        before, ticket.commit_tried = ticket.commit_tried, True
        try:
            self._call("POST", f"{self.path}/{ticket.job_id}", b"")
        except RefusedError as refusal:
            # A commit that was cut off may have happened.
            if not (before and COMMITTED in str(refusal)):
                raise
        ticket.phase = "committed"

    def show(self, job_id: str) -> dict[str, Any]:
        return self._call("GET", f"{self.path}/{job_id}", b"")

    def submit(self, ticket: Ticket, content: bytes, *, patience_s: float = 0.0) -> None:
        """Create, upload and commit; repeat what gets no answer for so long, then raise AwayError."""
        deadline_s = time.monotonic() + patience_s
        _persist(lambda: self.create(ticket), deadline_s)
        _persist(lambda: self.upload(ticket, content), deadline_s)
        _persist(lambda: self.commit(ticket), deadline_s)

    def signed(self, method: str, path: str, body: bytes) -> dict[str, str]:
        """Return the headers that sign a call."""
        date = datetime.now(UTC).strftime(DATE_FORMAT)
        headers = {"host": self.url.removeprefix("http://"), "x-sdk-date": date}
        request = HttpRequest(method, path, "", headers, body)
        canonical = canonical_request(request, SIGNED_HEADERS, hashlib.sha256(body).hexdigest())
        signature = sign(canonical, date, self._credential.secret_key)
        headers["authorization"] = (
            f"{ALGORITHM} Access={self._credential.access_key}, "
            f"SignedHeaders={';'.join(SIGNED_HEADERS)}, Signature={signature}"
        )
        return headers

    def close(self) -> None:
        self._session.close()

    def _call(self, method: str, path: str, body: bytes) -> dict[str, Any]:
        answer = self._send(method, self.url + path, body, self.signed(method, path, body))
        _check(answer)
        document: dict[str, Any] = answer.json() if answer.content else {}
        return document

    def _send(self, method: str, url: str, body: bytes, headers: dict[str, str]) -> requests.Response:
        try:
            return self._session.request(method, url, data=body, headers=headers, timeout=TIMEOUT_S)
        except requests.RequestException as error:
            raise AwayError(str(error)) from error


def _check(answer: requests.Response) -> None:
    if answer.status_code >= 500:
        raise AwayError(f"{answer.status_code} {answer.text}")
    if answer.status_code != 200:
        raise RefusedError(f"{answer.status_code} {answer.text}")


def _persist(call: Callable[[], None], deadline_s: float) -> None:
    while True:
        try:
            return call()
        except AwayError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(PAUSE_S)
