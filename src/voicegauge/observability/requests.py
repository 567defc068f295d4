"""Watches every request: its name, its line in the log, its figures and its span."""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voicegauge.context import current_fields, note, working_on
from voicegauge.observability.logs import ACCESS_LOGGER
from voicegauge.observability.metrics import Metrics

__all__ = ["CLIENT_LEFT", "RequestWatch"]

access_log = logging.getLogger(ACCESS_LOGGER)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"
# Asked every few seconds by machines; their lines would hide the others.
QUIET_ROUTES = frozenset({"/healthz", "/readyz", "/metrics"})

CLIENT_LEFT = 499
"""The status of a request whose client left before it was answered; nginx's number for it."""

# What a caller wrote into the path is shown only where it can be one of our ids.
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ID_NAMES = ("project_id", "job_id")


class RequestWatch:
    """ASGI middleware, to be put around all others.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    span : callable, optional
        Given a request's scope, returns the context in which it is handled and whose value is told its end, by
        `finish(route, status)`; see :mod:`voicegauge.observability.traces`.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        span: Callable[[Scope], AbstractContextManager[Any]] | None = None,
    ) -> None:
        self.app = app
        self._metrics = metrics
        self._span = span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began_s = time.perf_counter()
        # The envelope puts it into the answer.
        request_id = scope.setdefault("state", {}).setdefault("request_id", secrets.token_hex(16))
        status = CLIENT_LEFT

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with working_on(request_id=request_id), contextlib.ExitStack() as stack:
            watched = self._span is not None and scope["path"] not in QUIET_ROUTES
            span = stack.enter_context(self._span(scope)) if self._span is not None and watched else None
            try:
                await self.app(scope, receive, send_watched)
            finally:
                seconds = time.perf_counter() - began_s
                method = scope["method"] if scope["method"] in METHODS else "OTHER"
                route = getattr(scope.get("route"), "path", UNMATCHED)
                self._metrics.request_ended(method, route, status, seconds)
                note(**_ids_in_path(scope))
                if span is not None:
                    span.finish(method, route, status)
                _log(method, route, status, seconds)


def _log(method: str, route: str, status: int, seconds: float) -> None:
    level = logging.DEBUG if route in QUIET_ROUTES else logging.INFO
    if not access_log.isEnabledFor(level):
        return
    duration_ms = round(seconds * 1000, 1)
    extra = {"method": method, "route": route, "status": status, "duration_ms": duration_ms}
    access_log.log(level, "%s %s %d %.1f ms", method, route, status, duration_ms, extra=extra)


def _ids_in_path(scope: Scope) -> dict[str, str]:
    known, written = current_fields(), scope.get("path_params", {})
    return {
        name: written[name]
        for name in _ID_NAMES
        if name in written and name not in known and _ID.fullmatch(written[name])
    }
