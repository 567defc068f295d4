"""A stream of unknown length into a bucket, whole or not at all."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from voicegauge.storage.errors import BadDigestError, ObjectTooLargeError
from voicegauge.storage.objects import CONTENT_TYPE, StoredObject, decode_md5

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

__all__ = ["put_object"]

PART_BYTES = 16 * 1024 * 1024


def put_object(
    client: S3Client, bucket: str, name: str, chunks: Iterable[bytes], *, content_md5: str | None, max_bytes: int
) -> StoredObject:
    """Store a stream, in one request where it fits into one part; as :meth:`ObjectStore.put` of the port."""
    stream = _Checked(chunks, content_md5, max_bytes)
    parts = stream.parts()
    first = next(parts)
    second = next(parts, None)
    if second is None:
        client.put_object(Bucket=bucket, Key=name, Body=first, ContentType=CONTENT_TYPE, ContentMD5=_md5_base64(first))
        return stream.stored()
    upload_id = client.create_multipart_upload(Bucket=bucket, Key=name, ContentType=CONTENT_TYPE)["UploadId"]
    try:
        sent: list[CompletedPartTypeDef] = []
        for part in _chained(first, second, parts):
            answer = client.upload_part(
                Bucket=bucket,
                Key=name,
                UploadId=upload_id,
                PartNumber=len(sent) + 1,
                Body=part,
                ContentMD5=_md5_base64(part),
            )
            sent.append({"ETag": answer["ETag"], "PartNumber": len(sent) + 1})
        client.complete_multipart_upload(Bucket=bucket, Key=name, UploadId=upload_id, MultipartUpload={"Parts": sent})
    except BaseException:
        # What stays of it where the bucket is away, a lifecycle rule for unfinished uploads removes.
        with contextlib.suppress(BotoCoreError, ClientError):
            client.abort_multipart_upload(Bucket=bucket, Key=name, UploadId=upload_id)
        raise
    return stream.stored()


class _Checked:
    """Cuts a stream into parts; the last of them comes only when size and MD5 are right."""

    def __init__(self, chunks: Iterable[bytes], content_md5: str | None, max_bytes: int) -> None:
        self._chunks = chunks
        self._expected_md5 = None if content_md5 is None else decode_md5(content_md5)
        self._max_bytes = max_bytes
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size_bytes = 0

    def parts(self) -> Iterator[bytes]:
        rest = bytearray()
        for chunk in self._chunks:
            self._size_bytes += len(chunk)
            if self._size_bytes > self._max_bytes:
                raise ObjectTooLargeError(
                    f"the object is larger than {self._max_bytes} bytes, which is what this server takes"
                )
            self._md5.update(chunk)
            rest += chunk
            while len(rest) > PART_BYTES:
                yield bytes(rest[:PART_BYTES])
                del rest[:PART_BYTES]
        if self._expected_md5 is not None and self._md5.digest() != self._expected_md5:
            raise BadDigestError("the bytes that arrived do not have the MD5 in Content-MD5; upload again")
        yield bytes(rest)

    def stored(self) -> StoredObject:
        return StoredObject(self._size_bytes, self._md5.hexdigest())


def _chained(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest


def _md5_base64(content: bytes) -> str:
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
