"""Calls an application in this process, byte for byte, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message

HOST = "127.0.0.1:8600"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


def call(
    app: ASGIApp,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str | bytes] | None = None,
    body: bytes | Sequence[bytes] = b"",
    hang_up: bool = False,
) -> Answer:
    """Send one request; `body` in several pieces arrives in several, and `hang_up` ends the connection after them."""
    parts = urlsplit(target)
    sent = {"host": HOST, **{name.lower(): value for name, value in (headers or {}).items()}}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [
            (name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in sent.items()
        ],
        "server": ("127.0.0.1", 8600),
        "client": ("127.0.0.1", 50000),
    }
    pieces = [body] if isinstance(body, bytes) else list(body)
    incoming: list[Message] = [
        {"type": "http.request", "body": piece, "more_body": hang_up or index + 1 < len(pieces)}
        for index, piece in enumerate(pieces)
    ]
    outgoing: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        outgoing.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    if not outgoing:
        return Answer(0, {}, b"")
    start, *rest = outgoing
    return Answer(
        start["status"],
        {name.decode().lower(): value.decode() for name, value in start["headers"]},
        b"".join(message.get("body", b"") for message in rest),
    )
