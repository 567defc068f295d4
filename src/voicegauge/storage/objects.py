"""The port to where uploads lie. Every adapter passes tests/contract/test_objects.py."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from voicegauge.storage.errors import InvalidKeyError

__all__ = ["ObjectStat", "ObjectStore", "StoredObject", "check_key", "frozen_key_of"]

KEY_MAX_CHARS = 512

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True)
class StoredObject:
    """What was just stored: its size and the MD5 of its bytes, 32 hex digits."""

    size_bytes: int
    md5_hex: str


@dataclass(frozen=True)
class ObjectStat:
    """An object that is there. `modified_s` is in Unix seconds."""

    size_bytes: int
    modified_s: float


class ObjectStore(Protocol):
    """Files under keys such as `project/job.zip`.

    A key has 1 to 512 characters: segments of letters, digits, `.`, `_` and `-`, each beginning with a letter or digit,
    with `/` between. Any other raises InvalidKeyError.
    """

    def put(self, key: str, chunks: Iterable[bytes], *, content_md5: str | None = None) -> StoredObject:
        """Store an object whole or not at all, replacing what was there.

        Parameters
        ----------
        key : str
        chunks : iterable of bytes
            Read one at a time; if it raises, nothing is stored.
        content_md5 : str, optional
            Base64 of the MD5 that the bytes must have: InvalidDigestError where it cannot be one, BadDigestError where
            they have another.

        Raises
        ------
        ObjectTooLargeError
            There are more bytes than the store takes.
        MachineError
            The disk is full, or the like.
        """
        ...

    def stat(self, key: str) -> ObjectStat | None:
        """Tell whether an object is there, and its size; None where it is not."""
        ...

    def freeze(self, key: str) -> str | None:
        """Give what lies under a key now a second key of its own, whole or not at all; None where nothing lies there.

        What is put under the first key later does not reach it. Each call makes another key; of two callers, the one
        that loses deletes the key it got.
        """
        ...

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """Give a file to read the object from, valid inside the `with`; raises ObjectNotFoundError."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error."""
        ...

    def signed_put_url(self, key: str, *, expires_s: int, base_url: str) -> str:
        """Make an address that takes one zip by PUT, with `Content-Type: application/zip`, for `expires_s` seconds.

        `base_url` is where the client reached the service; a store with an address of its own ignores it.
        """
        ...


def check_key(key: str) -> None:
    """Raise InvalidKeyError unless the key may name an object."""
    if len(key) > KEY_MAX_CHARS or not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise InvalidKeyError(
            f"object key {key[:80]!r} is not allowed: segments of letters, digits, '.', '_' and '-', each beginning "
            f"with a letter or digit, '/' between them, {KEY_MAX_CHARS} characters at most"
        )


def frozen_key_of(key: str) -> str:
    """Make a new key beside an upload's key: `project/job.zip` gives `project/job.1f0c52a9.zip`."""
    check_key(key)
    path = PurePosixPath(key)
    return str(path.with_name(f"{path.stem}.{secrets.token_hex(4)}{path.suffix}"))
