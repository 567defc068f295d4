"""Temporary files of a worker's child processes, which go even where nobody was left to remove them."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

__all__ = ["worker_folder"]

PREFIX = "voicegauge-worker-"
LOCK = "lock"


@contextlib.contextmanager
def worker_folder(parent: Path | None = None) -> Iterator[Path]:
    """Make a folder for a worker's temporary files, removed at the end; those of dead workers are removed first.

    A worker holds a lock in its folder while it lives, and the kernel drops the lock of a process that died.
    """
    parent = parent or Path(tempfile.gettempdir())
    remove_dead(parent)
    # Under another name until its lock is held, or it would be taken for that of a dead worker.
    folder = Path(tempfile.mkdtemp(prefix=".voicegauge-", dir=parent))
    with (folder / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = folder.rename(parent / (PREFIX + folder.name.removeprefix(".voicegauge-")))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_dead(parent: Path) -> None:
    """Remove the folders whose worker lives no more."""
    for folder in parent.glob(PREFIX + "*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
