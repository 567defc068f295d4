"""Uploads in a bucket of S3, OBS, MinIO or the like; needs the extra `cluster`."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from voicegauge.errors import MachineError
from voicegauge.storage.cache import FileCache
from voicegauge.storage.errors import ObjectNotFoundError, ObjectTooLargeError
from voicegauge.storage.objects import (
    CONTENT_TYPE,
    ObjectStat,
    StoredObject,
    check_key,
    frozen_from,
    frozen_key,
)
from voicegauge.storage.s3_client import COPYING, PROBING, bucket_errors, error_code, open_client
from voicegauge.storage.s3_put import put_object

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from voicegauge.storage.location import BucketLocation

__all__ = ["BucketObjects"]

# What a bucket takes by one PUT and copies by one request.
LARGEST_BYTES = 5 * 1024**3
BLOCK_BYTES = 1024 * 1024
FREEZE_ATTEMPTS = 5

MISSING_CODES = {"404", "NoSuchKey"}
CHANGED_CODES = {"412", "PreconditionFailed"}


@dataclass(frozen=True)
class _Head:
    size_bytes: int
    modified_s: float
    etag: str
    etag_is_md5: bool


@dataclass(frozen=True)
class BucketObjects:
    """Objects in a bucket; implements :class:`voicegauge.storage.objects.ObjectStore`. Picklable, safe for threads.

    Attributes
    ----------
    location : BucketLocation
        Access keys come from where boto3 looks for them: the environment, its files, the machine's role.
    max_object_bytes : int
    cache : FileCache
        Where `local_path` keeps what it downloads.
    """

    location: BucketLocation
    max_object_bytes: int
    cache: FileCache

    def put(self, key: str, chunks: Iterable[bytes], *, content_md5: str | None = None) -> StoredObject:
        with bucket_errors(self.location, "store an upload in"):
            return put_object(
                self._client,
                self.location.bucket,
                self._name(key),
                chunks,
                content_md5=content_md5,
                max_bytes=self.max_object_bytes,
            )

    def stat(self, key: str) -> ObjectStat | None:
        head = self._head(key)
        return None if head is None else ObjectStat(head.size_bytes, head.modified_s)

    def freeze(self, key: str) -> str | None:
        # A copy and not a version of the object: it works in every bucket, and a delete of it is a delete.
        for _ in range(FREEZE_ATTEMPTS):
            head = self._head(key)
            if head is None:
                return None
            most_bytes = min(self.max_object_bytes, LARGEST_BYTES)
            if head.size_bytes > most_bytes:
                raise ObjectTooLargeError(
                    f"the upload has {head.size_bytes} bytes, and {most_bytes} are the most; split the recordings"
                )
            frozen = frozen_key(key)
            if self._copy(key, head.etag, frozen):
                return frozen
        raise MachineError(f"the upload {key!r} changes all the time; commit it when its upload has ended")

    def _copy(self, key: str, etag: str, target: str) -> bool:
        """Copy an object as it was seen; False where it is another or gone by now."""
        bucket = self.location.bucket
        with bucket_errors(self.location, "keep an upload in"):
            try:
                open_client(self.location, COPYING).copy_object(
                    Bucket=bucket,
                    Key=self._name(target),
                    CopySource={"Bucket": bucket, "Key": self._name(key)},
                    CopySourceIfMatch=etag,
                )
            except ClientError as error:
                if error_code(error) in MISSING_CODES | CHANGED_CODES:
                    return False
                raise
        return True

    @contextlib.contextmanager
    def local_path(self, key: str) -> Iterator[Path]:
        head = self._head(key)
        if head is None:
            raise ObjectNotFoundError(f"there is no object {key!r}")
        place = f"{self.location.endpoint}\n{self.location.bucket}\n{self._name(key)}\n{head.etag}"
        name = hashlib.sha256(place.encode()).hexdigest()

        def download(file: BufferedRandom, deadline_s: float) -> None:
            self._download(key, head, file, deadline_s)

        with self.cache.hold(name, head.size_bytes, download) as path:
            yield path

    def delete(self, key: str) -> None:
        with bucket_errors(self.location, "delete an upload in"):
            self._client.delete_object(Bucket=self.location.bucket, Key=self._name(key))

    def purge(self, key: str) -> None:
        upload = self._name(frozen_from(key))
        with bucket_errors(self.location, "delete an upload in"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.location.bucket, Prefix=f"{upload.removesuffix('.zip')}."
            )
            for page in pages:
                for found in page.get("Contents", []):
                    if frozen_from(found["Key"]) == upload:
                        self._client.delete_object(Bucket=self.location.bucket, Key=found["Key"])

    def signed_put_url(self, key: str, *, expires_s: int, base_url: str) -> str:
        with bucket_errors(self.location, "sign for"):
            return open_client(self.location, public=True).generate_presigned_url(
                "put_object",
                Params={"Bucket": self.location.bucket, "Key": self._name(key), "ContentType": CONTENT_TYPE},
                ExpiresIn=expires_s,
            )

    def check(self) -> None:
        with bucket_errors(self.location, "use"):
            open_client(self.location, PROBING).head_bucket(Bucket=self.location.bucket)

    @property
    def _client(self) -> S3Client:
        return open_client(self.location)

    def _name(self, key: str) -> str:
        check_key(key)
        return self.location.prefix + key

    def _head(self, key: str) -> _Head | None:
        name = self._name(key)
        with bucket_errors(self.location, "look into"):
            try:
                found = self._client.head_object(Bucket=self.location.bucket, Key=name)
            except ClientError as error:
                if error_code(error) not in MISSING_CODES:
                    raise
                # The answer is the same where the whole bucket is missing.
                self._client.head_bucket(Bucket=self.location.bucket)
                return None
        etag = found["ETag"]
        keyed = found.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in found
        return _Head(
            found["ContentLength"], found["LastModified"].timestamp(), etag, not keyed and len(etag.strip('"')) == 32
        )

    def _download(self, key: str, head: _Head, file: BufferedRandom, deadline_s: float) -> None:
        """Bring a file to the whole object, from where it ends."""
        if file.tell() < head.size_bytes:
            self._append(key, head, file, deadline_s)
        if head.etag_is_md5:
            right, seen = head.etag.strip('"'), _md5_hex(file)
            if seen == right:
                return
            file.seek(0)
            file.truncate()
            self._append(key, head, file, deadline_s)
            # A server's ETag may be something else after all: then the same bytes come twice.
            if _md5_hex(file) not in (right, seen):
                file.truncate(0)
                raise MachineError(f"{key!r} arrives damaged from the {self.location}; check the network")

    def _append(self, key: str, head: _Head, file: BufferedRandom, deadline_s: float) -> None:
        start = file.tell()
        with bucket_errors(self.location, "read an upload from"):
            try:
                answer = self._client.get_object(
                    Bucket=self.location.bucket, Key=self._name(key), IfMatch=head.etag, Range=f"bytes={start}-"
                )
            except ClientError as error:
                if error_code(error) not in MISSING_CODES | CHANGED_CODES:
                    raise
                raise MachineError(f"the object {key!r} changed while it was read; try again") from error
            with contextlib.closing(answer["Body"]) as body:
                if not answer.get("ContentRange", "").startswith(f"bytes {start}-"):
                    file.seek(0)
                    file.truncate()
                for block in body.iter_chunks(BLOCK_BYTES):
                    file.write(block)
                    if time.monotonic() > deadline_s:
                        break
        if file.tell() < head.size_bytes:
            raise MachineError(
                f"the {self.location} has given {file.tell()} of {head.size_bytes} bytes of {key!r} in time; "
                "trying again goes on from there"
            )


def _md5_hex(file: BufferedRandom) -> str:
    file.seek(0)
    return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
