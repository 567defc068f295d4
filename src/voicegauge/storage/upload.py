"""Takes uploads for the disk store over HTTP, answering as OBS does.

Everything that can be refused is refused before the body is read, so a client that sends `Expect: 100-continue` sends
nothing in vain.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from xml.sax.saxutils import escape

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from voicegauge.errors import MachineError
from voicegauge.storage import obs_signature
from voicegauge.storage.disk import BUCKET, DiskObjects
from voicegauge.storage.errors import BadDigestError, InvalidDigestError, ObjectTooLargeError
from voicegauge.storage.objects import CONTENT_TYPE, StoredObject

__all__ = ["upload_router"]

BLOCK_BYTES = 1024 * 1024
HOST_ID = "voicegauge"
METHODS = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]

log = logging.getLogger(__name__)


class ObsError(Exception):
    """A refusal, in OBS's words."""

    def __init__(self, http_status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.message = message


def upload_router(
    store: DiskObjects, may_write: Callable[[str], bool], on_ended: Callable[[str, int], None] = lambda *_: None
) -> APIRouter:
    """Make the route `PUT /voicegauge-uploads/{key}`.

    Parameters
    ----------
    store : DiskObjects
        Whose signed URLs are honoured.
    may_write : callable
        Told an object key, says whether it still takes an upload. Asked before the body is read and again before the
        object is put in its place; may block.
    on_ended : callable
        Told "stored" and the size in bytes, or OBS's word for why nothing was stored and 0.
    """
    router = APIRouter()

    async def upload(key: str, request: Request) -> Response:
        request_id = request.scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(16))
        try:
            stored = await _receive(store, may_write, key, request)
        except ObsError as refusal:
            on_ended(refusal.code, 0)
            return _render(refusal, request_id)
        except Exception:
            on_ended("InternalError", 0)
            raise
        on_ended("stored", stored.size_bytes)
        return Response(headers={"ETag": f'"{stored.md5_hex}"', "x-obs-request-id": request_id})

    router.add_api_route(f"/{BUCKET}/{{key:path}}", upload, methods=METHODS, include_in_schema=False)
    return router


async def _receive(store: DiskObjects, may_write: Callable[[str], bool], key: str, request: Request) -> StoredObject:
    if request.method != "PUT":
        raise ObsError(405, "MethodNotAllowed", "an upload URL takes PUT only")
    _check_signature(store, key, request.query_params, request.headers)
    length_bytes = _content_length(request.headers)
    if length_bytes > store.max_object_bytes:
        raise ObsError(400, "EntityTooLarge", f"at most {store.max_object_bytes} bytes are taken, not {length_bytes}")
    await run_in_threadpool(_check_open, may_write, key)
    try:
        writer = await run_in_threadpool(store.writer, key, content_md5=request.headers.get("content-md5"))
        with writer:
            block = bytearray()
            async for chunk in request.stream():
                block += chunk
                if len(block) >= BLOCK_BYTES:
                    await run_in_threadpool(writer.write, block)
                    block = bytearray()
            await run_in_threadpool(writer.write, block)
            await run_in_threadpool(writer.sync)
            await run_in_threadpool(_check_open, may_write, key)
            stored = await run_in_threadpool(writer.finish)
    except ObjectTooLargeError as error:
        raise ObsError(400, "EntityTooLarge", str(error)) from error
    except InvalidDigestError as error:
        raise ObsError(400, "InvalidDigest", str(error)) from error
    except BadDigestError as error:
        raise ObsError(400, "BadDigest", str(error)) from error
    except ClientDisconnect as error:
        raise ObsError(400, "IncompleteBody", "the connection ended before the whole body had arrived") from error
    except MachineError as error:
        log.exception("cannot store an upload")
        raise ObsError(503, "ServiceUnavailable", "the server cannot store uploads now; try again later") from error
    return stored


def _check_signature(store: DiskObjects, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> None:
    try:
        access_key, expires, signature = query["AccessKeyId"], query["Expires"], query["Signature"]
    except KeyError as error:
        raise ObsError(403, "AccessDenied", f"the URL has no {error.args[0]}: use it whole, in quotes") from error
    if access_key != store.url_key.access_key:
        raise ObsError(403, "InvalidAccessKeyId", "the AccessKeyId in the URL is not known here")
    if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
        raise ObsError(403, "AccessDenied", "Expires in the URL is not a time in Unix seconds")
    if int(expires) < store.now_s():
        raise ObsError(403, "AccessDenied", "the upload URL has expired; create a new job")
    # The URL cannot know the MD5 of what will come, so a Content-MD5 that was not signed is still welcome.
    texts = [
        obs_signature.string_to_sign(
            "PUT", bucket=BUCKET, key=key, expires_s=int(expires), headers=headers, content_md5=content_md5
        )
        for content_md5 in (headers.get("content-md5", ""), "")
    ]
    if not any(obs_signature.signature_matches(text, store.url_key.secret_key, signature) for text in texts):
        sent = headers.get("content-type")
        message = "the signature in the URL does not match this request"
        if sent != CONTENT_TYPE:
            what = "none" if sent is None else repr(sent)
            message += f": the upload needs the header 'Content-Type: {CONTENT_TYPE}', and this one has {what}"
        raise ObsError(403, "SignatureDoesNotMatch", message)


def _content_length(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length")
    if length is None:
        raise ObsError(411, "MissingContentLength", "the upload needs a Content-Length; chunked uploads are not taken")
    return int(length)


def _check_open(may_write: Callable[[str], bool], key: str) -> None:
    if not may_write(key):
        raise ObsError(403, "AccessDenied", "this object no longer takes an upload; create a new job")


def _render(refusal: ObsError, request_id: str) -> Response:
    body = (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        f"<Error><Code>{refusal.code}</Code><Message>{escape(refusal.message)}</Message>"
        f"<RequestId>{request_id}</RequestId><HostId>{HOST_ID}</HostId></Error>"
    )
    return Response(body, refusal.http_status, media_type="application/xml", headers={"x-obs-request-id": request_id})
