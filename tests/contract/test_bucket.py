"""What only a bucket can do, against a real server that verifies signatures."""

from __future__ import annotations

import datetime
import hashlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from botocore import auth
from types_boto3_s3 import S3Client

from tests.servers.bucket import Bucket
from tests.wire.double import Clock
from voicegauge.errors import MachineError
from voicegauge.storage import s3, s3_client, s3_put
from voicegauge.storage.errors import BadDigestError, ObjectNotFoundError, ObjectTooLargeError
from voicegauge.storage.location import BucketLocation, open_objects
from voicegauge.storage.s3 import BucketObjects
from voicegauge.storage.s3_client import Patience

KEY = "p123/0f8fad5b-d9cb-469f-a165-70867728950e.zip"
MAX_BYTES = 4 * 1024**2
ZIP = {"Content-Type": "application/zip"}
TIMEOUT_S = 30

Opener = Callable[..., BucketObjects]


@pytest.fixture
def open_bucket(bucket_location: str, tmp_path: Path) -> Opener:
    def open_at(location: str = bucket_location, max_object_bytes: int = MAX_BYTES) -> BucketObjects:
        store = open_objects(location, tmp_path, max_object_bytes=max_object_bytes, now_s=Clock())
        assert isinstance(store, BucketObjects)
        return store

    return open_at


@pytest.fixture
def store(open_bucket: Opener) -> BucketObjects:
    return open_bucket()


@pytest.fixture
def wait_at_most(monkeypatch: pytest.MonkeyPatch, fresh_clients: None) -> Callable[[float], None]:
    """Ask once, so that the pauses between attempts cost no time, and wait so many seconds for an answer."""

    def set_patience(read_timeout_s: float) -> None:
        patience = Patience(read_timeout_s, 1)

        def open_client(location: BucketLocation, _: Patience = patience, *, public: bool = False) -> S3Client:
            return s3_client.open_client(location, patience, public=public)

        monkeypatch.setattr(s3, "open_client", open_client)

    return set_patience


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients that read the environment anew, for this test alone."""
    s3_client._client.cache_clear()
    yield
    s3_client._client.cache_clear()


def put(url: str, content: bytes, headers: dict[str, str] | None = None) -> int:
    return requests.put(url, data=content, headers=headers or ZIP, timeout=TIMEOUT_S).status_code


def read(store: BucketObjects, key: str) -> bytes:
    with store.local_path(key) as path:
        return path.read_bytes()


def url_of(store: BucketObjects, key: str = KEY) -> str:
    return store.signed_put_url(key, expires_s=60, base_url="http://ignored.example")


def test_a_link_takes_a_zip_as_the_vendor_documents_it(store: BucketObjects) -> None:
    assert put(url_of(store), b"recordings") == 200
    assert read(store, KEY) == b"recordings"


def test_a_link_is_for_its_key_type_and_method_alone(store: BucketObjects) -> None:
    url = url_of(store)
    assert put(url.replace("70867728950e", "70867728950f"), b"x") == 403
    assert put(url[:-1] + ("0" if url[-1] != "0" else "1"), b"x") == 403
    assert put(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), b"x") == 403
    assert put(url, b"x", {"Content-Type": "text/plain"}) == 403
    assert requests.delete(url, headers=ZIP, timeout=TIMEOUT_S).status_code == 403
    assert requests.get(url, headers=ZIP, timeout=TIMEOUT_S).status_code == 403
    assert store.stat(KEY) is None


def test_a_link_ends(store: BucketObjects, monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=90)
    monkeypatch.setattr(auth, "get_current_datetime", lambda: before.replace(tzinfo=None))
    expired = url_of(store)
    valid = store.signed_put_url(KEY, expires_s=600, base_url="")
    assert put(expired, b"x") in (400, 403)  # servers differ
    assert store.stat(KEY) is None
    assert put(valid, b"x") == 200


def test_a_late_upload_through_a_valid_link_changes_nothing(store: BucketObjects) -> None:
    url = url_of(store)
    put(url, b"committed")
    frozen = store.freeze(KEY)
    assert frozen is not None
    assert put(url, b"too late") == 200
    assert read(store, frozen) == b"committed"


def test_a_link_names_the_address_of_the_clients(bucket_location: str, open_bucket: Opener) -> None:
    store = open_bucket(
        bucket_location
        + "&public_endpoint="
        + bucket_location.partition("endpoint=")[2].replace("127.0.0.1", "localhost").partition("&")[0]
    )
    url = url_of(store)
    assert url.startswith("http://localhost:")
    assert put(url, b"from outside") == 200
    assert read(store, KEY) == b"from outside"


def test_what_is_too_large_is_refused_at_the_freeze(store: BucketObjects) -> None:
    small = replace(store, max_object_bytes=3)
    put(url_of(store), b"four")
    with pytest.raises(ObjectTooLargeError, match="4 bytes, and 3 are the most"):
        small.freeze(KEY)


def test_a_long_stream_is_stored_in_parts_or_not_at_all(
    open_bucket: Opener, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_put, "PART_BYTES", 5 * 1024**2)
    store = open_bucket(max_object_bytes=11 * 1024**2)
    content = hashlib.shake_128(b"").digest(1024**2)
    stored = store.put(KEY, [content] * 11)
    assert stored.size_bytes == 11 * 1024**2
    assert stored.md5_hex == hashlib.md5(content * 11, usedforsecurity=False).hexdigest()
    assert read(store, KEY) == content * 11
    with pytest.raises(ObjectTooLargeError):
        store.put(KEY, [content] * 12)
    with pytest.raises(BadDigestError):
        store.put(KEY, [content] * 6, content_md5="kAFQmDzST7DWlj99KOF/cg==")
    assert read(store, KEY) == content * 11
    assert not store._client.list_multipart_uploads(Bucket=store.location.bucket).get("Uploads")


def test_a_bucket_that_is_away_is_told_and_comes_back(
    store: BucketObjects, bucket: Bucket, wait_at_most: Callable[[float], None]
) -> None:
    wait_at_most(TIMEOUT_S)
    store.put(KEY, [b"abc"])
    frozen = store.freeze(KEY)
    assert frozen is not None
    bucket.stop()
    try:
        for use in (
            store.check,
            lambda: store.stat(KEY),
            lambda: store.freeze(KEY),
            lambda: store.put(KEY, [b"x"]),
            lambda: store.delete(KEY),
            lambda: store.purge(KEY),
            lambda: read(store, frozen),
        ):
            with pytest.raises(MachineError, match=r"cannot .* bucket 'test-\w+' at http://127.*check the address"):
                use()
        assert url_of(store).startswith(bucket.endpoint)
    finally:
        bucket.start()
    store.check()
    assert read(store, frozen) == b"abc"


def test_a_server_that_never_answers_is_told(open_bucket: Opener, wait_at_most: Callable[[float], None]) -> None:
    wait_at_most(0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = open_bucket(f"s3://takes?endpoint=http://127.0.0.1:{silent.getsockname()[1]}&region=x")
        for use in (store.check, lambda: store.stat(KEY), lambda: read(store, KEY)):
            with pytest.raises(MachineError, match=r"cannot .*Read timeout.*check the address"):
                use()


def test_a_bucket_that_is_not_there_is_no_missing_object(bucket_location: str, open_bucket: Opener) -> None:
    store = open_bucket(bucket_location.replace("test-", "gone-"))
    for use in (store.check, lambda: store.stat(KEY), lambda: store.freeze(KEY), lambda: read(store, KEY)):
        with pytest.raises(MachineError, match=r"there is no such bucket; create it, or correct --objects"):
            use()


@pytest.mark.usefixtures("fresh_clients")
@pytest.mark.parametrize("variable", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_wrong_keys_are_told_and_not_shown(
    open_bucket: Opener, bucket: Bucket, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "something-else")
    store = open_bucket()
    with pytest.raises(MachineError, match=r"403|AWS_SECRET_ACCESS_KEY") as refused:
        store.check()
    with pytest.raises(MachineError, match="AWS_SECRET_ACCESS_KEY") as told:
        store.put(KEY, [b"x"])
    for error in (refused, told):
        assert bucket.secret_key not in str(error.value)
        assert "something-else" not in str(error.value)


@pytest.mark.usefixtures("fresh_clients")
def test_no_keys_are_told(open_bucket: Opener, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = open_bucket()
    for use in (store.check, lambda: url_of(store)):
        with pytest.raises(MachineError, match="there is no access key; set AWS_ACCESS_KEY_ID"):
            use()


def test_a_download_that_runs_out_of_time_goes_on_where_it_was(store: BucketObjects) -> None:
    content = hashlib.shake_128(b"").digest(3 * 1024**2 + 1)
    store.put(KEY, [content])
    slow = replace(store, cache=replace(store.cache, patience_s=0))
    for got_mib in (1, 2, 3):
        with pytest.raises(MachineError, match=f"{got_mib * 1024**2} of {len(content)} bytes.*goes on from there"):
            read(slow, KEY)
    assert read(slow, KEY) == content


def test_a_part_that_a_power_cut_spoiled_is_downloaded_anew(store: BucketObjects) -> None:
    content = hashlib.shake_128(b"").digest(3 * 1024**2)
    store.put(KEY, [content])
    with pytest.raises(MachineError):
        read(replace(store, cache=replace(store.cache, patience_s=0)), KEY)
    (partial,) = store.cache.folder.glob("*.partial")
    partial.write_bytes(bytes(partial.stat().st_size))
    assert read(store, KEY) == content


def test_an_object_that_goes_while_it_is_read_is_gone_only_then(store: BucketObjects) -> None:
    store.put(KEY, [b"abc"])
    with store.local_path(KEY) as path:
        store.delete(KEY)
        assert path.read_bytes() == b"abc"
    with pytest.raises(ObjectNotFoundError):
        read(store, KEY)
