"""From an ASGI request to the caller who signed it or sent a token with it."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from voicegauge.identity.errors import AuthenticationError
from voicegauge.identity.gate import Caller, Gate
from voicegauge.identity.signature import HttpRequest
from voicegauge.metastudio.wire import RequestTooLargeError, authentication_error

__all__ = ["BODY_MAX_BYTES", "Received", "authenticate", "receive"]

BODY_MAX_BYTES = 1024 * 1024


async def receive(request: Request) -> HttpRequest:
    """Read a request whole, as it came: the signature covers its raw bytes."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise RequestTooLargeError(f"the request body is larger than {BODY_MAX_BYTES} bytes")
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode(errors="replace")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return HttpRequest(
        method=request.method,
        path=request.scope["raw_path"].partition(b"?")[0].decode("latin-1"),
        query=request.scope["query_string"].decode("latin-1"),
        headers=headers,
        body=bytes(body),
    )


Received = Annotated[HttpRequest, Depends(receive)]


async def authenticate(gate: Gate, received: HttpRequest) -> Caller:
    """Return whose request it is; raises the wire error that says why nobody's."""
    try:
        # A thread costs more than the rest of it, and only the database needs one.
        caller = gate.authenticate_at_once(received)
        return await run_in_threadpool(gate.authenticate, received) if caller is None else caller
    except AuthenticationError as error:
        raise authentication_error(error) from error
