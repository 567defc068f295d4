"""The port to where uploads lie. Every adapter passes tests/contract/test_objects.py."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voicegauge.storage.errors import InvalidDigestError, InvalidKeyError

__all__ = [
    "CONTENT_TYPE",
    "ObjectStat",
    "ObjectStore",
    "StoredObject",
    "check_key",
    "decode_md5",
    "frozen_from",
    "frozen_key",
]

CONTENT_TYPE = "application/zip"

KEY_MAX_CHARS = 512

_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FROZEN = re.compile(r"(.+)\.[0-9a-f]{8}\.zip")


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
        """Tell whether an object is there, and its size; None where it is not. Raises MachineError."""
        ...

    def freeze(self, key: str) -> str | None:
        """Keep the object as it is now under a new key beside it, and return that key; None where there is no object.

        No URL was ever signed for the new key, so neither an upload still running nor a later one changes what lies
        there. The object stays under its first key as well. Each call makes a key of its own: of callers that freeze
        at the same time all succeed, and each deletes the key that it does not come to record. What a caller left
        that died in between, `purge` finds.

        Raises
        ------
        ObjectTooLargeError
            The object is larger than the store takes: a bucket learns that only now.
        MachineError
        """
        ...

    def local_path(self, key: str) -> AbstractContextManager[Path]:
        """Give a file to read the object from, valid inside the `with`; safe for threads.

        Raises
        ------
        ObjectNotFoundError
            There is none, and the store is sure of it.
        MachineError
            The store cannot be asked, or has not given all of a large object yet: trying again goes on from there.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is not there is no error. Raises MachineError."""
        ...

    def purge(self, key: str) -> None:
        """Remove an upload and every copy frozen from it; `key` is that of any of them. Raises MachineError."""
        ...

    def signed_put_url(self, key: str, *, expires_s: int, base_url: str) -> str:
        """Make an address that takes one zip by PUT, with `Content-Type: application/zip`, for `expires_s` seconds.

        `base_url` is where the client reached the service; a store with an address of its own ignores it.
        """
        ...

    def check(self) -> None:
        """Raise MachineError where the store cannot be used now: what is wrong, where, and what to do."""
        ...


def check_key(key: str) -> None:
    """Raise InvalidKeyError unless the key may name an object."""
    if len(key) > KEY_MAX_CHARS or not all(_SEGMENT.fullmatch(segment) for segment in key.split("/")):
        raise InvalidKeyError(
            f"object key {key[:80]!r} is not allowed: segments of letters, digits, '.', '_' and '-', each beginning "
            f"with a letter or digit, '/' between them, {KEY_MAX_CHARS} characters at most"
        )


def frozen_key(key: str) -> str:
    """Make a new key for a frozen copy: `project/job.zip` becomes `project/job.1a2b3c4d.zip`."""
    return f"{key.removesuffix('.zip')}.{secrets.token_hex(4)}.zip"


def frozen_from(key: str) -> str:
    """Return the key that a frozen copy was made from; a key that is none comes back as it is."""
    match = _FROZEN.fullmatch(key)
    return key if match is None else f"{match[1]}.zip"


def decode_md5(content_md5: str) -> bytes:
    """Return the 16 bytes of a Content-MD5 header; raises InvalidDigestError."""
    try:
        digest = base64.b64decode(content_md5, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != hashlib.md5(usedforsecurity=False).digest_size:
        raise InvalidDigestError("Content-MD5 must be the base64 of the 16 bytes of an MD5")
    return digest
