from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from tests.wire.double import Clock
from voicegauge.errors import MachineError
from voicegauge.storage.disk import DiskObjects

KEY = "p123/a.zip"


def open_store(folder: Path) -> DiskObjects:
    return DiskObjects(folder, max_object_bytes=1000, now_s=Clock())


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_an_upload_given_up_leaves_no_file(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.writer(KEY) as writer:
        writer.write(b"half")
    assert files(tmp_path) == ["upload-url-key.json"]


def test_nobody_sees_an_object_before_it_is_whole(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.writer(KEY) as writer:
        writer.write(b"half")
        writer.sync()
        assert store.stat(KEY) is None
        writer.finish()
        assert store.stat(KEY) is not None


def test_two_uploads_at_once_give_one_of_the_two(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.writer(KEY) as one, store.writer(KEY) as other:
        one.write(b"one")
        other.write(b"other")
        other.finish()
        one.finish()
    with store.local_path(KEY) as path:
        assert path.read_bytes() == b"one"
    assert files(tmp_path) == ["objects/p123/a.zip", "upload-url-key.json"]


def test_what_a_kill_left_behind_is_removed_at_the_next_start(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(KEY, [b"whole"])
    killed = store.writer("p123/b.zip")
    killed.write(b"half")
    assert len(files(tmp_path)) == 3
    assert store.remove_leftovers() == 1
    assert files(tmp_path) == ["objects/p123/a.zip", "upload-url-key.json"]
    killed.__exit__(None, None, None)


def test_the_url_key_is_kept_for_the_service_alone(tmp_path: Path) -> None:
    first, second = open_store(tmp_path), open_store(tmp_path)
    assert first.url_key == second.url_key
    assert (tmp_path / "upload-url-key.json").stat().st_mode & 0o777 == 0o600
    assert first.url_key.secret_key not in repr(first.url_key)


def test_a_damaged_url_key_is_told(tmp_path: Path) -> None:
    open_store(tmp_path)
    for damage in ("", "{", json.dumps({"access_key": "A"})):
        (tmp_path / "upload-url-key.json").write_text(damage)
        with pytest.raises(MachineError, match=r"upload-url-key\.json is damaged"):
            open_store(tmp_path)


def test_a_full_disk_is_told_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MachineError, match="No space left on device; check the disk"):
        store.put(KEY, [b"abc"])
    assert files(tmp_path) == ["upload-url-key.json"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="file"):
        open_store(tmp_path / "file")
