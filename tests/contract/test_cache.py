"""Downloads shared by the processes of one machine."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from io import BufferedRandom
from pathlib import Path

import pytest

from voicegauge.errors import MachineError
from voicegauge.storage import cache as cache_module
from voicegauge.storage.cache import FileCache

CONTENT = b"0123456789"

Download = Callable[[BufferedRandom, float], None]


def fill(file: BufferedRandom, _deadline_s: float) -> None:
    file.write(CONTENT[file.tell() :])


def fill_and_note(log: Path, file: BufferedRandom, _deadline_s: float) -> None:
    with log.open("a") as lines:
        lines.write(f"{file.tell()}\n")
    fill(file, _deadline_s)


def refuse(_file: BufferedRandom, _deadline_s: float) -> None:
    raise AssertionError("downloaded although it was there")


def read(cache: FileCache, name: str, download: Download = fill) -> bytes:
    with cache.hold(name, len(CONTENT), download) as path:
        return path.read_bytes()


def names(cache: FileCache) -> list[str]:
    return sorted(path.stem for path in cache.folder.glob("*.zip"))


@pytest.fixture
def cache(tmp_path: Path) -> FileCache:
    return FileCache(tmp_path / "cache", max_bytes=25)


def test_what_is_there_is_not_downloaded_again(cache: FileCache) -> None:
    assert read(cache, "a") == CONTENT
    assert read(cache, "a", refuse) == CONTENT


def test_threads_wait_for_one_download(cache: FileCache, tmp_path: Path) -> None:
    log, together = tmp_path / "log", threading.Barrier(6)

    def use(_: int) -> bytes:
        together.wait()
        return read(cache, "a", partial(fill_and_note, log))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(use, range(6))) == [CONTENT] * 6
    assert log.read_text() == "0\n"


def test_processes_wait_for_one_download(cache: FileCache, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        uses = [pool.submit(read, cache, "a", partial(fill_and_note, log)) for _ in range(9)]
        assert [use.result() for use in uses] == [CONTENT] * 9
    assert log.read_text() == "0\n"


def test_the_next_goes_on_where_a_killed_process_was(cache: FileCache, tmp_path: Path) -> None:
    program = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "from voicegauge.storage.cache import FileCache\n"
        "def stall(file, deadline_s):\n"
        f"    file.write({CONTENT[:4]!r}); file.flush(); print('half', flush=True); threading.Event().wait()\n"
        f"with FileCache(Path(sys.argv[1]), 25).hold('a', {len(CONTENT)}, stall): pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(cache.folder)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        assert names(cache) == []
        process.send_signal(signal.SIGKILL)
    log = tmp_path / "log"
    assert read(cache, "a", partial(fill_and_note, log)) == CONTENT
    assert log.read_text() == "4\n"
    assert list(cache.folder.glob("*.partial")) == []


def test_what_was_not_read_for_longest_makes_room(cache: FileCache) -> None:
    for age_s, name in ((30, "a"), (20, "b")):
        read(cache, name)
        _age(cache, name, age_s)
    read(cache, "a", refuse)
    read(cache, "c")
    assert names(cache) == ["a", "c"]
    assert {path.name.partition(".")[0] for path in cache.folder.iterdir()} == {"a", "c", "room"}


def test_what_is_in_use_is_not_removed(cache: FileCache) -> None:
    with cache.hold("a", len(CONTENT), fill) as path:
        _age(cache, "a", 30)
        for name in ("b", "c", "d"):
            read(cache, name)
        assert path.read_bytes() == CONTENT
    assert names(cache) == ["a", "d"]


def test_a_cache_full_of_what_is_in_use_is_told(cache: FileCache) -> None:
    with (
        cache.hold("a", len(CONTENT), fill),
        cache.hold("b", len(CONTENT), fill),
        pytest.raises(MachineError, match="no room for an upload of 10 bytes: 20 of 25 bytes are in use"),
    ):
        read(cache, "c")
    assert read(cache, "c") == CONTENT


def test_what_is_being_downloaded_counts_in_full(cache: FileCache) -> None:
    def fill_while_others_come(file: BufferedRandom, deadline_s: float) -> None:
        read(cache, "b")
        with pytest.raises(MachineError, match="no room"), cache.hold("c", 16, fill):
            pass
        fill(file, deadline_s)

    assert read(cache, "a", fill_while_others_come) == CONTENT


def test_what_nobody_read_for_an_hour_goes_with_the_next_download(cache: FileCache) -> None:
    read(cache, "a")
    _age(cache, "a", cache_module.IDLE_S + 1)
    read(cache, "b")
    assert names(cache) == ["b"]


def test_the_number_of_files_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_FILES", 3)
    cache = FileCache(tmp_path, max_bytes=10**6)
    for age_s, name in ((40, "a"), (30, "b"), (20, "c"), (10, "d")):
        read(cache, name)
        _age(cache, name, age_s)
    assert names(cache) == ["b", "c", "d"]


def test_waiting_for_another_download_ends(cache: FileCache) -> None:
    impatient = FileCache(cache.folder, cache.max_bytes, patience_s=0)

    def meet(file: BufferedRandom, deadline_s: float) -> None:
        with pytest.raises(MachineError, match="another process is still busy"):
            read(impatient, "a")
        fill(file, deadline_s)

    assert read(cache, "a", meet) == CONTENT


def test_a_full_disk_is_told_and_given_back(cache: FileCache) -> None:
    def run_full(file: BufferedRandom, _deadline_s: float) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(MachineError, match=r"cannot keep uploads in .*No space left on device; check the disk"):
        read(cache, "a", run_full)
    assert list(cache.folder.glob("a.*")) == [cache.folder / "a.lock"]
    assert read(cache, "a") == CONTENT


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError, match="cannot keep uploads"):
        read(FileCache(tmp_path / "file", max_bytes=25), "a")


def test_a_file_cut_short_is_downloaded_again(cache: FileCache) -> None:
    read(cache, "a")
    (cache.folder / "a.zip").write_bytes(b"0")
    assert read(cache, "a") == CONTENT


def test_what_goes_wrong_inside_the_with_is_not_the_caches(cache: FileCache) -> None:
    with pytest.raises(FileNotFoundError), cache.hold("a", len(CONTENT), fill):
        raise FileNotFoundError


def _age(cache: FileCache, name: str, age_s: float) -> None:
    for path in cache.folder.glob(f"{name}.*"):
        used_s = path.stat().st_mtime - age_s
        os.utime(path, (used_s, used_s))
