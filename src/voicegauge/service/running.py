"""The processes: an API with or without a worker, and a worker alone. Both end in order on SIGTERM and SIGINT."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import uvicorn

from voicegauge.data_folder import make_data_folder, service_lock
from voicegauge.errors import MachineError
from voicegauge.jobs.engine import JobEngine, JobQueue
from voicegauge.observability.health import health_server
from voicegauge.observability.logs import configure_logs
from voicegauge.observability.traces import Traces, current_trace_id, start_traces
from voicegauge.observability.watch import Watch
from voicegauge.service.installation import Installation, open_installation
from voicegauge.settings import Settings
from voicegauge.storage.disk import DiskObjects

__all__ = ["serve", "work"]


def serve(settings: Settings, announce: Callable[[str, Installation], None]) -> None:
    """Run the API, and a worker unless the settings say otherwise, until SIGTERM or SIGINT.

    `announce` is called once, when connections are accepted, with the service's address.
    """
    traces = _start_watching(settings)
    make_data_folder(settings.data)
    with ExitStack() as stack:
        if not (settings.database and settings.objects):
            stack.enter_context(service_lock(settings.data))
        _serve(open_installation(settings), traces, announce)


def _serve(installation: Installation, traces: Traces | None, announce: Callable[[str, Installation], None]) -> None:
    settings = installation.settings
    if isinstance(installation.objects, DiskObjects):
        installation.objects.remove_leftovers()
    traced = traces is not None
    metrics = installation.metrics()
    worker = None if settings.api_only else installation.job_engine(metrics, traced=traced)
    watch = Watch(metrics, installation.readiness(worker), traces)
    queue = JobQueue(installation.engine, traced=traced)
    listener = _bound_socket(settings.host, settings.port)
    address = f"http://{_bracketed(settings.host)}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        installation.application(queue, watch), log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = _Server(config, lambda: announce(address, installation))
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        if worker is not None:
            stack.enter_context(_running(worker, settings.drain_s))
        stack.callback(watch.readiness.drain)
        server.run(sockets=[listener])


def work(settings: Settings, announce: Callable[[], None]) -> None:
    """Run a worker, and no API, until SIGTERM or SIGINT; `announce` is called once, when it takes work."""
    traces = _start_watching(settings)
    installation = open_installation(settings)
    metrics = installation.metrics()
    worker = installation.job_engine(metrics, traced=traces is not None)
    watch = Watch(metrics, installation.readiness(worker), traces)
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        if settings.health_port:
            listener = _bound_socket(settings.host, settings.health_port)
            stack.enter_context(health_server(listener, watch.routes()))
        stack.enter_context(_running(worker, settings.drain_s))
        stack.callback(watch.readiness.drain)
        announce()
        threading.Event().wait()


def _start_watching(settings: Settings) -> Traces | None:
    # Twice, because why there are no traces belongs into the log too.
    configure_logs(settings.log_format)
    traces = start_traces()
    if traces is not None:
        configure_logs(settings.log_format, trace_id=current_trace_id)
    return traces


class _Server(uvicorn.Server):
    """Tells when connections are accepted."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, because asyncio switches Nagle's delay off only on a socket that says it is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise MachineError(f"cannot listen on {host} port {port}: {what}; choose another --port or --host") from error
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _running(worker: JobEngine, drain_s: float) -> Iterator[None]:
    worker.start()
    try:
        yield
    finally:
        try:
            worker.drain(drain_s)
        finally:
            # At once, where a second signal ended the wait.
            worker.stop()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Make SIGTERM and SIGINT leave the block in order, as the usual way to end a service."""

    def leave(*_: Any) -> None:
        sys.exit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    except SystemExit as ending:
        if ending.code:
            raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
