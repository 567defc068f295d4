"""What every answer of the service has in common: a request id, and the vendor's form for whatever went wrong."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicegauge.errors import MachineError
from voicegauge.metastudio.wire import (
    InternalError,
    MalformedRequestError,
    NoSuchApiError,
    UnavailableError,
    WireError,
)

__all__ = ["install_envelope"]

REQUEST_ID_HEADER = b"x-request-id"

log = logging.getLogger(__name__)


def install_envelope(app: FastAPI, machine_error: Callable[[Exception], MachineError | None]) -> None:
    """Give an application the request ids, the errors, and no redirects: no SDK follows one.

    `machine_error` says what is wrong with the machine where that is what an error is about, and None where it is not.
    """
    app.router.redirect_slashes = False
    app.add_exception_handler(WireError, _render_wire_error)
    app.add_exception_handler(HTTPException, _render_http_error)
    app.add_middleware(RequestIds, machine_error=machine_error)


class RequestIds:
    """Names every request, in the header X-Request-Id of its answer and in the log of what failed."""

    def __init__(self, app: ASGIApp, machine_error: Callable[[Exception], MachineError | None]) -> None:
        self.app = app
        self._machine_error = machine_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Whoever watches the requests may have named this one.
        request_id = scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(16))
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), (REQUEST_ID_HEADER, request_id.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        except ClientDisconnect:
            log.info("request %s: the client went away", request_id)
        except Exception as error:
            answer = self._answer(error, scope, request_id)
            if started:
                raise
            await _rendered(answer, request_id)(scope, receive, send_with_id)

    def _answer(self, error: Exception, scope: Scope, request_id: str) -> WireError:
        trouble = self._machine_error(error)
        if trouble is None:
            log.exception("request %s: %s %s failed", request_id, scope["method"], scope["path"])
            return InternalError(f"internal error; the server's log has it under request {request_id}")
        log.error("request %s: %s %s: %s", request_id, scope["method"], scope["path"], trouble)
        return UnavailableError(
            f"the service cannot do this now; try again later. The server's log says why under request {request_id}"
        )


async def _render_wire_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, WireError)  # noqa: S101 - the handler is registered for nothing else
    return _rendered(error, request.state.request_id)


async def _render_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - the handler is registered for nothing else
    if error.status_code in (404, 405):
        path = request.url.path
        message = f"The API does not exist: {request.method} {path}; check the method, the path and its end"
        return _rendered(NoSuchApiError(message), request.state.request_id)
    return _rendered(MalformedRequestError(str(error.detail) or "malformed request"), request.state.request_id)


def _rendered(error: WireError, request_id: str) -> Response:
    return JSONResponse(error.body(request_id), error.http_status)
