"""What an operator sees of the real service: figures, readiness, logs, traces, and the jobs command."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmetastudio.v1 import CreateShortJobReq, CreateShortJobRequest, MetaStudioClient
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance import running
from tests.acceptance.running import SAMPLES, Service, until, zip_of
from tests.acceptance.test_service import ended, submit
from tests.servers.owned import free_port

pytestmark = pytest.mark.xdist_group("service")


def figure(url: str, name: str, **labels: str) -> float:
    text = requests.get(url + "/metrics", timeout=30).text
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(each.value for each in samples if each.name == name and labels.items() <= each.labels.items())


def jobs_command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*running.COMMAND, "jobs", *arguments, "--data", str(data)], capture_output=True, text=True, encoding="utf-8"
    )


def sdk(service: Service, key: dict[str, str]) -> Any:
    credentials = BasicCredentials(key["access_key"], key["secret_key"], key["project_id"])
    return MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(service.url).build()


def test_a_job_is_seen_from_its_commit_to_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VOICEGAUGE_LOG_FORMAT", "json")
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    with running.service(tmp_path / "data") as service:
        until(lambda: requests.get(service.url + "/readyz", timeout=30), lambda answer: answer.status_code == 200)
        checks = requests.get(service.url + "/readyz", timeout=30).json()["checks"]
        assert checks == dict.fromkeys(("database", "schema", "uploads", "worker"), "ok")
        client = sdk(service, service.key())
        good = submit(client, zip_of(SAMPLES / "en" / "clean"))
        bad = submit(client, b"this is no zip")
        assert (ended(client, good).state, ended(client, bad).state) == ("SUCCEED", "FAILED")
        until(lambda: figure(service.url, "voicegauge_jobs", state="SUCCEED"), lambda count: count == 1)
        assert figure(service.url, "voicegauge_failed_jobs") == 1
        assert figure(service.url, "voicegauge_workers") == 1
        assert figure(service.url, "voicegauge_uploads_total", outcome="stored") == 2
        assert figure(service.url, "voicegauge_task_seconds_count", kind="plan") == 2
        assert figure(service.url, "voicegauge_task_seconds_count", kind="conclude", outcome="done") == 1
        assert figure(service.url, "voicegauge_http_request_seconds_count", method="POST", status="200") == 4

        listed = json.loads(jobs_command(service.data, "list", "--format", "json").stdout)
        assert {job["job_id"]: job["state"] for job in listed} == {good: "SUCCEED", bad: "FAILED"}
        assert jobs_command(service.data, "list", "--state", "FAILED").stdout.count(bad) == 1
        assert good not in jobs_command(service.data, "list", "--state", "FAILED").stdout

    spans = [each for each in documents(capfd.readouterr().err) if "context" in each]
    (commit,) = [
        span
        for span in spans
        if span["name"].endswith("/{job_id}")
        and span["attributes"]["http.request.method"] == "POST"
        and span["attributes"].get("voicegauge.job_id") == good
    ]
    assert len([span for span in spans if span["name"] == commit["name"]]) == 2
    assert "Signature" not in json.dumps(spans)
    trace = {span["name"] for span in spans if span["context"]["trace_id"] == commit["context"]["trace_id"]}
    assert trace >= {"assess_job", "plan", "measure_chunk", "measure", "conclude"}
    assert {s["attributes"].get("voicegauge.job_id") for s in spans if s["name"] == "measure"} == {good}


def documents(text: str) -> list[dict[str, Any]]:
    """The JSON objects in what a process wrote, on a line each or spread over several."""
    decoder, found, position = json.JSONDecoder(), [], 0
    while (position := text.find("{", position)) >= 0:
        document, position = decoder.raw_decode(text, position)
        found.append(document)
    return found


def test_a_workers_own_port_tells_how_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with running.service(tmp_path / "data"):
        pass
    port = free_port()
    monkeypatch.setenv("VOICEGAUGE_HEALTH_PORT", str(port))
    worker = subprocess.Popen(
        [*running.COMMAND, "worker", "--data", str(tmp_path / "data")],
        stdout=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "voicegauge worker is ready\n"
        url = f"http://127.0.0.1:{port}"
        assert requests.get(url + "/healthz", timeout=30).json()["status"] == "ok"
        assert requests.get(url + "/readyz", timeout=30).json()["checks"]["worker"] == "ok"
        assert figure(url, "voicegauge_workers") == 1
        worker.terminate()
        assert worker.wait(60) == 0


def test_showing_a_job_says_everything_and_an_unknown_one_is_said_plainly(tmp_path: Path) -> None:
    with running.service(tmp_path / "data") as service:
        client = sdk(service, service.key())
        job_id = submit(client, zip_of(SAMPLES / "en" / "noisy"))
        ended(client, job_id)
        shown = json.loads(jobs_command(service.data, "show", job_id, "--format", "json").stdout)
        assert shown["state"] == "SUCCEED"
        assert shown["verdict"]["within"] is False
        assert "snr" in shown["verdict"]["out_of_range"]
        assert shown["chunks"]["done"] == shown["chunks"]["total"] >= 1
        assert shown["upload"]["state"] == "stored"
        assert shown["run"] == 1
        text = jobs_command(service.data, "show", job_id).stdout
        assert re.search(r"^Verdict +out of range: .*snr", text, re.MULTILINE)
        unknown = jobs_command(service.data, "show", "no-such-job")
        assert unknown.returncode == 2
        assert unknown.stderr == "voicegauge: there is no job no-such-job; `voicegauge jobs list` names the newest\n"
        ended_before = jobs_command(service.data, "cancel", job_id)
        assert ended_before.returncode == 2
        assert "SUCCEED" in ended_before.stderr
        assert jobs_command(service.data, "retry", job_id).returncode == 2


def test_a_failed_job_is_tried_again_and_one_that_has_not_ended_is_cancelled(tmp_path: Path) -> None:
    with running.service(tmp_path / "data") as service:
        client = sdk(service, service.key())
        job_id = submit(client, b"this is no zip")
        ended(client, job_id)
        retried = jobs_command(service.data, "retry", job_id)
        assert (retried.returncode, retried.stdout) == (0, f"{job_id} waits for a worker again, as run 2\n")
        assert ended(client, job_id).state == "FAILED"
        created = client.create_short_job(CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS")))
        cancelled = json.loads(jobs_command(service.data, "cancel", created.job_id, "--format", "json").stdout)
        assert (cancelled["state"], cancelled["failure"]["code"]) == ("FAILED", "cancelled")


def test_a_folder_without_jobs_is_said_plainly_and_stays_as_it_is(tmp_path: Path) -> None:
    done = jobs_command(tmp_path / "typo", "list")
    assert done.returncode == 2
    assert "--data" in done.stderr
    assert not (tmp_path / "typo").exists()
