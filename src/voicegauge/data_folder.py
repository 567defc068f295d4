"""The folder where an embedded installation keeps everything, and the lock that gives it to one service."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from voicegauge.errors import MachineError

__all__ = ["make_data_folder", "service_lock"]

LOCK_FILE = "service.lock"


def make_data_folder(folder: Path) -> None:
    """Make the folder, for its owner alone, where it is missing; raises MachineError where it cannot be used."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise MachineError(f"cannot use the data folder {folder}: {error.strerror}; choose another --data") from error


@contextlib.contextmanager
def service_lock(folder: Path) -> Iterator[None]:
    """Keep every other service off a data folder, until the block or this process ends, in whatever way.

    Raises
    ------
    MachineError
        Another service holds the folder, or the lock file cannot be written.
    """
    path = folder / LOCK_FILE
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineError(f"cannot use the data folder {folder}: {error.strerror}; choose another --data") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            raise MachineError(
                f"another service{f' (process {holder})' if holder else ''} runs on the data folder {folder}; stop it,"
                " or choose another --data. More workers on one folder are started with `voicegauge worker`"
            ) from None
        except OSError as error:
            raise MachineError(
                f"the data folder {folder} cannot be locked: {error.strerror}; choose a --data on a local disk"
            ) from error
        # For the message above; a disk too full for it must not keep the service from starting.
        with contextlib.suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        yield
    finally:
        os.close(descriptor)
