"""The durable engine: enqueueing from any process, running in a worker.

DBOS Transact keeps the queues and the progress of workflows in the same database as the jobs, so one transaction can
cover both. It is a library in this process: it opens no port and talks to nothing but the database.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions

from voicegauge.jobs import workflows
from voicegauge.jobs.children import ChildProcesses
from voicegauge.jobs.engine_tables import quieten
from voicegauge.jobs.janitor import Janitor, Retention
from voicegauge.jobs.job import Job, workflow_id
from voicegauge.jobs.ports import Pipeline, TaskEvent, Uploads
from voicegauge.jobs.recovery import Leases, Reaper, Strays, worker_lock
from voicegauge.jobs.scratch import worker_folder
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.tasks import Tasks
from voicegauge.jobs.workflow import ASSESS_WORKFLOW, CHUNK_QUEUE, JOB_QUEUE, Limits, register_workflows

__all__ = ["JobEngine", "JobQueue", "WorkerSettings"]

log = logging.getLogger(__name__)

APPLICATION = "voicegauge"
# Only workers of the same version take up a workflow. To be raised when the new code could not continue a running
# workflow: when steps of `assess_job` or `measure_chunk` are added, removed, reordered, or take or answer other values.
WORKFLOW_VERSION = "1"

# A chunk in work and one in reserve, so that no process waits for the next look at the queue.
CLAIMS_PER_PROCESS = 2
# Jobs of all projects that one worker watches over; each costs a query at every look.
JOBS_PER_WORKER = 256
DRAIN_LOOK_S = 0.1
STOP_CLAIMING_S = 5.0


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
    task_memory_mb : int
        What a child process may allocate, in MiB.
    limits : Limits
    retention : Retention
    """

    processes: int
    poll_s: float = 0.5
    lease_ttl_s: float = 15.0
    jobs_per_project: int = 8
    task_memory_mb: int = 2048
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)


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
        """Queue the job's run within the caller's transaction; a job on its way through commit is in its first."""
        run = max(job.run, 1)
        options: EnqueueOptions = {
            "workflow_name": ASSESS_WORKFLOW,
            "queue_name": JOB_QUEUE,
            "workflow_id": workflow_id(job.job_id, run),
            "workflow_id_reuse_policy": "reject",
            "queue_partition_key": job.project_id,
            "app_version": WORKFLOW_VERSION,
        }
        if self._traced:
            from opentelemetry.context import get_current

            options["otel_context"] = get_current()
        self._client.enqueue_in_transaction(connection, options, job.job_id, run)

    def cancel(self, job: Job) -> None:
        """End the workflow of the job's run and of its chunks, wherever they are; processes at work are killed."""
        self._client.cancel_workflow(workflow_id(job.job_id, job.run), cancel_children=True)

    def forget(self, workflow_ids: list[str]) -> None:
        """Delete workflows that have ended, with all they stored."""
        self._client.delete_workflows(workflow_ids)

    def close(self) -> None:
        """Let go of the client; the database connections stay the caller's."""
        self._client.destroy()


def _ignore(_event: TaskEvent) -> None:
    pass


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
    on_task : callable
        Told of every task that is over, from any thread.
    uploads : Uploads, optional
        Where the uploads of jobs are removed from as the retention says; without it nothing is removed.
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
        on_task: Callable[[TaskEvent], None] = _ignore,
        uploads: Uploads | None = None,
        traced: bool = False,
    ) -> None:
        self._engine = engine
        self._pipeline = pipeline
        self._settings = settings
        self._lock_file = lock_file
        self._store = JobStore(engine, now_s)
        self._traced = traced
        self._lease = Leases(engine, uuid.uuid4().hex, settings.lease_ttl_s)
        self._on_task = on_task
        self._uploads = uploads
        self._children: ChildProcesses | None = None
        self._tasks: Tasks | None = None
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
            stack.callback(self._hand_back)
            queue = JobQueue(self._engine)
            stack.callback(queue.close)
            children = self._children = ChildProcesses(
                self._settings.processes,
                memory_mb=self._settings.task_memory_mb,
                temp_folder=stack.enter_context(worker_folder()),
            )
            stack.callback(children.stop)
            self._launch(Tasks(children, self._on_task))
            stack.callback(DBOS.destroy, destroy_registry=True)
            # What is claimed while the engine is taken apart would be begun on an event loop that is closed.
            stack.callback(lambda: _stop_claiming(time.monotonic() + STOP_CLAIMING_S))
            reaper = Reaper(
                self._store,
                lease,
                application_version=WORKFLOW_VERSION,
                interval_s=self._settings.lease_ttl_s / 4,
                # Not public, which is one reason for pinning the engine's version.
                recover=lambda executor_ids: DBOS._recover_pending_workflows(list(executor_ids)),
                cancel=queue.cancel,
                strays=Strays(self._engine, lease.executor_id, _dbos()._active_workflows_set.activeList),
            )
            reaper.start()
            stack.callback(reaper.stop)
            if self._uploads is not None:
                janitor = Janitor(self._store, self._uploads, queue, self._settings.retention)
                janitor.start()
                stack.callback(janitor.stop)
            self._cleanup = stack.pop_all()

    def check(self) -> None:
        """Raise MachineError where this worker is not at work."""
        self._lease.check()

    def drain(self, timeout_s: float) -> None:
        """Take nothing new, finish within `timeout_s` what is being measured, hand the rest back, and stop."""
        if self._children is not None and self._tasks is not None:
            deadline_s = time.monotonic() + timeout_s
            _stop_claiming(deadline_s)
            self._children.hold()
            while time.monotonic() < deadline_s and self._at_work(self._tasks):
                time.sleep(DRAIN_LOOK_S)
        self.stop()

    def stop(self) -> None:
        """Stop working at once; what is under way is begun anew or continued by another worker, or the next."""
        self._cleanup.close()

    def _at_work(self, tasks: Tasks) -> bool:
        try:
            return bool(tasks.at_work(workflows.held_workflows(self._engine, self._lease.executor_id)))
        except sa.exc.SQLAlchemyError as error:
            log.warning("cannot see what is under way: %s", error)
            return True

    def _hand_back(self) -> None:
        try:
            returned = workflows.hand_back(self._engine, self._lease.executor_id)
        except sa.exc.SQLAlchemyError as error:
            log.warning("the work under way is left for others to take over, when the lease ends: %s", error)
        else:
            if returned:
                log.info("%d workflows are handed back", returned)

    def _launch(self, tasks: Tasks) -> None:
        self._tasks = tasks
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
            _define_queues(self._settings)
            register_workflows(
                self._store,
                self._pipeline,
                tasks,
                self._settings.limits,
                self._settings.poll_s,
                traced=self._traced,
            )
            DBOS.launch()
        except BaseException:
            DBOS.destroy(destroy_registry=True)
            raise


def _define_queues(settings: WorkerSettings) -> None:
    # Queues of this process: those that DBOS offers lie in the database, where the limits of the worker that wrote last
    # would be every worker's. Not public, which is one reason for pinning the engine's version.
    registry = _dbos()._registry
    registry._register_internal_queue(
        JOB_QUEUE,
        worker_concurrency=JOBS_PER_WORKER,
        partition_concurrency=settings.jobs_per_project,
        polling_interval_sec=settings.poll_s,
    )
    # Not partitioned: a chunk's priority says whose turn it is.
    registry._register_internal_queue(
        CHUNK_QUEUE,
        worker_concurrency=CLAIMS_PER_PROCESS * settings.processes,
        polling_interval_sec=settings.poll_s,
    )


def _stop_claiming(deadline_s: float) -> None:
    # What DBOS.destroy() does first; it would then wait for jobs whose chunks others measure. Not public either.
    for event in _dbos().background_thread_stop_events:
        event.set()
    for thread in threading.enumerate():
        if thread.name.startswith("queue-worker-"):
            thread.join(max(0.0, deadline_s - time.monotonic()))


def _dbos() -> DBOS:
    from dbos._dbos import _get_dbos_instance

    return _get_dbos_instance()
