"""/healthz, /readyz and /metrics: the same three on the API's port and on a worker's own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import anyio.to_thread
import uvicorn
from anyio import CapacityLimiter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from voicegauge._version import __version__
from voicegauge.observability.metrics import CONTENT_TYPE_LATEST, Metrics
from voicegauge.observability.readiness import Readiness

__all__ = ["health_routes", "health_server"]

T = TypeVar("T")

THREADS = 4


def health_routes(readiness: Readiness, metrics: Metrics) -> list[Route]:
    """Make the three routes.

    They use no thread that requests use: when all of those wait for a database that is away, these still answer.
    """
    threads = CapacityLimiter(THREADS)

    async def blocking(function: Callable[[], T]) -> T:
        return await anyio.to_thread.run_sync(function, limiter=threads)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def readyz(_: Request) -> Response:
        report = await blocking(readiness.report)
        return JSONResponse(report.body(), 200 if report.ready else 503)

    async def exposition(_: Request) -> Response:
        return Response(await blocking(metrics.exposition), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", exposition)]


@contextlib.contextmanager
def health_server(listener: socket.socket, routes: list[Route]) -> Iterator[None]:
    """Serve the routes on a bound socket from a thread, for the length of the block."""
    config = uvicorn.Config(
        Starlette(routes=routes), log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
