"""What every object store keeps to."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.double import Clock
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.errors import (
    BadDigestError,
    InvalidDigestError,
    InvalidKeyError,
    ObjectNotFoundError,
    ObjectTooLargeError,
)
from voicegauge.storage.objects import ObjectStore

KEY = "p123/0f8fad5b-d9cb-469f-a165-70867728950e.zip"
MAX_BYTES = 1000


@pytest.fixture(params=["disk"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return {"disk": lambda: DiskObjects(tmp_path, max_object_bytes=MAX_BYTES, now_s=Clock())}[request.param]()


def md5_base64(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()


def read(store: ObjectStore, key: str) -> bytes:
    with store.local_path(key) as path:
        return path.read_bytes()


def test_what_is_put_is_there(store: ObjectStore) -> None:
    stored = store.put(KEY, [b"abc", b"", b"def"])
    assert stored.size_bytes == 6
    assert stored.md5_hex == hashlib.md5(b"abcdef", usedforsecurity=False).hexdigest()
    stat = store.stat(KEY)
    assert stat is not None
    assert stat.size_bytes == 6
    assert read(store, KEY) == b"abcdef"


def test_nothing_is_there_before(store: ObjectStore) -> None:
    assert store.stat(KEY) is None
    with pytest.raises(ObjectNotFoundError, match="p123"), store.local_path(KEY):
        pass


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put(KEY, [])
    stat = store.stat(KEY)
    assert stat is not None
    assert stat.size_bytes == 0


def test_a_second_put_replaces_the_first(store: ObjectStore) -> None:
    store.put(KEY, [b"a much longer first"])
    store.put(KEY, [b"second"])
    assert read(store, KEY) == b"second"


def test_who_reads_an_object_while_it_is_replaced_reads_the_old_one(store: ObjectStore) -> None:
    store.put(KEY, [b"the first"])
    with store.local_path(KEY) as path, path.open("rb") as reader:
        store.put(KEY, [b"the other"])
        assert reader.read() == b"the first"
    assert read(store, KEY) == b"the other"


def test_what_is_frozen_is_not_reached_by_a_later_put(store: ObjectStore) -> None:
    store.put(KEY, [b"the first"])
    frozen_key = store.freeze(KEY)
    assert frozen_key is not None
    store.put(KEY, [b"the other"])
    assert read(store, frozen_key) == b"the first"
    store.delete(KEY)
    assert read(store, frozen_key) == b"the first"


def test_each_freeze_has_a_key_of_its_own(store: ObjectStore) -> None:
    store.put(KEY, [b"the first"])
    first = store.freeze(KEY)
    store.put(KEY, [b"the other"])
    second = store.freeze(KEY)
    assert first is not None
    assert second is not None
    assert [read(store, key) for key in (first, second)] == [b"the first", b"the other"]


def test_nothing_cannot_be_frozen(store: ObjectStore) -> None:
    assert store.freeze(KEY) is None


def test_objects_do_not_disturb_each_other(store: ObjectStore) -> None:
    store.put("p1/a.zip", [b"1"])
    store.put("p1/a.zip.zip", [b"2"])
    store.put("p2/a.zip", [b"3"])
    assert [read(store, key) for key in ("p1/a.zip", "p1/a.zip.zip", "p2/a.zip")] == [b"1", b"2", b"3"]


def test_delete_removes_and_forgives(store: ObjectStore) -> None:
    store.put(KEY, [b"abc"])
    store.delete(KEY)
    store.delete(KEY)
    assert store.stat(KEY) is None


def test_the_cap_is_kept_to_the_byte(store: ObjectStore) -> None:
    store.put(KEY, [b"x" * MAX_BYTES])
    with pytest.raises(ObjectTooLargeError, match="1000 bytes"):
        store.put("p123/b.zip", [b"x" * MAX_BYTES, b"x"])
    assert store.stat("p123/b.zip") is None


def test_an_interrupted_put_changes_nothing(store: ObjectStore) -> None:
    store.put(KEY, [b"before"])

    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(KEY, broken())
    assert read(store, KEY) == b"before"


def test_the_right_content_md5_is_accepted(store: ObjectStore) -> None:
    store.put(KEY, [b"ab", b"c"], content_md5=md5_base64(b"abc"))
    assert read(store, KEY) == b"abc"


def test_another_content_md5_stores_nothing(store: ObjectStore) -> None:
    with pytest.raises(BadDigestError):
        store.put(KEY, [b"abd"], content_md5=md5_base64(b"abc"))
    assert store.stat(KEY) is None


@pytest.mark.parametrize("content_md5", ["", "kAFQmDzST7DWlj99KOF/cg", "not base64!", "YWJj", "é"])
def test_what_cannot_be_a_content_md5_is_told(store: ObjectStore, content_md5: str) -> None:
    with pytest.raises(InvalidDigestError):
        store.put(KEY, [b"abc"], content_md5=content_md5)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/",
        "/etc/passwd",
        "../up",
        "p/../up",
        "p/./a",
        "p//a",
        "p/",
        ".hidden",
        "p/.hidden",
        "a\\b",
        "a b",
        "a\n",
        "a\0",
        "é",
        "p/" + "a" * 129,
        "a/" * 300 + "a",
    ],
)
def test_keys_that_could_lead_elsewhere_are_refused(store: ObjectStore, key: str) -> None:
    for use in (store.stat, store.delete, lambda key: store.put(key, [])):
        with pytest.raises(InvalidKeyError, match="not allowed"):
            use(key)
    with pytest.raises(InvalidKeyError):
        store.signed_put_url(key, expires_s=60, base_url="http://127.0.0.1")


def test_an_upload_url_names_its_object(store: ObjectStore) -> None:
    url = store.signed_put_url(KEY, expires_s=60, base_url="http://127.0.0.1:8600")
    assert url.startswith("http")
    assert KEY in url
