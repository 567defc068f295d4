"""Leases: how the work of a process that died is found and given to another.

Every worker renews a lease. The engine notes which worker runs a workflow, so a running workflow whose worker has no
live lease is an orphan; any worker may put orphans back into their queue, and doing it twice changes nothing. A worker
that was only frozen and wakes up is no danger: the engine refuses the outcome of a run that it no longer owns, and of
two outcomes of ours the first one stands.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

import sqlalchemy as sa

from voicegauge.errors import MachineError
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.store import CANCELLED_CODE, Failure, JobStore, to_job
from voicegauge.jobs.tables import jobs, leases
from voicegauge.jobs.workflows import ENDED_WITHOUT_ANSWER, IN_FLIGHT, hand_back, held_workflows, workflow_status

__all__ = ["Leases", "Reaper", "Strays", "database_now_s", "worker_lock"]

log = logging.getLogger(__name__)

# How long after it a cancelling is looked at: whoever cancelled ends the workflow too, but may die in between.
CANCELLED_LOOK_BACK_S = 3600


def database_now_s(engine: sa.Engine) -> sa.ColumnElement[float]:
    """Return the current Unix time as an expression of the database."""
    # Leases of several machines are compared, so only the database's clock counts.
    if engine.dialect.name == "postgresql":
        return sa.func.date_part("epoch", sa.func.clock_timestamp(), type_=sa.Double)
    return (sa.func.julianday("now", type_=sa.Double) - 2440587.5) * 86400.0


class Leases:
    """The lease of one worker, and the sight of the others'.

    Parameters
    ----------
    engine : Engine
    executor_id : str
        Unique for each process that ever ran.
    ttl_s : float
        How long a lease lives without being renewed.
    """

    def __init__(self, engine: sa.Engine, executor_id: str, ttl_s: float) -> None:
        self._engine = engine
        self.executor_id = executor_id
        self._ttl_s = ttl_s
        self._renewed_s: float | None = None

    def renew(self) -> None:
        """Extend the lease by its full time, or take it anew after it was lost."""
        began_s = time.monotonic()
        expires_s = database_now_s(self._engine) + self._ttl_s
        with self._engine.begin() as connection:
            renewed = connection.execute(
                leases.update().where(leases.c.executor_id == self.executor_id).values(expires_s=expires_s)
            )
            if renewed.rowcount == 0:
                connection.execute(leases.insert().values(executor_id=self.executor_id, expires_s=expires_s))
        self._renewed_s = began_s

    def check(self) -> None:
        """Raise MachineError where the lease has not been renewed for longer than it lives."""
        if self._renewed_s is None:
            raise MachineError("the worker has not taken its lease yet")
        age_s = time.monotonic() - self._renewed_s
        if age_s > self._ttl_s:
            raise MachineError(f"the worker has not renewed its lease for {age_s:.0f} s, so others take over its work")

    def give_up(self) -> None:
        """End the lease, so that what this worker leaves is an orphan at once."""
        with self._engine.begin() as connection:
            connection.execute(leases.delete().where(leases.c.executor_id == self.executor_id))

    def expire_all(self) -> None:
        """End every lease; only for a process that knows no other worker lives."""
        with self._engine.begin() as connection:
            connection.execute(leases.delete())

    def dead_executors(self, application_version: str) -> list[str]:
        """Return the workers that have running workflows and no live lease; forget leases that ended long ago."""
        now_s = database_now_s(self._engine)
        workflows = workflow_status(self._engine)
        live = sa.select(leases.c.executor_id).where(leases.c.expires_s > now_s)
        query = (
            sa.select(workflows.c.executor_id)
            .where(
                workflows.c.status == "PENDING",
                workflows.c.application_version == application_version,
                workflows.c.executor_id.not_in(live),
            )
            .distinct()
        )
        with self._engine.begin() as connection:
            dead = connection.execute(query).scalars().all()
            connection.execute(leases.delete().where(leases.c.expires_s < now_s - 10 * self._ttl_s))
        return list(dead)


def _workflow_of_run() -> sa.ColumnElement[str]:
    """The id that :func:`voicegauge.jobs.job.workflow_id` gives, within the database."""
    later = jobs.c.job_id + "~" + sa.cast(jobs.c.run, sa.Text)
    return sa.case((jobs.c.run <= 1, jobs.c.job_id), else_=later)


def end_abandoned_jobs(engine: sa.Engine, store: JobStore) -> list[str]:
    """Fail the jobs whose run's workflow ended without recording an end of the job; return their ids."""
    workflows = workflow_status(engine)
    query = (
        sa.select(jobs.c.job_id, jobs.c.run, workflows.c.status)
        .join_from(jobs, workflows, workflows.c.workflow_uuid == _workflow_of_run())
        .where(
            jobs.c.state.in_([JobState.WAITING.value, JobState.PROCESSING.value]),
            workflows.c.status.in_(ENDED_WITHOUT_ANSWER),
        )
    )
    with engine.connect() as connection:
        abandoned = connection.execute(query).all()
    ended = []
    for job_id, run, status in abandoned:
        reason = f"the assessment could not be completed ({status.lower()}); create a new job, and tell the operator"
        if store.fail(job_id, run, Failure("internal_error", reason)):
            log.error("job %s ended without a verdict: its workflow is %s", job_id, status)
            ended.append(job_id)
    return ended


def cancelled_but_working(engine: sa.Engine, store: JobStore) -> list[Job]:
    """Return the jobs that were cancelled lately by someone who did not come to end their workflow."""
    workflows = workflow_status(engine)
    query = (
        sa.select(jobs)
        .join_from(jobs, workflows, workflows.c.workflow_uuid == _workflow_of_run())
        .where(
            jobs.c.state == JobState.FAILED.value,
            jobs.c.updated_s > store.now_s() - CANCELLED_LOOK_BACK_S,
            jobs.c.failure_code == CANCELLED_CODE,
            workflows.c.status.in_(IN_FLIGHT),
        )
    )
    with engine.connect() as connection:
        return [to_job(row) for row in connection.execute(query).mappings()]


class Strays:
    """What the database says runs in this worker, and does not: the answer to its claim was lost with a connection.

    Parameters
    ----------
    engine : Engine
    executor_id : str
    running : callable
        The ids of the workflows that do run here.
    """

    def __init__(self, engine: sa.Engine, executor_id: str, running: Callable[[], Collection[str]]) -> None:
        self._engine = engine
        self._executor_id = executor_id
        self._running = running
        self._seen: set[str] = set()

    def hand_back(self) -> None:
        """Put back what was astray at the last look too: what was claimed this moment is about to run."""
        astray = held_workflows(self._engine, self._executor_id) - set(self._running())
        lasting = astray & self._seen
        if lasting:
            log.warning("%d workflows were claimed and never begun; handing them back", len(lasting))
            hand_back(self._engine, self._executor_id, only=lasting)
        self._seen = astray


class Reaper:
    """A thread that renews this worker's lease, hands on the work of dead workers, and ends what is to be ended.

    Parameters
    ----------
    recover : callable
        Puts the running workflows of the given workers back into their queues.
    cancel : callable
        Ends the workflows of a job.
    strays : Strays
    """

    def __init__(
        self,
        store: JobStore,
        lease: Leases,
        *,
        application_version: str,
        interval_s: float,
        recover: Callable[[Sequence[str]], object],
        cancel: Callable[[Job], object],
        strays: Strays,
    ) -> None:
        self._store = store
        self._lease = lease
        self._application_version = application_version
        self._interval_s = interval_s
        self._recover = recover
        self._cancel = cancel
        self._strays = strays
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-reaper", daemon=True)

    def start(self) -> None:
        """Start looking, at once and then at the interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for a look that is under way."""
        self._stopping.set()
        self._thread.join()

    def look(self) -> None:
        """Renew, recover and end what is to be ended, once."""
        self._lease.renew()
        dead = self._lease.dead_executors(self._application_version)
        if dead:
            log.warning("taking over the work of %d dead worker(s)", len(dead))
            self._recover(dead)
        end_abandoned_jobs(self._store.engine, self._store)
        for job in cancelled_but_working(self._store.engine, self._store):
            self._cancel(job)
        self._strays.hand_back()

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except sa.exc.DBAPIError as error:
                # A database that is away comes back, and then this must go on.
                log.warning("cannot look after leases; trying again in %.1f s: %s", self._interval_s, error.orig)
            except Exception:
                log.exception("cannot look after leases; trying again in %.1f s", self._interval_s)
            if self._stopping.wait(self._interval_s):
                return


@contextlib.contextmanager
def worker_lock(path: Path, *, when_alone: Callable[[], None]) -> Iterator[None]:
    """Hold the shared lock that every worker of one data folder holds while it lives.

    `when_alone` is called first when no other worker lives. The kernel drops the lock of a process that died, so every
    lease is a dead one's then, and no worker can take a lease meanwhile because it needs this lock for it.
    """
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            when_alone()
        fcntl.flock(file, fcntl.LOCK_SH)
        yield
