"""curl and requests, as people use them, against the upload route on a real port."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import requests

from tests.wire.conftest import Served

CONTENT = bytes(range(256)) * 20_000
ZIP = {"Content-Type": "application/zip"}


@pytest.fixture
def url(served: Served) -> str:
    job = served.site.jobs.create(served.site.project.project_id, "CN", None)
    return served.site.store.signed_put_url(job.object_key, expires_s=60, base_url=served.url)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "data.zip"
    path.write_bytes(CONTENT)
    return path


def stored(served: Served) -> bytes:
    (job,) = served.site.jobs.jobs.values()
    with served.site.store.local_path(job.object_key) as path:
        return path.read_bytes()


def nothing_stored(served: Served) -> bool:
    (job,) = served.site.jobs.jobs.values()
    return served.site.store.stat(job.object_key) is None


def code(xml: bytes | str) -> str | None:
    return ElementTree.fromstring(xml).findtext("Code")


class TestCurl:
    @pytest.fixture(autouse=True)
    def _curl(self) -> None:
        if shutil.which("curl") is None:
            pytest.skip("curl is not installed; on Debian or Ubuntu: apt-get install curl")

    def curl(self, *arguments: str) -> tuple[str, str]:
        """Return the body, and what `-v` tells of the conversation."""
        done = subprocess.run(["curl", "-sv", *arguments], capture_output=True, text=True, check=False)
        return done.stdout, done.stderr

    def test_the_line_of_the_documentation(self, served: Served, url: str, archive: Path) -> None:
        body, talk = self.curl("-X", "PUT", "-T", str(archive), "-H", "Content-Type: application/zip", url)
        assert body == ""
        assert "< HTTP/1.1 100 Continue" in talk
        assert "< HTTP/1.1 200 OK" in talk
        assert f'< etag: "{hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()}"' in talk.lower()
        assert "< x-obs-request-id: " in talk.lower()
        assert stored(served) == CONTENT

    @pytest.mark.parametrize("arguments", [["-T"], ["-X", "PUT", "--data-binary"]])
    def test_without_the_content_type_nothing_is_sent_in_vain(
        self, served: Served, url: str, archive: Path, arguments: list[str]
    ) -> None:
        target = f"@{archive}" if "--data-binary" in arguments else str(archive)
        body, talk = self.curl(*arguments, target, "-H", "Expect: 100-continue", url)
        assert code(body) == "SignatureDoesNotMatch"
        assert "-H" not in body
        assert "100 Continue" not in talk
        assert nothing_stored(served)

    def test_from_a_pipe_it_has_no_length(self, served: Served, url: str) -> None:
        done = subprocess.run(
            ["curl", "-s", "-T", "-", "-H", "Content-Type: application/zip", url],
            input=CONTENT,
            capture_output=True,
            check=False,
        )
        assert code(done.stdout) == "MissingContentLength"
        assert nothing_stored(served)


class TestRequests:
    def test_from_a_file(self, served: Served, url: str, archive: Path) -> None:
        with archive.open("rb") as file:
            response = requests.put(url, data=file, headers=ZIP, timeout=30)
        assert (response.status_code, response.content) == (200, b"")
        assert stored(served) == CONTENT

    def test_without_the_content_type(self, served: Served, url: str) -> None:
        response = requests.put(url, data=CONTENT, timeout=30)
        assert (response.status_code, code(response.content)) == (403, "SignatureDoesNotMatch")
        assert response.headers["Content-Type"] == "application/xml"
        assert nothing_stored(served)

    def test_more_than_the_server_takes(self, served: Served, url: str) -> None:
        served.site.store.max_object_bytes = 1000
        response = requests.put(url, data=CONTENT, headers=ZIP, timeout=30)
        assert (response.status_code, code(response.content)) == (400, "EntityTooLarge")
        assert nothing_stored(served)

    def test_one_connection_serves_on_after_a_refusal(self, served: Served, url: str) -> None:
        with requests.Session() as session:
            assert session.put(url, data=CONTENT, timeout=30).status_code == 403
            assert session.put(url, data=CONTENT, headers=ZIP, timeout=30).status_code == 200
        assert stored(served) == CONTENT


def test_a_broken_connection_leaves_nothing(served: Served, url: str) -> None:
    parts = urlsplit(url)
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        head = (
            f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/zip\r\n"
            f"Content-Length: {len(CONTENT)}\r\n\r\n"
        )
        connection.sendall(head.encode() + CONTENT[:-1])
    deadline_s = time.monotonic() + 30
    while served.site.store.partial_files() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert served.site.store.partial_files() == []
    assert nothing_stored(served)


def test_an_oversized_api_body_is_refused_at_once(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("POST", served.site.short_jobs, body=b"x" * 2_000_000)
    answer = connection.getresponse()
    assert answer.status == 413
    assert answer.headers["Content-Type"] == "application/json"
    connection.close()
