"""What every object store keeps to."""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.wire.double import Clock
from voicegauge.storage.errors import (
    BadDigestError,
    InvalidDigestError,
    InvalidKeyError,
    ObjectNotFoundError,
    ObjectTooLargeError,
)
from voicegauge.storage.location import open_objects
from voicegauge.storage.objects import ObjectStore

KEY = "p123/0f8fad5b-d9cb-469f-a165-70867728950e.zip"
MAX_BYTES = 1000


@pytest.fixture(params=["disk", "bucket", "bucket with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    location = "" if request.param == "disk" else request.getfixturevalue("bucket_location")
    if request.param == "bucket with a prefix":
        location = location.replace("?", "/some/where?")
    return open_objects(location, tmp_path, max_object_bytes=MAX_BYTES, now_s=Clock())


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


def test_what_is_frozen_stays_as_it_was(store: ObjectStore) -> None:
    store.put(KEY, [b"committed"])
    frozen = store.freeze(KEY)
    assert frozen is not None
    assert re.fullmatch(KEY.removesuffix(".zip") + r"\.[0-9a-f]{8}\.zip", frozen)
    store.put(KEY, [b"too late"])
    assert read(store, frozen) == b"committed"
    store.delete(KEY)
    assert read(store, frozen) == b"committed"


def test_an_upload_that_ends_after_the_freeze_changes_nothing(store: ObjectStore) -> None:
    store.put(KEY, [b"committed"])
    frozen: list[str | None] = []

    def slow() -> Iterator[bytes]:
        yield b"half"
        frozen.append(store.freeze(KEY))
        yield b"whole"

    store.put(KEY, slow())
    assert frozen[0] is not None
    assert read(store, frozen[0]) == b"committed"


def test_every_freeze_makes_its_own_key(store: ObjectStore) -> None:
    store.put(KEY, [b"committed"])
    with ThreadPoolExecutor(4) as pool:
        frozen = list(pool.map(lambda _: store.freeze(KEY), range(4)))
    assert len(set(frozen)) == 4
    assert [read(store, key) for key in frozen if key] == [b"committed"] * 4


def test_nothing_cannot_be_frozen(store: ObjectStore) -> None:
    assert store.freeze(KEY) is None
    assert store.stat(KEY) is None


def test_a_purge_removes_an_upload_and_its_copies_and_nothing_else(store: ObjectStore) -> None:
    others = ["p1/job.zip.zip", "p1/job.other.zip", "p1/job2.zip", "p2/job.zip"]
    for key in ("p1/job.zip", *others):
        store.put(key, [b"x"])
    frozen = [store.freeze("p1/job.zip"), store.freeze("p1/job.zip")]
    store.delete("p1/job.zip")
    assert frozen[0] is not None
    store.purge(frozen[0])
    assert [store.stat(key) for key in frozen if key] == [None, None]
    store.put("p1/job.zip", [b"x"])
    store.purge("p1/job.zip")
    store.purge("p1/job.zip")
    assert store.stat("p1/job.zip") is None
    assert all(store.stat(key) is not None for key in others)


def test_the_file_is_given_to_another_process(store: ObjectStore) -> None:
    store.put(KEY, [b"abc"])
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(read, store, KEY).result() == b"abc"


def test_a_store_that_works_passes_its_check(store: ObjectStore) -> None:
    store.check()


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
    for use in (store.stat, store.delete, store.purge, store.freeze, lambda key: store.put(key, [])):
        with pytest.raises(InvalidKeyError, match="not allowed"):
            use(key)
    with pytest.raises(InvalidKeyError):
        store.signed_put_url(key, expires_s=60, base_url="http://127.0.0.1")


def test_an_upload_url_names_its_object(store: ObjectStore) -> None:
    url = store.signed_put_url(KEY, expires_s=60, base_url="http://127.0.0.1:8600")
    assert url.startswith("http")
    assert KEY in url
