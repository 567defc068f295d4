"""What an installation is made of: settings -> adapters. The one place that chooses adapters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from voicegauge._version import __version__
from voicegauge.data_folder import make_data_folder
from voicegauge.database import machine_error, open_database, require_current, revision_of, upgrade
from voicegauge.errors import MachineError, UsageError
from voicegauge.identity.directory import Credential, Directory
from voicegauge.identity.gate import Gate
from voicegauge.identity.throttle import FailureThrottle
from voicegauge.jobs.census import ask_database, take_census
from voicegauge.jobs.engine import JobEngine, JobQueue, WorkerSettings
from voicegauge.jobs.errors import UploadTooLargeError
from voicegauge.jobs.janitor import Retention
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore
from voicegauge.metastudio.envelope import install_envelope
from voicegauge.metastudio.iam import iam_router
from voicegauge.metastudio.routes import short_job_router
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.watch import CallerWatch, Watch
from voicegauge.pipeline import default_jobs
from voicegauge.settings import Settings
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.errors import ObjectTooLargeError
from voicegauge.storage.location import open_objects
from voicegauge.storage.objects import ObjectStore
from voicegauge.storage.upload import upload_router
from voicegauge.work import UploadWork

__all__ = [
    "Installation",
    "OperatorDesk",
    "make_key",
    "migrate",
    "open_directory",
    "open_installation",
    "operator_desk",
]

FIRST_PROJECT = "default"
DATABASE_FILE = "voicegauge.db"
BACKUP_FOLDER = "backups"


@dataclass(frozen=True)
class Installation:
    """A database and a place for uploads, opened.

    Attributes
    ----------
    settings : Settings
    engine : Engine
    directory : Directory
    objects : ObjectStore
    first_credential : Credential or None
        Of the project that was made because there was none yet.
    """

    settings: Settings
    engine: sa.Engine
    directory: Directory
    objects: ObjectStore
    first_credential: Credential | None

    def application(self, queue: JobQueue, watch: Watch) -> FastAPI:
        """Build the ASGI app: the vendor's calls, the uploads, and what tells how the service is."""
        jobs = job_service(self.engine, queue, self.objects, self.settings)
        gate = Gate(self.directory, FailureThrottle(time.monotonic), time.time, CallerWatch(watch.metrics))

        def upload_url(object_key: str, *, base_url: str) -> str:
            return self.objects.signed_put_url(object_key, expires_s=self.settings.upload_lifetime_s, base_url=base_url)

        # The framework's own spans would hold query strings, and upload URLs carry their signature there.
        telemetry: Any = {"tracing": False, "metrics": False, "logs": False}
        app = FastAPI(title="voicegauge", version=__version__, openapi_url=None, telemetry=telemetry)
        install_envelope(app, self.machine_error)
        app.include_router(
            short_job_router(gate=gate, jobs=jobs, upload_urls=upload_url, public_url=self.settings.public_url)
        )
        app.include_router(iam_router(gate=gate, directory=self.directory))
        if isinstance(self.objects, DiskObjects):
            # Uploads to a bucket go straight there.
            app.include_router(
                upload_router(self.objects, self._told_in_words(jobs.takes_upload), watch.metrics.upload_ended)
            )
        watch.install(app)
        return app

    def machine_error(self, error: Exception) -> MachineError | None:
        """Say what is wrong with the machine where that is what an error is about; None where it is not."""
        return error if isinstance(error, MachineError) else machine_error(error, self.engine)

    def metrics(self) -> Metrics:
        """Build what counts in this process; takes the rest from the database."""
        return Metrics(lambda: ask_database(self.engine), lambda: take_census(self.engine))

    def readiness(self, worker: JobEngine | None) -> Readiness:
        """Build the checks of a process, with those of its worker where it has one."""
        checks: dict[str, Callable[[], object]] = {
            "database": lambda: ask_database(self.engine),
            "schema": lambda: require_current(self.engine),
            "uploads": self.objects.check,
        }
        return Readiness(checks if worker is None else {**checks, "worker": worker.check})

    def job_engine(self, metrics: Metrics, *, traced: bool = False) -> JobEngine:
        """Build the worker of this process."""
        return JobEngine(
            self.engine,
            UploadWork(self.objects.local_path),
            WorkerSettings(
                processes=self.settings.processes or default_jobs(),
                jobs_per_project=self.settings.jobs_per_project,
                task_memory_mb=self.settings.task_memory_mb,
                retention=Retention(
                    keep_uploads_days=self.settings.keep_uploads_days,
                    keep_jobs_days=self.settings.keep_jobs_days,
                    upload_lifetime_s=self.settings.upload_lifetime_s,
                ),
            ),
            uploads=JobUploads(self.objects),
            lock_file=None if self.settings.database else self.settings.data / "worker.lock",
            on_task=metrics.task_ended,
            traced=traced,
        )

    def _told_in_words(self, ask: Callable[[str], bool]) -> Callable[[str], bool]:
        def told(key: str) -> bool:
            try:
                return ask(key)
            except sa.exc.SQLAlchemyError as error:
                raise self.machine_error(error) or error from error

        return told


def open_installation(settings: Settings) -> Installation:
    """Open what the settings name: what :func:`open_directory` does, and the place for uploads.

    Raises
    ------
    UsageError
        A setting is wrong.
    MachineError
        The folder, the database or the bucket cannot be used.
    """
    engine = _open_engine(settings)
    directory, first_credential = _directory(settings, engine)
    objects = _objects(settings)
    objects.check()
    return Installation(settings, engine, directory, objects, first_credential)


def open_directory(settings: Settings) -> tuple[Directory, Credential | None]:
    """Open the projects and their access keys; return them with the key of a project made because there was none.

    A SQLite database in the data folder is made or upgraded first. A PostgreSQL database is for `voicegauge migrate` to
    make and upgrade, and its first project for `voicegauge keys create`: of many nodes, none should print a secret.

    Raises
    ------
    UsageError
        A setting is wrong.
    MachineError
        The folder or the database cannot be used.
    """
    return _directory(settings, _open_engine(settings))


def migrate(settings: Settings) -> str:
    """Make or upgrade the database's tables; return the revision that it has then.

    Raises
    ------
    MachineError
        It cannot be reached, or a step failed; it is as it was then.
    """
    if not settings.database:
        make_data_folder(settings.data)
    engine = _connect(settings)
    upgrade(engine, backup_folder=None if settings.database else settings.data / BACKUP_FOLDER)
    return revision_of(engine) or ""


@dataclass(frozen=True)
class JobUploads:
    """The object store as jobs see it; implements :class:`voicegauge.jobs.ports.Uploads`."""

    objects: ObjectStore

    def freeze(self, key: str) -> str | None:
        try:
            return self.objects.freeze(key)
        except ObjectTooLargeError as error:
            raise UploadTooLargeError(PurePosixPath(key).stem, str(error)) from error

    def delete(self, key: str) -> None:
        self.objects.delete(key)

    def purge(self, key: str) -> None:
        self.objects.purge(key)


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
    MachineError
        The database cannot be reached, or is not of this version.
    """
    if not settings.database and not (settings.data / DATABASE_FILE).exists():
        raise UsageError(
            f"{settings.data} holds no jobs; give the --data or --database that the service was started with"
        )
    engine = _connect(settings)
    require_current(engine)
    objects = _objects(settings)
    return OperatorDesk(
        engine, JobStore(engine, time.time), job_service(engine, JobQueue(engine), objects, settings), objects
    )


def job_service(engine: sa.Engine, queue: JobQueue, objects: ObjectStore, settings: Settings) -> JobService:
    """Build what creates, commits, shows and cancels jobs."""
    return JobService(
        JobStore(engine, time.time), queue, uploads=JobUploads(objects), upload_lifetime_s=settings.upload_lifetime_s
    )


def make_key(directory: Directory, project_id: str | None) -> Credential:
    """Make an access key for a project; where none is named for the first one, which is made when missing."""
    if project_id is None:
        projects = directory.list_projects() or [directory.create_project(FIRST_PROJECT)]
        project_id = projects[0].project_id
    return directory.create_key(project_id)


def _open_engine(settings: Settings) -> sa.Engine:
    make_data_folder(settings.data)
    engine = _connect(settings)
    if settings.database:
        require_current(engine)
    else:
        upgrade(engine, backup_folder=settings.data / BACKUP_FOLDER)
    return engine


def _directory(settings: Settings, engine: sa.Engine) -> tuple[Directory, Credential | None]:
    directory = Directory(engine, time.time)
    if settings.database or directory.list_projects():
        return directory, None
    return directory, make_key(directory, None)


def _connect(settings: Settings) -> sa.Engine:
    return open_database(settings.database or f"sqlite:///{settings.data / DATABASE_FILE}")


def _objects(settings: Settings) -> ObjectStore:
    return open_objects(settings.objects, settings.data, max_object_bytes=settings.upload_max_bytes, now_s=time.time)
