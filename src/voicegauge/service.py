"""The composition root: settings -> adapters -> a running service. The one place that chooses adapters."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from voicegauge._version import __version__
from voicegauge.data_folder import make_data_folder, service_lock
from voicegauge.database import open_database, upgrade
from voicegauge.errors import MachineError, UsageError
from voicegauge.identity.directory import Credential, Directory
from voicegauge.identity.gate import Gate
from voicegauge.identity.throttle import FailureThrottle
from voicegauge.jobs.census import ask_database, take_census
from voicegauge.jobs.engine import JobEngine, JobQueue, WorkerSettings
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore
from voicegauge.metastudio.envelope import install_envelope
from voicegauge.metastudio.iam import iam_router
from voicegauge.metastudio.routes import short_job_router
from voicegauge.observability.health import health_server
from voicegauge.observability.logs import configure_logs
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.traces import Traces, current_trace_id, start_traces
from voicegauge.observability.watch import CallerWatch, Watch
from voicegauge.pipeline import default_jobs
from voicegauge.settings import Settings
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.objects import ObjectStore
from voicegauge.storage.upload import upload_router
from voicegauge.work import UploadWork

__all__ = ["Installation", "OperatorDesk", "open_installation", "operator_desk", "serve", "work"]

FIRST_PROJECT = "default"


@dataclass(frozen=True)
class Installation:
    """Everything that lies in one data folder, opened."""

    settings: Settings
    engine: sa.Engine
    directory: Directory
    objects: DiskObjects
    first_credential: Credential | None

    def application(self, queue: JobQueue, watch: Watch) -> FastAPI:
        """Build the ASGI app: the vendor's calls, the uploads, and what tells how the service is."""
        jobs = JobService(
            JobStore(self.engine, time.time),
            queue,
            uploads=self.objects,
            upload_lifetime_s=self.settings.upload_lifetime_s,
        )
        gate = Gate(self.directory, FailureThrottle(time.monotonic), time.time, CallerWatch(watch.metrics))

        def upload_url(object_key: str, *, base_url: str) -> str:
            return self.objects.signed_put_url(object_key, expires_s=self.settings.upload_lifetime_s, base_url=base_url)

        app = FastAPI(title="voicegauge", version=__version__, openapi_url=None)
        install_envelope(app)
        app.include_router(
            short_job_router(gate=gate, jobs=jobs, upload_urls=upload_url, public_url=self.settings.public_url)
        )
        app.include_router(iam_router(gate=gate, directory=self.directory))
        app.include_router(upload_router(self.objects, jobs.takes_upload, watch.metrics.upload_ended))
        watch.install(app)
        return app

    def metrics(self) -> Metrics:
        """Build what counts in this process; takes the rest from the database."""
        return Metrics(lambda: ask_database(self.engine), lambda: take_census(self.engine))

    def readiness(self, worker: JobEngine | None) -> Readiness:
        """Build the checks of a process, with those of its worker where it has one."""
        checks = {"database": lambda: ask_database(self.engine)}
        return Readiness(checks if worker is None else {**checks, "worker": worker.check})

    def job_engine(self, *, traced: bool = False) -> JobEngine:
        """Build the worker of this process."""
        return JobEngine(
            self.engine,
            UploadWork(self.objects.local_path),
            WorkerSettings(processes=self.settings.processes or default_jobs()),
            lock_file=self.settings.data / "worker.lock",
            traced=traced,
        )


def open_installation(settings: Settings) -> Installation:
    """Open a data folder; the first time, make it, with a project and an access key in it.

    Raises
    ------
    MachineError
        The folder cannot be written.
    """
    make_data_folder(settings.data)
    engine = open_database(f"sqlite:///{settings.data / 'voicegauge.db'}")
    upgrade(engine, backup_folder=settings.data / "backups")
    directory = Directory(engine, time.time)
    first_credential = None
    if not directory.list_projects():
        first_credential = directory.create_key(directory.create_project(FIRST_PROJECT).project_id)
    objects = DiskObjects(settings.data, max_object_bytes=settings.upload_max_bytes, now_s=time.time)
    return Installation(settings, engine, directory, objects, first_credential)


@dataclass(frozen=True)
class OperatorDesk:
    """What an operator's commands need: the jobs of all projects, and where their uploads lie."""

    engine: sa.Engine
    store: JobStore
    service: JobService
    objects: ObjectStore


def operator_desk(settings: Settings) -> OperatorDesk:
    """Open what is there for an operator; makes nothing.

    Raises
    ------
    UsageError
        There is no database in the data folder.
    """
    database = settings.data / "voicegauge.db"
    if not database.exists():
        raise UsageError(f"{settings.data} holds no jobs; give the --data that the service was started with")
    engine = open_database(f"sqlite:///{database}")
    objects = DiskObjects(settings.data, max_object_bytes=settings.upload_max_bytes, now_s=time.time)
    store = JobStore(engine, time.time)
    service = JobService(store, JobQueue(engine), uploads=objects, upload_lifetime_s=settings.upload_lifetime_s)
    return OperatorDesk(engine, store, service, objects)


def serve(settings: Settings, announce: Callable[[str, Installation], None]) -> None:
    """Run the API and a worker until SIGTERM or SIGINT.

    `announce` is called once, when connections are accepted, with the service's address.
    """
    traces = _start_watching(settings)
    make_data_folder(settings.data)
    with service_lock(settings.data):
        _serve(open_installation(settings), traces, announce)


def _serve(
    installation: Installation, traces: Traces | None, announce: Callable[[str, Installation], None]
) -> None:
    settings = installation.settings
    installation.objects.remove_leftovers()
    queue = JobQueue(installation.engine, traced=traces is not None)
    worker = installation.job_engine(traced=traces is not None)
    watch = Watch(installation.metrics(), installation.readiness(worker), traces)
    listener = _bound_socket(settings.host, settings.port)
    address = f"http://{_bracketed(settings.host)}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        installation.application(queue, watch), log_config=None, access_log=False, server_header=False, lifespan="off"
    )
    server = _Server(config, lambda: announce(address, installation))
    with _ended_by_signals(), _running(worker):
        server.run(sockets=[listener])


def work(settings: Settings, announce: Callable[[], None]) -> None:
    """Run a worker, and no API, until SIGTERM or SIGINT."""
    traces = _start_watching(settings)
    installation = open_installation(settings)
    worker = installation.job_engine(traced=traces is not None)
    watch = Watch(installation.metrics(), installation.readiness(worker), traces)
    with ExitStack() as stack:
        stack.enter_context(_ended_by_signals())
        if settings.health_port:
            listener = _bound_socket(settings.host, settings.health_port)
            stack.enter_context(health_server(listener, watch.routes()))
        stack.enter_context(_running(worker))
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
def _running(engine: JobEngine) -> Iterator[None]:
    engine.start()
    try:
        yield
    finally:
        engine.stop()


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
