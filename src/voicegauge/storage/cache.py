"""Copies of objects on the local disk, shared by the processes of one machine.

For each object there are three files: NAME.lock, which who downloads or removes locks for itself and who reads locks
with others; NAME.SIZE.partial while it is downloaded; and NAME.zip. The kernel lets go of the locks of a dead process,
and what it had downloaded is where the next one goes on. Everything may be deleted while nothing runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from voicegauge.errors import MachineError

__all__ = ["FileCache"]

PARTIAL_SUFFIX = ".partial"
LOCK_SUFFIX = ".lock"
ROOM_LOCK = "room"

# So many that eviction, which looks at each, stays quick.
MAX_FILES = 256
# A job reads its upload several times within minutes; what nobody reads should not lie around.
IDLE_S = 3600.0
POLL_S = 0.05


@dataclass(frozen=True)
class FileCache:
    """A folder of files that are downloaded once and removed when others need the room.

    Attributes
    ----------
    folder : Path
        On a local disk; made when missing.
    max_bytes : int
        What the files may take together.
    patience_s : float
        How long one call of :meth:`hold` may download, or wait for who does.
    """

    folder: Path
    max_bytes: int
    patience_s: float = 30.0

    @contextlib.contextmanager
    def hold(self, name: str, size_bytes: int, download: Callable[[BufferedRandom, float], None]) -> Iterator[Path]:
        """Give a file that nobody removes inside the `with`.

        Parameters
        ----------
        name : str
            Stands for these bytes and no others.
        size_bytes : int
        download : callable
            Told an open file at its end, which may hold the first part already, and the `time.monotonic()` until which
            it may take; brings the file to `size_bytes` or raises.

        Raises
        ------
        MachineError
            There is no room, the disk cannot be written, or the time is over; what was downloaded is kept.
        Exception
            What `download` raised.
        """
        deadline_s = time.monotonic() + self.patience_s
        path = self.folder / f"{name}.zip"
        with self._machine_errors():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            with self._locked(name, fcntl.LOCK_SH, deadline_s):
                if self._is_whole(path, size_bytes):
                    yield path
                    return
            with self._locked(name, fcntl.LOCK_EX, deadline_s):
                if not self._is_whole(path, size_bytes):
                    self._download(path, size_bytes, download, deadline_s)

    def _is_whole(self, path: Path, size_bytes: int) -> bool:
        with self._machine_errors():
            try:
                if path.stat().st_size != size_bytes:
                    return False
                os.utime(path)
            except FileNotFoundError:
                return False
        return True

    def _download(
        self, path: Path, size_bytes: int, download: Callable[[BufferedRandom, float], None], deadline_s: float
    ) -> None:
        partial = path.with_suffix(f".{size_bytes}{PARTIAL_SUFFIX}")
        with self._machine_errors():
            with self._locked(ROOM_LOCK, fcntl.LOCK_EX, deadline_s):
                self._make_room(size_bytes, path.stem)
                partial.touch(mode=0o600)
            try:
                with partial.open("r+b") as file:
                    file.seek(0, os.SEEK_END)
                    download(file, deadline_s)
                    file.flush()
                    # Before the name says that it is whole: a power cut must not leave zeros under it.
                    os.fsync(file.fileno())
                partial.replace(path)
            except OSError:
                partial.unlink(missing_ok=True)
                raise

    def _make_room(self, size_bytes: int, name: str) -> None:
        """Remove what was not read for longest and is not in use; raises MachineError where that is not enough."""
        held = sorted(entry for entry in self._held() if entry[1] != name)
        count, held_bytes = len(held), sum(entry_bytes for _, _, entry_bytes in held)
        idle_since_s = time.time() - IDLE_S
        for used_s, other, other_bytes in held:
            full = held_bytes + size_bytes > self.max_bytes or count >= MAX_FILES
            if (full or used_s < idle_since_s) and self._remove(other):
                held_bytes -= other_bytes
                count -= 1
        if held_bytes + size_bytes > self.max_bytes:
            raise MachineError(
                f"the cache {self.folder} has no room for an upload of {size_bytes} bytes: {held_bytes} of "
                f"{self.max_bytes} bytes are in use; give it more, or let fewer processes work at a time"
            )

    def _held(self) -> list[tuple[float, str, int]]:
        """List when each name was last read, the name, and the bytes that it takes or is about to take."""
        used_s: dict[str, float] = defaultdict(float)
        size_bytes: dict[str, int] = defaultdict(int)
        for path in self.folder.iterdir():
            name = path.name.partition(".")[0]
            if name == ROOM_LOCK:
                continue
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                used_s[name] = max(used_s[name], status.st_mtime)
                if path.suffix == PARTIAL_SUFFIX:
                    size_bytes[name] += int(path.suffixes[-2][1:])
                elif path.suffix != LOCK_SUFFIX:
                    size_bytes[name] += status.st_size
        return [(used_s[name], name, size_bytes[name]) for name in used_s]

    def _remove(self, name: str) -> bool:
        """Remove the files of a name; False where they are in use."""
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self._locked(name, fcntl.LOCK_EX, deadline_s=0))
            except MachineError:
                return False
            for path in self.folder.glob(f"{name}.*"):
                path.unlink(missing_ok=True)
        return True

    @contextlib.contextmanager
    def _locked(self, name: str, kind: int, deadline_s: float) -> Iterator[None]:
        descriptor = self._lock(self.folder / f"{name}{LOCK_SUFFIX}", kind, deadline_s)
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(self, path: Path, kind: int, deadline_s: float) -> int:
        with self._machine_errors():
            while True:
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
                    # Who removed the file in between left us with the lock of a name that nobody else looks at.
                    if os.path.samestat(os.fstat(descriptor), path.stat()):
                        return descriptor
                except FileNotFoundError:
                    pass
                except BlockingIOError:
                    if time.monotonic() >= deadline_s:
                        os.close(descriptor)
                        raise MachineError(
                            f"another process is still busy with {path.with_suffix('')}; try again"
                        ) from None
                    time.sleep(POLL_S)
                except BaseException:
                    os.close(descriptor)
                    raise
                os.close(descriptor)

    @contextlib.contextmanager
    def _machine_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MachineError(
                f"cannot keep uploads in {self.folder}: {error.strerror}; check the disk's space and permissions"
            ) from error
