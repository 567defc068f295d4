"""The wire-facing half of the service with jobs in memory, and a client that signs like the SDKs do."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI

from voicegauge.errors import MachineError
from voicegauge.identity import tables
from voicegauge.identity.directory import Credential, Directory, Project
from voicegauge.identity.gate import Gate
from voicegauge.identity.signature import HttpRequest, canonical_request, sign
from voicegauge.identity.throttle import FailureThrottle
from voicegauge.jobs.errors import AlreadyCommittedError, AlreadyEndedError, JobNotFoundError, NothingUploadedError
from voicegauge.jobs.job import ENDED, Job, JobState
from voicegauge.metastudio.envelope import install_envelope
from voicegauge.metastudio.iam import iam_router
from voicegauge.metastudio.routes import short_job_router
from voicegauge.observability.watch import CallerWatch, Watch
from voicegauge.storage.disk import DiskObjects
from voicegauge.storage.upload import upload_router

SHORT_JOBS = "/v1/{project_id}/voice-training-manage/user/short-jobs"
NOW_S = datetime(2025, 11, 19, 1, 2, 3, tzinfo=UTC).timestamp()


class Clock:
    def __init__(self, now_s: float = NOW_S) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s


class MemoryJobs:
    """Jobs that nobody works on; a test sets their fate."""

    def __init__(self, store: DiskObjects, clock: Any) -> None:
        self._store = store
        self._clock = clock
        self.jobs: dict[str, Job] = {}

    def create(self, project_id: str, language: str, app_user_id: str | None) -> Job:
        job_id = str(uuid.uuid4())
        now_s = int(self._clock())
        job = Job(
            job_id=job_id,
            project_id=project_id,
            language=language,
            state=JobState.CREATING,
            object_key=f"{project_id}/{job_id}.zip",
            created_s=now_s,
            updated_s=now_s,
            app_user_id=app_user_id,
        )
        self.jobs[job_id] = job
        return job

    def commit(self, project_id: str, job_id: str) -> Job:
        job = self.get(project_id, job_id)
        if job.state is not JobState.CREATING:
            raise AlreadyCommittedError(job_id)
        if self._store.stat(job.object_key) is None:
            raise NothingUploadedError(job_id)
        return self.set(job_id, state=JobState.WAITING)

    def get(self, project_id: str, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.project_id != project_id:
            raise JobNotFoundError(job_id)
        return job

    def cancel(self, project_id: str, job_id: str) -> Job:
        job = self.get(project_id, job_id)
        if job.state in ENDED:
            raise AlreadyEndedError(job_id, job.state)
        return self.set(job_id, state=JobState.FAILED, failure_code="cancelled", failure_reason="the job was cancelled")

    def set(self, job_id: str, **values: Any) -> Job:
        self.jobs[job_id] = replace(self.jobs[job_id], **values)
        return self.jobs[job_id]

    def may_write(self, object_key: str) -> bool:
        return any(job.object_key == object_key and job.state is JobState.CREATING for job in self.jobs.values())


@dataclass
class Double:
    app: FastAPI
    directory: Directory
    project: Project
    credential: Credential
    store: DiskObjects
    jobs: MemoryJobs

    @property
    def short_jobs(self) -> str:
        return SHORT_JOBS.format(project_id=self.project.project_id)


def open_identity_database(folder: Path) -> sa.Engine:
    """Open a database that need not survive a power cut, which makes it fast."""
    engine = sa.create_engine(f"sqlite:///{folder / 'identity.db'}")
    sa.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
    tables.metadata.create_all(engine)
    return engine


def build(folder: Path, now_s: Any, *, max_object_bytes: int = 10_000_000, watch: Watch | None = None) -> Double:
    directory = Directory(open_identity_database(folder), now_s)
    project = directory.create_project("cn-north-4")
    credential = directory.create_key(project.project_id)
    caller_watch = None if watch is None else CallerWatch(watch.metrics)
    gate = Gate(directory, FailureThrottle(now_s), now_s, caller_watch)
    store = DiskObjects(folder, max_object_bytes=max_object_bytes, now_s=now_s)
    jobs = MemoryJobs(store, now_s)

    def upload_url(object_key: str, *, base_url: str) -> str:
        return store.signed_put_url(object_key, expires_s=3600, base_url=base_url)

    app = FastAPI(openapi_url=None)
    install_envelope(app, lambda error: error if isinstance(error, MachineError) else None)
    app.include_router(short_job_router(gate=gate, jobs=jobs, upload_urls=upload_url))
    app.include_router(iam_router(gate=gate, directory=directory))
    if watch is None:
        app.include_router(upload_router(store, jobs.may_write))
    else:
        app.include_router(upload_router(store, jobs.may_write, watch.metrics.upload_ended))
        watch.install(app)
    return Double(app, directory, project, credential, store, jobs)


def signed_headers(
    credential: Credential,
    method: str,
    path: str,
    *,
    query: str = "",
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    now_s: float = NOW_S,
) -> dict[str, str]:
    """Return the headers of a request signed with nothing but what every SDK signs."""
    date = datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
    signed = {"x-sdk-date": date, **{name.lower(): value for name, value in (headers or {}).items()}}
    request = HttpRequest(method, path, query, signed, body)
    canonical = canonical_request(request, sorted(signed), hashlib.sha256(body).hexdigest())
    signature = sign(canonical, date, credential.secret_key)
    return {
        **signed,
        "authorization": f"SDK-HMAC-SHA256 Access={credential.access_key}, SignedHeaders={';'.join(sorted(signed))}, "
        f"Signature={signature}",
    }
