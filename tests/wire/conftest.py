"""The wire-facing half of the service on a real port."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn

from tests.wire.double import Double, build


@dataclass
class Served:
    site: Double
    url: str
    port: int


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    site = build(tmp_path, time.time)
    # asyncio switches Nagle's delay off only where the protocol is named: without it, every answer waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(site.app, lifespan="off", log_level="error", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(site, f"http://127.0.0.1:{port}", port)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
