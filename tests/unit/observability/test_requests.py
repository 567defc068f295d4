"""Every request is named, counted and written down, and no secret with it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.observability.conftest import Log
from tests.unit.observability.test_metrics import CENSUS
from tests.wire.asgi import HOST, Answer, call
from tests.wire.double import NOW_S, Double, build, signed_headers
from voicegauge.errors import MachineError
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.watch import Watch

JSON = {"Content-Type": "application/json"}
ZIP = {"Content-Type": "application/zip"}
CREATE = b'{"job_type": "VOICE_ASSESS"}'
JOBS = "/v1/{project_id}/voice-training-manage/user/short-jobs"


@dataclass
class Watched:
    double: Double
    metrics: Metrics
    readiness: Readiness

    def __call__(self, method: str, target: str, *, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        path, _, query = target.partition("?")
        signed = signed_headers(self.double.credential, method, path, query=query, body=body, headers=headers)
        return call(self.double.app, method, target, headers=signed, body=body)

    def count(self, name: str, **labels: str) -> float:
        families = text_string_to_metric_families(self.metrics.exposition().decode())
        samples = (sample for family in families for sample in family.samples)
        return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    def full() -> None:
        raise MachineError("the disk is full")

    metrics = Metrics(lambda: None, lambda: CENSUS)
    readiness = Readiness({"objects": full})
    double = build(tmp_path, lambda: NOW_S, watch=Watch(metrics, readiness, None))
    return Watched(double, metrics, readiness)


def test_a_request_has_a_line_with_its_route_its_end_and_what_it_was_about(
    watched: Watched, logging_to: Callable[..., Log]
) -> None:
    log = logging_to("json")
    answer = watched("POST", watched.double.short_jobs, body=CREATE, headers=JSON)
    (record,) = log.records()
    assert record.pop("time")
    assert record.pop("duration_ms") >= 0
    assert record.pop("message").startswith(f"POST {JOBS} 200 ")
    assert record == {
        "level": "INFO",
        "logger": "voicegauge.access",
        "method": "POST",
        "route": JOBS,
        "status": 200,
        "request_id": answer.headers["x-request-id"],
        "project_id": watched.double.project.project_id,
        "job_id": answer.json()["job_id"],
        "access_key": watched.double.credential.access_key,
    }


def test_requests_are_counted_by_route_and_never_by_path(watched: Watched) -> None:
    for path in ("/v1/secret/voice-training-manage/user/short-jobs/a", "/v1/b/voice-training-manage/user/short-jobs/c"):
        assert call(watched.double.app, "GET", path).status == 401
    assert call(watched.double.app, "GET", "/etc/passwd").status == 404
    assert call(watched.double.app, "BREW", "/etc/passwd").status == 404
    count = "voicegauge_http_request_seconds_count"
    assert watched.count(count, method="GET", route=JOBS + "/{job_id}", status="401") == 2
    assert watched.count(count, method="GET", route="unmatched", status="404") == 1
    assert watched.count(count, method="OTHER", route="unmatched", status="404") == 1
    text = watched.metrics.exposition().decode()
    assert "secret" not in text
    assert "passwd" not in text
    assert "BREW" not in text


def test_what_is_no_id_of_ours_is_not_written_as_one(watched: Watched, logging_to: Callable[..., Log]) -> None:
    log = logging_to("json")
    call(watched.double.app, "GET", f"/v1/{'x' * 65}/voice-training-manage/user/short-jobs/a%20b")
    (record,) = log.records()
    assert "project_id" not in record
    assert "job_id" not in record


def test_a_failure_within_names_the_request(
    watched: Watched, logging_to: Callable[..., Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(watched.double.jobs, "create", broken)
    log = logging_to("json")
    answer = watched("POST", watched.double.short_jobs, body=CREATE, headers=JSON)
    assert answer.status == 500
    failure, access = log.records()
    assert "RuntimeError: broken" in failure["exc_info"]
    assert failure["request_id"] == access["request_id"] == answer.headers["x-request-id"]
    assert access["status"] == 500


def test_a_client_that_leaves_is_no_error_of_ours(watched: Watched, logging_to: Callable[..., Log]) -> None:
    log = logging_to("json")
    headers = {**ZIP, "Content-Length": "100"}
    call(watched.double.app, "POST", watched.double.short_jobs, headers=headers, body=b"{", hang_up=True)
    assert log.records()[-1]["status"] == 499


def test_uploads_and_refusals_are_counted(watched: Watched) -> None:
    job = watched("POST", watched.double.short_jobs, body=CREATE, headers=JSON).json()
    url = urlsplit(job["data_uploading_url"])
    target, headers = f"{url.path}?{url.query}", {**ZIP, "Content-Length": "3"}
    assert call(watched.double.app, "PUT", target, headers=headers, body=b"zip").status == 200
    assert call(watched.double.app, "PUT", url.path, headers=headers, body=b"zip").status == 403
    assert watched.count("voicegauge_uploads_total", outcome="stored") == 1
    assert watched.count("voicegauge_uploads_total", outcome="AccessDenied") == 1
    assert watched.count("voicegauge_upload_bytes_total") == 3
    call(watched.double.app, "GET", "/v3/projects")
    assert watched.count("voicegauge_auth_failures_total", reason="not_signed") == 1
    call(watched.double.app, "GET", "/v3/projects", headers={"X-Auth-Token": "nonsense"})
    assert watched.count("voicegauge_auth_failures_total", reason="invalid_token") == 1


def test_the_three_addresses(watched: Watched, logging_to: Callable[..., Log]) -> None:
    log = logging_to("json")
    healthz, readyz, metrics = (
        call(watched.double.app, "GET", "/" + name) for name in ("healthz", "readyz", "metrics")
    )
    assert (healthz.status, healthz.json()["status"]) == (200, "ok")
    assert readyz.status == 503
    assert readyz.json() == {"status": "not ready", "checks": {"objects": "the disk is full"}}
    assert metrics.status == 200
    assert metrics.headers["content-type"].startswith("text/plain; version=")
    assert b"voicegauge_database_up 1.0\n" in metrics.content
    assert [record["logger"] for record in log.records()] == ["voicegauge.observability.readiness"]
    assert watched.count("voicegauge_http_request_seconds_count", route="/metrics", status="200") == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_secret_is_written_whatever_is_asked(watched: Watched, logging_to: Callable[..., Log], form: str) -> None:
    log = logging_to(form)
    for name in ("voicegauge", "uvicorn", "dbos"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    credential, app = watched.double.credential, watched.double.app
    secrets = {credential.secret_key, watched.double.store.url_key.secret_key}

    def token(password: str) -> Answer:
        user = {"name": credential.access_key, "password": password, "domain": {"name": "d"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = json.dumps({"auth": {"identity": identity}}).encode()
        return call(app, "POST", "/v3/auth/tokens", headers=JSON, body=body)

    issued = token(credential.secret_key)
    assert issued.status == 201
    secrets.add(issued.headers["x-subject-token"])
    assert token("a-wrong-password").status == 401
    secrets.add("a-wrong-password")

    signed = signed_headers(credential, "POST", watched.double.short_jobs, body=CREATE, headers=JSON)
    secrets.add(signed["authorization"].rpartition("Signature=")[2])
    job = call(app, "POST", watched.double.short_jobs, headers=signed, body=CREATE).json()
    forged = {**signed, "authorization": signed["authorization"][:-4] + "0000"}
    secrets.add(forged["authorization"].rpartition("Signature=")[2])
    assert call(app, "POST", watched.double.short_jobs, headers=forged, body=CREATE).status == 401

    url = urlsplit(job["data_uploading_url"])
    secrets.add(parse_qs(url.query)["Signature"][0])
    put = {**ZIP, "Content-Length": "3"}
    assert call(app, "PUT", f"http://{HOST}{url.path}?{url.query}", headers=put, body=b"zip").status == 200
    assert call(app, "PUT", f"http://{HOST}{url.path}?{url.query}", headers={"Content-Length": "3"}).status == 403
    own = f"{watched.double.short_jobs}/{job['job_id']}"
    by_token = {"X-Auth-Token": issued.headers["x-subject-token"]}
    assert call(app, "POST", own, headers=by_token).status == 200
    assert call(app, "GET", own, headers=by_token).status == 200
    assert call(app, "GET", own, headers={"X-Auth-Token": "a-stolen-token"}).status == 401
    secrets.add("a-stolen-token")

    assert len(log.lines()) == 9
    assert [secret for secret in secrets if secret in log.text] == []
    assert "Signature" not in log.text
    assert "Expires" not in log.text
