"""The real service, driven as its users drive it: the vendor's SDK, requests, curl, and a crash."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkmetastudio.v1 import (
    CommitShortJobRequest,
    CreateShortJobReq,
    CreateShortJobRequest,
    MetaStudioClient,
    ShowShortJobRequest,
)

from tests.acceptance import running
from tests.acceptance.running import SAMPLES, Service, until, zip_of

ENDED = ("SUCCEED", "FAILED")
PROPERTIES = ("speed", "sound", "snr", "reverb", "dnsmos_ovrl", "dnsmos_bak")

pytestmark = pytest.mark.xdist_group("service")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with running.service(tmp_path_factory.mktemp("service") / "data") as service:
        yield service


@pytest.fixture(scope="module")
def key(service: Service) -> dict[str, str]:
    return service.key()


@pytest.fixture(scope="module")
def client(service: Service, key: dict[str, str]) -> Any:
    credentials = BasicCredentials(key["access_key"], key["secret_key"], key["project_id"])
    return MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(service.url).build()


def upload(url: str, content: bytes) -> requests.Response:
    return requests.put(url, data=content, headers={"Content-Type": "application/zip"}, timeout=30)


def submit(client: Any, content: bytes, language: str = "EN") -> str:
    created = client.create_short_job(
        CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS", language=language))
    )
    assert upload(created.data_uploading_url, content).status_code == 200
    client.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    return str(created.job_id)


def ended(client: Any, job_id: str) -> Any:
    return until(lambda: client.show_short_job(ShowShortJobRequest(job_id=job_id)), lambda job: job.state in ENDED)


def test_the_vendors_sdk_gets_a_verdict_on_clean_recordings(client: Any) -> None:
    job = ended(client, submit(client, zip_of(SAMPLES / "en" / "clean")))
    assert job.state == "SUCCEED"
    assert job.job_type == "VOICE_ASSESS"
    assert {name: getattr(job.assess_result, name).status for name in PROPERTIES} == dict.fromkeys(PROPERTIES, 0)
    assert re.search(r"≥ 30", job.assess_result.snr.expected)
    assert re.search(r"\d", job.assess_result.snr.actual)
    assert re.search(r"[一-鿿]", job.assess_result.snr.suggestion)
    assert re.fullmatch(r"[ -~’–]+", job.assess_result.suggestion)


def test_spoiled_recordings_succeed_with_the_culprit_out_of_range(client: Any) -> None:
    job = ended(client, submit(client, zip_of(SAMPLES / "cn" / "too-quiet"), "CN"))
    assert job.state == "SUCCEED"
    assert job.assess_result.sound.status == 1
    assert job.assess_result.snr.status == 0
    assert re.search(r"[一-鿿]", job.assess_result.suggestion)


def test_one_bad_member_spoils_nothing(client: Any) -> None:
    content = zip_of(SAMPLES / "en" / "clean", **{"broken.wav": b"RIFF not a wave", "notes.pdf": b"%PDF"})
    job = ended(client, submit(client, content))
    assert job.state == "SUCCEED"
    assert job.assess_result.snr.status == 0
    assert "broken.wav" in job.assess_result.suggestion


@pytest.mark.parametrize("content", [b"this is no zip", zip_of(SAMPLES / "en" / "clean")[:-3000]])
def test_an_archive_that_cannot_be_assessed_fails_with_a_reason(client: Any, content: bytes) -> None:
    job = ended(client, submit(client, content))
    assert job.state == "FAILED"
    assert job.job_failed_code
    assert job.job_failed_reason
    assert job.assess_result is None


def test_commit_before_upload_and_a_second_commit_have_errors_of_their_own(client: Any) -> None:
    created = client.create_short_job(CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS")))
    with pytest.raises(ClientRequestException) as early:
        client.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    assert upload(created.data_uploading_url, zip_of(SAMPLES / "en" / "clean")).status_code == 200
    client.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    with pytest.raises(ClientRequestException) as late:
        client.commit_short_job(CommitShortJobRequest(job_id=created.job_id))
    assert early.value.status_code == late.value.status_code == 400
    assert early.value.error_code != late.value.error_code
    assert upload(created.data_uploading_url, b"a late change").status_code == 403


def test_curl_uploads_with_the_documented_line(client: Any, tmp_path: Path) -> None:
    curl = shutil.which("curl")
    assert curl, "this test needs curl: apt-get install curl"
    archive = tmp_path / "takes.zip"
    archive.write_bytes(zip_of(SAMPLES / "en" / "clean"))
    created = client.create_short_job(CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS")))

    def put(*headers: str) -> str:
        return subprocess.run(
            [curl, "-sS", "-X", "PUT", "-T", str(archive), "-w", "%{http_code}", *headers, created.data_uploading_url],
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert put().endswith("403")
    assert "SignatureDoesNotMatch" in put()
    assert put("-H", "Content-Type: application/zip") == "200"


def test_errors_are_flat_json_with_a_request_id(service: Service) -> None:
    answer = requests.get(service.url + "/v1/p/voice-training-manage/user/short-jobs/unknown", timeout=30)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.json()["error_code"] == "APIGW.0301"


def test_health(service: Service) -> None:
    assert requests.get(service.url + "/healthz", timeout=30).json()["status"] == "ok"


def test_a_revoked_key_is_refused(service: Service) -> None:
    made = service.key()
    subprocess.run([*running.COMMAND, "keys", "revoke", made["access_key"], "--data", str(service.data)], check=True)
    credentials = BasicCredentials(made["access_key"], made["secret_key"], made["project_id"])
    client = MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(service.url).build()
    with pytest.raises(ClientRequestException) as refused:
        client.create_short_job(CreateShortJobRequest(body=CreateShortJobReq(job_type="VOICE_ASSESS")))
    assert refused.value.status_code == 401


def test_listing_keys_shows_no_secret(service: Service, key: dict[str, str]) -> None:
    for form in ("table", "json"):
        listed = subprocess.run(
            [*running.COMMAND, "keys", "list", "--data", str(service.data), "--format", form],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert key["access_key"] in listed
        assert key["secret_key"] not in listed


def test_the_first_start_says_what_to_paste_and_the_second_does_not(tmp_path: Path) -> None:
    for is_first in (True, False):
        process = subprocess.Popen(
            [*running.COMMAND, "serve", "--port", "0", "--data", str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("voicegauge is listening on ")
        process.terminate()
        rest, _ = process.communicate()
        assert process.returncode == 0
        assert ("curl" in rest) is is_first
        assert ("MetaStudioClient" in rest) is is_first


def test_a_killed_service_finishes_its_job_once_after_a_restart(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first, _ = running.start(data)
    try:
        key = first.key()
        credentials = BasicCredentials(key["access_key"], key["secret_key"], key["project_id"])
        client = MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(first.url).build()
        job_id = submit(client, zip_of(SAMPLES / "en" / "noisy"))
        until(
            lambda: client.show_short_job(ShowShortJobRequest(job_id=job_id)).state, lambda state: state == "PROCESSING"
        )
    finally:
        first.process.kill()
        first.process.communicate()
    with running.service(data) as second:
        client = MetaStudioClient.new_builder().with_credentials(credentials).with_endpoint(second.url).build()
        job = ended(client, job_id)
        assert job.state == "SUCCEED"
        assert job.assess_result.snr.status == 1
    with closing(sqlite3.connect(data / "voicegauge.db")) as database:
        assert database.execute("SELECT count(*) FROM jobs").fetchone() == (1,)
        starts = database.execute("SELECT count(*) FROM workflow_status WHERE workflow_uuid = ?", (job_id,)).fetchone()
        assert starts == (1,)


def test_a_port_in_use_is_said_plainly(service: Service, tmp_path: Path) -> None:
    port = service.url.rsplit(":", 1)[1]
    done = subprocess.run(
        [*running.COMMAND, "serve", "--port", port, "--data", str(tmp_path / "data")], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert port in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_service_on_one_folder_is_refused(service: Service) -> None:
    done = subprocess.run(
        [*running.COMMAND, "serve", "--port", "0", "--data", str(service.data)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert str(service.data) in done.stderr
    assert f"process {service.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr
    assert requests.get(f"{service.url}/healthz", timeout=30).status_code == 200


def test_the_result_of_a_job_has_the_documented_json_form(service: Service, client: Any) -> None:
    job_id = submit(client, zip_of(SAMPLES / "en" / "clean"))
    ended(client, job_id)
    with closing(sqlite3.connect(service.data / "voicegauge.db")) as database:
        (stored,) = database.execute("SELECT result FROM jobs WHERE job_id = ?", (job_id,)).fetchone()
    import jsonschema

    schema = json.loads((SAMPLES.parent / "docs" / "result.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(stored), schema)
