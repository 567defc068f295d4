"""The durable engine: enqueueing from any process, running in a worker.

DBOS Transact keeps the queues and the progress of workflows in the same database as the jobs, so one transaction can
cover both. It is a library in this process: it opens no port and talks to nothing but the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from voicegauge.jobs.children import ChildProcesses
from voicegauge.jobs.engine_tables import quieten
from voicegauge.jobs.job import Job
from voicegauge.jobs.ports import Pipeline
from voicegauge.jobs.recovery import Leases, Reaper, worker_lock
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.workflow import ASSESS_WORKFLOW, CHUNK_QUEUE, JOB_QUEUE, Limits, register_workflows

__all__ = ["JobEngine", "JobQueue", "WorkerSettings"]

APPLICATION = "voicegauge"
# Only workers of the same version take up a workflow. To be raised when the new code could not continue a running
# workflow: when steps of `assess_job` or `measure_chunk` are added, removed, reordered, or take or answer other values.
WORKFLOW_VERSION = "1"

# A chunk in work and one in reserve, so that no process waits for the next look at the queue.
CLAIMS_PER_PROCESS = 2


@dataclass(frozen=True)
class WorkerSettings:
    """How one worker process works.

    Attributes
    ----------
    processes : int >= 1
        Child processes, which is the number of chunks measured at a time.
    poll_s : float
        How often the queues are looked at; half of it is the mean delay of a start.
    lease_ttl_s : float
        After at most 1.25 times this, another worker takes over the work of one that died.
    jobs_per_project : int
        Jobs of one project that are in work at a time, over all workers; the others wait.
    limits : Limits
    """

    processes: int
    poll_s: float = 0.5
    lease_ttl_s: float = 15.0
    jobs_per_project: int = 8
    limits: Limits = field(default_factory=Limits)


class JobQueue:
    """The way in for committed jobs; runs no work, so a process that only serves the API needs no more.

    Parameters
    ----------
    engine : Engine
        Of the prepared database.
    traced : bool
        Whether a job carries the trace of who commits it to the worker that does it.
    """

    def __init__(self, engine: sa.Engine, *, traced: bool = False) -> None:
        quieten()
        self._traced = traced
        self._client = DBOSClient(
            system_database_engine=engine, serializer=DBOSPortableJSONSerializer(), application_name=APPLICATION
        )

    def enqueue(self, connection: sa.Connection, job: Job) -> None:
        """Queue a job within the caller's transaction."""
        options: EnqueueOptions = {
            "workflow_name": ASSESS_WORKFLOW,
            "queue_name": JOB_QUEUE,
            "workflow_id": job.job_id,
            "workflow_id_reuse_policy": "reject",
            "queue_partition_key": job.project_id,
            "app_version": WORKFLOW_VERSION,
        }
        if self._traced:
            from opentelemetry.context import get_current

            options["otel_context"] = get_current()
        self._client.enqueue_in_transaction(connection, options, job.job_id)

    def define(self, settings: WorkerSettings) -> None:
        """Write the queues and their limits into the database."""
        self._client.register_queue(
            JOB_QUEUE, partition_concurrency=settings.jobs_per_project, polling_interval_sec=settings.poll_s
        )
        self._client.register_queue(
            CHUNK_QUEUE,
            worker_concurrency=CLAIMS_PER_PROCESS * settings.processes,
            partition_worker_concurrency=CLAIMS_PER_PROCESS * settings.processes,
            polling_interval_sec=settings.poll_s,
        )

    def close(self) -> None:
        """Let go of the client; the database connections stay the caller's."""
        self._client.destroy()


class JobEngine:
    """The worker of this process: takes jobs from the queue and sees them through. At most one per process.

    Parameters
    ----------
    engine : Engine
        Of the prepared database.
    pipeline : Pipeline
        What a job does.
    settings : WorkerSettings
    lock_file : Path, optional
        A file in the data folder, where the database is a file there too: a worker that finds itself alone there takes
        over its predecessor's work at once instead of waiting for a lease to end.
    now_s : callable
        The current Unix time in seconds.
    traced : bool
        Whether jobs and their steps make OpenTelemetry spans, which go where this process's tracer provider sends them.
    """

    def __init__(
        self,
        engine: sa.Engine,
        pipeline: Pipeline,
        settings: WorkerSettings,
        *,
        lock_file: Path | None = None,
        now_s: Callable[[], float] = time.time,
        traced: bool = False,
    ) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._settings = settings
        self._lock_file = lock_file
        self._store = JobStore(engine, now_s)
        self._traced = traced
        self._lease = Leases(engine, uuid.uuid4().hex, settings.lease_ttl_s)
        self._cleanup = contextlib.ExitStack()

    def start(self) -> None:
        """Begin to work; not to be called on a running event loop, which the engine would take for its own."""
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop()
            raise AssertionError("start the job engine in a thread of its own, not on the event loop")
        with contextlib.ExitStack() as stack:
            lease = self._lease
            if self._lock_file is not None:
                stack.enter_context(worker_lock(self._lock_file, when_alone=lease.expire_all))
            lease.renew()
            stack.callback(lease.give_up)
            children = ChildProcesses(self._settings.processes)
            stack.callback(children.stop)
            self._launch(children)
            stack.callback(DBOS.destroy, destroy_registry=True)
            reaper = Reaper(
                self._store,
                lease,
                application_version=WORKFLOW_VERSION,
                interval_s=self._settings.lease_ttl_s / 4,
                # Not public, which is one reason for pinning the engine's version.
                recover=lambda executor_ids: DBOS._recover_pending_workflows(list(executor_ids)),
            )
            reaper.start()
            stack.callback(reaper.stop)
            self._cleanup = stack.pop_all()

    def check(self) -> None:
        """Raise MachineError where this worker is not at work."""
        self._lease.check()

    def stop(self) -> None:
        """Stop working; what is under way is left to the next worker, and its work begun anew or continued there."""
        self._cleanup.close()

    def _launch(self, children: ChildProcesses) -> None:
        queue = JobQueue(self._engine)
        queue.define(self._settings)
        queue.close()
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._engine,
            "serializer": DBOSPortableJSONSerializer(),
            "application_version": WORKFLOW_VERSION,
            "executor_id": self._lease.executor_id,
            "run_migrations": False,
            "enable_otlp": self._traced,
            "otel_attribute_format": "semconv",
            "log_level": "WARNING",
        }
        DBOS(config=config)
        try:
            register_workflows(
                self._store, self._pipeline, children, self._settings.limits, self._settings.poll_s, traced=self._traced
            )
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise
