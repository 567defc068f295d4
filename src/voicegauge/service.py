"""The composition root: settings -> adapters -> a running service. The one place that chooses adapters."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from voicegauge._version import __version__
from voicegauge.errors import MachineError
from voicegauge.identity.directory import Credential, Directory
from voicegauge.identity.gate import Gate
from voicegauge.identity.tables import metadata as identity_tables
from voicegauge.identity.throttle import FailureThrottle
from voicegauge.jobs.engine import JobEngine, JobQueue, WorkerSettings, prepare_database
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.tables import open_database
from voicegauge.metastudio.envelope import install_envelope
from voicegauge.metastudio.iam import iam_router
from voicegauge.metastudio.routes import short_job_router
from voicegauge.pipeline import default_jobs
from voicegauge.settings import Settings
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.upload import upload_router
from voicegauge.work import UploadWork

__all__ = ["Installation", "open_installation", "serve", "work"]

FIRST_PROJECT = "default"


@dataclass(frozen=True)
class Installation:
    """Everything that lies in one data folder, opened."""

    settings: Settings
    engine: sa.Engine
    directory: Directory
    objects: DiskObjects
    first_credential: Credential | None

    def application(self, queue: JobQueue) -> FastAPI:
        """Build the ASGI app: the vendor's calls, the uploads, /healthz."""
        jobs = JobService(
            JobStore(self.engine, time.time),
            queue,
            uploads=self.objects,
            upload_lifetime_s=self.settings.upload_lifetime_s,
        )
        gate = Gate(self.directory, FailureThrottle(time.monotonic), time.time)

        def upload_url(object_key: str, *, base_url: str) -> str:
            return self.objects.signed_put_url(object_key, expires_s=self.settings.upload_lifetime_s, base_url=base_url)

        app = FastAPI(title="voicegauge", version=__version__, openapi_url=None)
        install_envelope(app)
        app.add_api_route("/healthz", _healthz, methods=["GET"])
        app.include_router(
            short_job_router(gate=gate, jobs=jobs, upload_urls=upload_url, public_url=self.settings.public_url)
        )
        app.include_router(iam_router(gate=gate, directory=self.directory))
        app.include_router(upload_router(self.objects, jobs.takes_upload))
        return app

    def job_engine(self) -> JobEngine:
        """Build the worker of this process."""
        return JobEngine(
            self.engine,
            UploadWork(self.objects.local_path),
            WorkerSettings(processes=self.settings.processes or default_jobs()),
            lock_file=self.settings.data / "worker.lock",
        )


def open_installation(settings: Settings) -> Installation:
    """Open a data folder; the first time, make it, with a project and an access key in it.

    Raises
    ------
    MachineError
        The folder cannot be written.
    """
    database = settings.data / "voicegauge.db"
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Secrets lie in it; SQLite's side files take over its mode.
        database.touch(mode=0o600)
    except OSError as error:
        raise MachineError(f"cannot use the data folder {settings.data}: {error.strerror}") from error
    engine = open_database(f"sqlite:///{database}")
    prepare_database(engine)
    identity_tables.create_all(engine)
    directory = Directory(engine, time.time)
    first_credential = None
    if not directory.list_projects():
        first_credential = directory.create_key(directory.create_project(FIRST_PROJECT).project_id)
    objects = DiskObjects(settings.data, max_object_bytes=settings.upload_max_bytes, now_s=time.time)
    return Installation(settings, engine, directory, objects, first_credential)


def serve(settings: Settings, announce: Callable[[str, Installation], None]) -> None:
    """Run the API and a worker until SIGTERM or SIGINT.

    `announce` is called once, when connections are accepted, with the service's address.
    """
    installation = open_installation(settings)
    installation.objects.remove_leftovers()
    queue = JobQueue(installation.engine)
    listener = _bound_socket(settings.host, settings.port)
    address = f"http://{_bracketed(settings.host)}:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        installation.application(queue), log_level="warning", access_log=False, server_header=False, lifespan="off"
    )
    server = _Server(config, lambda: announce(address, installation))
    with _ended_by_signals(), _running(installation.job_engine()):
        server.run(sockets=[listener])


def work(settings: Settings, announce: Callable[[], None]) -> None:
    """Run a worker, and no API, until SIGTERM or SIGINT."""
    installation = open_installation(settings)
    with _ended_by_signals(), _running(installation.job_engine()):
        announce()
        threading.Event().wait()


def _healthz() -> dict[str, str]:
    return {"status": "ok", "version": __version__}


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
