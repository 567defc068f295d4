from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fastapi import FastAPI

from tests.wire.asgi import Answer, call
from tests.wire.double import NOW_S, Clock
from voicegauge.errors import MachineError
from voicegauge.storage.disk import DiskObjects, DiskWriter
from voicegauge.storage.upload import upload_router

KEY = "p123/a.zip"
ZIP = {"Content-Type": "application/zip"}
MAX_BYTES = 3_000_000


class Site:
    """A store, its route, and a switch for each object."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = DiskObjects(folder, max_object_bytes=MAX_BYTES, now_s=self.clock)
        self.answers: Iterator[bool] | None = None
        app = FastAPI()
        app.include_router(upload_router(self.store, self.may_write))
        self.app = app
        self.url = self.store.signed_put_url(KEY, expires_s=60, base_url="http://127.0.0.1:8600")

    def put(
        self, body: bytes | list[bytes], headers: dict[str, str], *, url: str = "", hang_up: bool = False
    ) -> Answer:
        length = len(body if isinstance(body, bytes) else b"".join(body))
        headers = {"Content-Length": str(length), **headers}
        return call(self.app, "PUT", url or self.url, headers=headers, body=body, hang_up=hang_up)

    def may_write(self, key: str) -> bool:
        assert key == KEY
        return self.answers is None or next(self.answers)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def refusal(response: Answer) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/xml"
    root = ElementTree.fromstring(response.content)
    assert root.tag == "Error"
    assert [child.tag for child in root] == ["Code", "Message", "RequestId", "HostId"]
    assert all(child.text for child in root)
    assert root.findtext("RequestId") == response.headers["x-obs-request-id"]
    return response.status, root.findtext("Code") or ""


def md5_base64(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def test_an_upload_is_stored_and_answered_with_its_etag(site: Site) -> None:
    content = bytes(range(256)) * 10_000
    response = site.put(content, ZIP)
    assert response.status == 200
    assert response.content == b""
    assert response.headers["etag"] == f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
    assert response.headers["x-obs-request-id"]
    with site.store.local_path(KEY) as path:
        assert path.read_bytes() == content


def test_a_second_upload_overwrites(site: Site) -> None:
    for content in (b"first", b"2nd"):
        assert site.put(content, ZIP).status == 200
    with site.store.local_path(KEY) as path:
        assert path.read_bytes() == b"2nd"


def test_it_holds_until_the_second_it_expires(site: Site) -> None:
    site.clock.now_s = NOW_S + 60
    assert site.put(b"abc", ZIP).status == 200
    site.clock.now_s = NOW_S + 61
    assert refusal(site.put(b"abc", ZIP)) == (403, "AccessDenied")


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ({}, "none"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "'application/x-www-form-urlencoded'"),
        ({"Content-Type": "application/zip; charset=utf-8"}, "'application/zip; charset=utf-8'"),
    ],
)
def test_another_content_type_is_refused_with_advice(site: Site, headers: dict[str, str], sent: str) -> None:
    response = site.put(b"abc", headers)
    assert refusal(response) == (403, "SignatureDoesNotMatch")
    assert f"needs the header 'Content-Type: application/zip', and this one has {sent}" in response.content.decode()


def test_obs_headers_are_part_of_the_signature(site: Site) -> None:
    response = site.put(b"abc", {**ZIP, "x-obs-acl": "public-read"})
    assert refusal(response) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("p123/a.zip", "p123/b.zip", "SignatureDoesNotMatch"),
        ("p123/a.zip", "p123/../p123/b.zip", "SignatureDoesNotMatch"),
        ("p123/a.zip", "%2e%2e/a.zip", "SignatureDoesNotMatch"),
        ("Expires=1", "Expires=2", "SignatureDoesNotMatch"),
        ("Expires=", "Expires=x", "AccessDenied"),
        ("Expires=", "Expires=%EF%BC%92", "AccessDenied"),
        ("Expires=", "Expires=99999999999999999999999999999999999999999999", "AccessDenied"),
        ("AccessKeyId=", "AccessKeyId=X", "InvalidAccessKeyId"),
        ("Signature=", "Signature=A", "SignatureDoesNotMatch"),
        ("Signature=", "Signature=%C3%A9", "SignatureDoesNotMatch"),
        ("Signature=", "Sign=", "AccessDenied"),
        ("Expires=", "Expire=", "AccessDenied"),
        ("AccessKeyId=", "AWSAccessKeyId=", "AccessDenied"),
    ],
)
def test_a_changed_url_is_refused(site: Site, old: str, new: str, code: str) -> None:
    assert old in site.url
    response = site.put(b"abc", ZIP, url=site.url.replace(old, new, 1))
    assert refusal(response) == (403, code)
    assert site.store.stat(KEY) is None


def test_a_chunked_upload_is_refused(site: Site) -> None:
    response = call(site.app, "PUT", site.url, headers=ZIP, body=b"abc")
    assert refusal(response) == (411, "MissingContentLength")


def test_too_large_is_refused_before_the_body_is_read(site: Site) -> None:
    response = site.put([], {**ZIP, "Content-Length": str(MAX_BYTES + 1)})
    assert refusal(response) == (400, "EntityTooLarge")


def test_a_body_that_outgrows_its_announced_length_is_refused(site: Site) -> None:
    # The server in front of the application keeps bodies to their length; another one may not.
    response = site.put([b"x" * MAX_BYTES, b"x"], {**ZIP, "Content-Length": "3"})
    assert refusal(response) == (400, "EntityTooLarge")
    assert site.store.stat(KEY) is None


def test_a_connection_that_breaks_leaves_nothing(site: Site) -> None:
    response = site.put([b"x" * 2_000_000], {**ZIP, "Content-Length": "2500000"}, hang_up=True)
    assert refusal(response) == (400, "IncompleteBody")
    assert site.store.stat(KEY) is None
    assert site.store.remove_leftovers() == 0


def test_content_md5_is_honoured(site: Site) -> None:
    good = {**ZIP, "Content-MD5": md5_base64(b"abc")}
    assert site.put(b"abc", good).status == 200
    assert refusal(site.put(b"abd", good)) == (400, "BadDigest")
    bad = {**ZIP, "Content-MD5": "YWJj"}
    assert refusal(site.put(b"abc", bad)) == (400, "InvalidDigest")


def test_a_job_that_is_past_its_upload_takes_none(site: Site) -> None:
    site.answers = iter([False])
    response = site.put(b"abc", ZIP)
    assert refusal(response) == (403, "AccessDenied")
    assert "create a new job" in response.content.decode()


def test_a_commit_during_the_upload_freezes_what_was_there(site: Site) -> None:
    site.put(b"committed", ZIP)
    site.answers = iter([True, False])
    assert refusal(site.put(b"too late", ZIP)) == (403, "AccessDenied")
    with site.store.local_path(KEY) as path:
        assert path.read_bytes() == b"committed"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "PATCH", "OPTIONS"])
def test_only_put_is_allowed(site: Site, method: str) -> None:
    assert refusal(call(site.app, method, site.url, headers=ZIP)) == (405, "MethodNotAllowed")


def test_a_full_disk_is_the_server_s_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MachineError("cannot write /data: No space left on device")

    monkeypatch.setattr(DiskWriter, "write", full)
    response = site.put(b"abc", ZIP)
    assert refusal(response) == (503, "ServiceUnavailable")
    assert "/data" not in response.content.decode()
