"""Uploads in a folder on the local disk, safe for production: stored whole or not at all, and on the platter before
anyone is told.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from voicegauge.errors import MachineError
from voicegauge.storage import obs_signature
from voicegauge.storage.errors import (
    BadDigestError,
    ObjectNotFoundError,
    ObjectTooLargeError,
)
from voicegauge.storage.objects import (
    CONTENT_TYPE,
    ObjectStat,
    StoredObject,
    check_key,
    decode_md5,
    frozen_from,
    frozen_key,
)

__all__ = ["BUCKET", "DiskObjects", "DiskWriter", "UrlKey"]

BUCKET = "voicegauge-uploads"
PROBE_BYTES = 4096

PARTIAL_SUFFIX = ".partial"
URL_KEY_FILE = "upload-url-key.json"


@dataclass(frozen=True)
class UrlKey:
    """The key that signs upload URLs; no text form of this object shows the secret."""

    access_key: str
    secret_key: str = field(repr=False)


class DiskObjects:
    """Objects as files under one folder; implements :class:`voicegauge.storage.objects.ObjectStore`.

    Several processes may share the folder. The key that signs upload URLs lies in it with mode 0600 and is made on
    first use.

    Parameters
    ----------
    folder : Path
        Made when missing.
    max_object_bytes : int
    now_s : callable
        The current Unix time in seconds.
    """

    def __init__(self, folder: Path, *, max_object_bytes: int, now_s: Callable[[], float]) -> None:
        self._objects = folder / "objects"
        self.max_object_bytes = max_object_bytes
        self.now_s = now_s
        with _machine_errors(folder):
            self._objects.mkdir(parents=True, exist_ok=True)
            self.url_key = _load_or_make_url_key(folder / URL_KEY_FILE)

    def put(self, key: str, chunks: Iterable[bytes], *, content_md5: str | None = None) -> StoredObject:
        with self.writer(key, content_md5=content_md5) as writer:
            for chunk in chunks:
                writer.write(chunk)
            return writer.finish()

    def writer(self, key: str, *, content_md5: str | None = None) -> DiskWriter:
        """Open an object for writing in pieces; see :class:`DiskWriter`."""
        expected_md5 = None if content_md5 is None else decode_md5(content_md5)
        return DiskWriter(self._path(key), self._objects, self.max_object_bytes, expected_md5)

    def stat(self, key: str) -> ObjectStat | None:
        path = self._path(key)
        with _machine_errors(path, "read"):
            try:
                status = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                self._require_folder()
                return None
        return ObjectStat(status.st_size, status.st_mtime)

    def freeze(self, key: str) -> str | None:
        path = self._path(key)
        with _machine_errors(path):
            while True:
                frozen = frozen_key(key)
                try:
                    os.link(path, self._path(frozen))
                except FileExistsError:
                    continue
                except (FileNotFoundError, NotADirectoryError):
                    self._require_folder()
                    return None
                _sync_folder(path.parent)
                return frozen

    @contextlib.contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        if self.stat(key) is None:
            raise ObjectNotFoundError(f"there is no object {key!r}")
        yield self._path(key)

    def delete(self, key: str) -> None:
        path = self._path(key)
        self._require_folder()
        with _machine_errors(path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()

    def purge(self, key: str) -> None:
        upload = self._path(frozen_from(key))
        self._require_folder()
        with _machine_errors(upload):
            for path in upload.parent.glob(f"{upload.name.removesuffix('.zip')}.*"):
                if frozen_from(path.name) == upload.name:
                    path.unlink(missing_ok=True)

    def check(self) -> None:
        self._require_folder()
        probe = self._objects / f".{secrets.token_hex(8)}{PARTIAL_SUFFIX}"
        with _machine_errors(self._objects):
            try:
                probe.write_bytes(bytes(PROBE_BYTES))
            finally:
                probe.unlink(missing_ok=True)

    def signed_put_url(self, key: str, *, expires_s: int, base_url: str) -> str:
        check_key(key)
        return obs_signature.signed_url(
            "PUT",
            base_url=base_url,
            bucket=BUCKET,
            key=key,
            expires_s=int(self.now_s()) + expires_s,
            content_type=CONTENT_TYPE,
            access_key=self.url_key.access_key,
            secret_key=self.url_key.secret_key,
        )

    def remove_leftovers(self) -> int:
        """Remove what uploads left behind that a power cut or kill ended; returns how many.

        Only for the one process that takes uploads, before it takes the first: it would end uploads in progress.
        """
        leftovers = self.partial_files()
        for path in leftovers:
            path.unlink(missing_ok=True)
        return len(leftovers)

    def partial_files(self) -> list[Path]:
        """Return the hidden files of uploads in progress, and of those that were cut off."""
        return [path for path in self._objects.rglob(f"*{PARTIAL_SUFFIX}") if path.name.startswith(".")]

    def _path(self, key: str) -> Path:
        check_key(key)
        return self._objects / key

    def _require_folder(self) -> None:
        _require_folder(self._objects)


class DiskWriter:
    """One object on its way to the disk, in a hidden file beside its place until :meth:`finish`.

    Use it in a `with`: leaving it without `finish` removes every trace, and what was there before stays.
    """

    def __init__(self, path: Path, root: Path, max_bytes: int, expected_md5: bytes | None) -> None:
        self._path = path
        self._root = root
        self._max_bytes = max_bytes
        self._expected_md5 = expected_md5
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size_bytes = 0
        self._partial = path.with_name(f".{path.name[:64]}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        # Never made anew: a disk that is not mounted would be written to from below.
        _require_folder(root)
        with _machine_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("xb", buffering=0)

    def write(self, chunk: bytes | bytearray) -> None:
        """Append bytes; raises ObjectTooLargeError, or MachineError where the disk is full."""
        self._size_bytes += len(chunk)
        if self._size_bytes > self._max_bytes:
            raise ObjectTooLargeError(
                f"the object is larger than {self._max_bytes} bytes, which is what this server takes"
            )
        self._md5.update(chunk)
        rest = memoryview(chunk)
        with _machine_errors(self._path):
            while rest:
                rest = rest[self._file.write(rest) :]

    def sync(self) -> None:
        """Bring the bytes to the platter, not yet to their place; raises BadDigestError where they are others.

        What takes long is done when this returns: a last check may stand between it and :meth:`finish`.
        """
        if self._expected_md5 is not None and self._md5.digest() != self._expected_md5:
            raise BadDigestError("the bytes that arrived do not have the MD5 in Content-MD5; upload again")
        with _machine_errors(self._path):
            os.fsync(self._file.fileno())

    def finish(self) -> StoredObject:
        """Put the object in its place, where it survives a power cut; raises as :meth:`sync` does."""
        self.sync()
        with _machine_errors(self._path):
            self._file.close()
            self._partial.replace(self._path)
            folder = self._path.parent
            while folder.is_relative_to(self._root):
                _sync_folder(folder)
                folder = folder.parent
        return StoredObject(self._size_bytes, self._md5.hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        # A disk that has become read-only was told before; its leftover goes with the next start.
        with contextlib.suppress(OSError):
            self._partial.unlink(missing_ok=True)


def _load_or_make_url_key(path: Path) -> UrlKey:
    if not path.exists():
        fresh = {
            "access_key": "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(20)),
            "secret_key": secrets.token_hex(20),
        }
        partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}{PARTIAL_SUFFIX}")
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(fresh, file)
            file.flush()
            os.fsync(file.fileno())
        # Of several processes that start at once, one links first; the others read its key.
        with contextlib.suppress(FileExistsError):
            os.link(partial, path)
        partial.unlink()
        _sync_folder(path.parent)
    try:
        return UrlKey(**json.loads(path.read_text()))
    except (ValueError, TypeError):
        raise MachineError(
            f"{path} is damaged; remove it and start again (upload links handed out before will end)"
        ) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _require_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise MachineError(
            f"the folder {folder} is gone; mount its disk or put it back, and start again where it is lost"
        )


@contextlib.contextmanager
def _machine_errors(path: Path, doing: str = "write") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"cannot {doing} {path}: {error.strerror}; check the disk's space and permissions"
        ) from error
