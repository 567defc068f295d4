"""The whole way of a job with curl and nothing else, on a real port."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.wire.conftest import Served
from voicegauge.jobs.job import JobState

JSON = ("-H", "Content-Type: application/json")


@pytest.fixture(autouse=True)
def _curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed; on Debian or Ubuntu: apt-get install curl")


def curl(*arguments: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers by lower-case name, and body."""
    done = subprocess.run(["curl", "-sSi", *arguments], check=True, capture_output=True)
    head, _, body = done.stdout.decode().partition("\r\n\r\n")
    if head.endswith("100 Continue"):
        head, _, body = body.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status.split()[1]), headers, body


def token_arguments(served: Served, password: str) -> tuple[str, ...]:
    user = {"name": served.site.credential.access_key, "password": password, "domain": {"name": "my-account"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    body = {"auth": {"identity": identity, "scope": {"project": {"name": "cn-north-4"}}}}
    return (f"{served.url}/v3/auth/tokens?nocatalog=true", *JSON, "-d", json.dumps(body))


def test_token_create_put_commit_show(served: Served, tmp_path: Path) -> None:
    archive = tmp_path / "takes.zip"
    archive.write_bytes(bytes(range(256)) * 1000)
    short_jobs = served.url + served.site.short_jobs

    status, headers, body = curl(*token_arguments(served, served.site.credential.secret_key))
    assert status == 201
    assert json.loads(body)["token"]["project"]["id"] == served.site.project.project_id
    token = ("-H", f"X-Auth-Token: {headers['x-subject-token']}")

    status, _, body = curl(short_jobs, *token, *JSON, "-d", '{"job_type": "VOICE_ASSESS", "language": "EN"}')
    assert status == 200
    created = json.loads(body)
    job_url = f"{short_jobs}/{created['job_id']}"

    put = ("-X", "PUT", "-T", str(archive), "-H", "Content-Type: application/zip", created["data_uploading_url"])
    assert curl(*put)[0] == 200
    status, _, body = curl("-X", "POST", job_url, *token)
    assert (status, body) == (200, "")
    status, _, body = curl(job_url, *token)
    assert status == 200
    assert json.loads(body)["state"] == "WAITING"

    job = served.site.jobs.set(created["job_id"], state=JobState.PROCESSING)
    with served.site.store.local_path(job.object_key) as path:
        assert path.read_bytes() == archive.read_bytes()
    assert json.loads(curl(job_url, *token)[2])["state"] == "PROCESSING"


def test_a_wrong_password(served: Served) -> None:
    status, headers, body = curl(*token_arguments(served, "wrong"))
    assert status == 401
    assert "x-subject-token" not in headers
    assert {"code": 401, "title": "Unauthorized"}.items() <= json.loads(body)["error"].items()


@pytest.mark.parametrize("length", [1, 16384])
def test_a_token_of_any_documented_length_is_read(served: Served, length: int) -> None:
    status, _, body = curl(f"{served.url}/v3/projects", "-H", f"X-Auth-Token: {'M' * length}")
    assert status == 401
    assert "decrypt token fail" in json.loads(body)["error_msg"]


def test_without_a_token(served: Served) -> None:
    # Without a value curl sends no such header.
    status, _, body = curl(f"{served.url}/v3/projects", "-H", "X-Auth-Token: ")
    assert status == 401
    assert "x-auth-token not found" in json.loads(body)["error_msg"]
