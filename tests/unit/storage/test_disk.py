from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
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


def test_a_frozen_copy_is_on_the_platter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(tmp_path)
    store.put(KEY, [b"abc"])
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_ino))
    store.freeze(KEY)
    assert synced == [(tmp_path / "objects/p123").stat().st_ino]


def test_a_folder_that_vanished_is_no_missing_object_and_is_not_made_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.put(KEY, [b"abc"])
    (tmp_path / "objects").rename(tmp_path / "elsewhere")

    def read() -> None:
        with store.local_path(KEY):
            pass

    for use in (
        store.check,
        read,
        lambda: store.put(KEY, [b"x"]),
        lambda: store.stat(KEY),
        lambda: store.freeze(KEY),
        lambda: store.delete(KEY),
        lambda: store.purge(KEY),
    ):
        with pytest.raises(MachineError, match=r"the folder .*objects is gone; mount its disk"):
            use()
    (tmp_path / "elsewhere").rename(tmp_path / "objects")
    store.check()
    assert store.freeze(KEY) is not None


@pytest.mark.parametrize("trouble", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_cannot_be_written_fails_the_check_and_the_freeze(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: int
) -> None:
    store = open_store(tmp_path)
    store.put(KEY, [b"abc"])

    def refuse(*_: object, **__: object) -> None:
        raise OSError(trouble, os.strerror(trouble))

    monkeypatch.setattr(os, "link", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    uses: list[Callable[[], object]] = [store.check, lambda: store.freeze(KEY)]
    for use in uses:
        with pytest.raises(MachineError, match=f"{os.strerror(trouble)}; check the disk"):
            use()
    assert files(tmp_path) == ["objects/p123/a.zip", "upload-url-key.json"]


def test_an_upload_cut_off_by_a_disk_that_became_read_only_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "fsync", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(MachineError, match="Read-only file system"):
        store.put(KEY, [b"abc"])
