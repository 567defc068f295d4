"""Jobs in a database: SQLite on one machine, PostgreSQL on many."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.tables import chunk_outcomes, jobs

__all__ = ["CANCELLED_CODE", "ChunkOutcome", "Failure", "JobStore", "to_job"]


@dataclass(frozen=True)
class Failure:
    """Why there cannot be a verdict: a stable word for programs, a sentence for people."""

    code: str
    reason: str


CANCELLED_CODE = "cancelled"
_CANCELLED = {
    "CN": Failure(CANCELLED_CODE, "任务已取消；如需评估，请新建任务并重新上传录音"),
    "EN": Failure(CANCELLED_CODE, "the job was cancelled; create a new job to have the recordings assessed"),
}


@dataclass(frozen=True)
class ChunkOutcome:
    """What became of one chunk of a job: its measurements in JSON form, or a failure."""

    chunk: int
    measured: list[dict[str, Any]] | None
    failure: Failure | None


class JobStore:
    """The jobs, their chunks' outcomes, and nothing else.

    Every change of state is one UPDATE that names the state it expects, so of several processes that try, one succeeds.

    Parameters
    ----------
    engine : Engine
        From :func:`voicegauge.jobs.tables.open_database`.
    now_s : callable
        The current Unix time in seconds.
    """

    def __init__(self, engine: sa.Engine, now_s: Callable[[], float]) -> None:
        self.engine = engine
        self.now_s = now_s

    def create(self, job: Job) -> None:
        """Insert a new job; its state must be CREATING."""
        with self.engine.begin() as connection:
            connection.execute(
                jobs.insert().values(
                    job_id=job.job_id,
                    project_id=job.project_id,
                    language=job.language,
                    state=job.state.value,
                    object_key=job.object_key,
                    created_s=job.created_s,
                    updated_s=job.updated_s,
                    app_user_id=job.app_user_id,
                    run=job.run,
                )
            )

    def get(self, project_id: str, job_id: str) -> Job:
        """Return a job of the project; raises JobNotFoundError for one of another project too."""
        with self.engine.connect() as connection:
            return self._one(connection, job_id, jobs.c.project_id == project_id)

    def find(self, job_id: str) -> Job:
        """Return a job of any project; raises JobNotFoundError."""
        with self.engine.connect() as connection:
            return self._one(connection, job_id)

    def latest(
        self, *, project_id: str | None = None, states: Sequence[JobState] = tuple(JobState), limit: int = 100
    ) -> list[Job]:
        """Return the newest jobs, of one project or of all, in the given states."""
        query = jobs.select().where(jobs.c.state.in_([state.value for state in states]))
        if project_id is not None:
            query = query.where(jobs.c.project_id == project_id)
        query = query.order_by(jobs.c.created_s.desc(), jobs.c.job_id).limit(limit)
        with self.engine.connect() as connection:
            return [to_job(row) for row in connection.execute(query).mappings()]

    def commit(self, connection: sa.Connection, job_id: str, frozen_key: str) -> bool:
        """Move a created job, and its frozen upload's key, to WAITING within the caller's transaction.

        False where it is no longer CREATING.
        """
        created = (JobState.CREATING,)
        return self._move(connection, job_id, None, created, JobState.WAITING, run=1, object_key=frozen_key)

    def retry(self, connection: sa.Connection, job_id: str) -> Job | None:
        """Give a failed job to the workers again, within the caller's transaction, and return it with its new run.

        None where it has not failed, was never committed, or its upload was removed.
        """
        retried = connection.execute(
            jobs.update()
            .where(
                jobs.c.job_id == job_id,
                jobs.c.state == JobState.FAILED.value,
                jobs.c.run > 0,
                jobs.c.uploads_removed_s.is_(None),
            )
            .values(
                state=JobState.WAITING.value,
                run=jobs.c.run + 1,
                updated_s=int(self.now_s()),
                failure_code=None,
                failure_reason=None,
            )
        )
        return self._one(connection, job_id) if retried.rowcount == 1 else None

    def begin(self, job_id: str, run: int) -> Job:
        """Move a waiting run of a job to PROCESSING and return the job; anything else is returned as it is."""
        with self.engine.begin() as connection:
            self._move(connection, job_id, run, (JobState.WAITING,), JobState.PROCESSING)
            return self._one(connection, job_id)

    def in_work(self, job_id: str, run: int) -> bool:
        """Tell whether this run of the job is the one that is PROCESSING."""
        query = sa.select(sa.func.count()).where(*_running(job_id, run))
        with self.engine.connect() as connection:
            return connection.execute(query).scalar_one() == 1

    def succeed(self, job_id: str, run: int, result: Mapping[str, Any]) -> bool:
        """Record the verdict of a run; False where it is over: the job has ended, or is in a later run."""
        return self._end(job_id, run, (JobState.PROCESSING,), JobState.SUCCEED, result=_to_json(result))

    def fail(self, job_id: str, run: int, failure: Failure) -> bool:
        """Record that a run cannot give a verdict; False where it is over: the job has ended, or is in a later run."""
        before = (JobState.WAITING, JobState.PROCESSING)
        return self._end(job_id, run, before, JobState.FAILED, failure_code=failure.code, failure_reason=failure.reason)

    def cancel(self, job_id: str) -> bool:
        """End a job that has not ended; False where it has. Raises JobNotFoundError."""
        failure = _CANCELLED[self.find(job_id).language]
        before = (JobState.CREATING, JobState.WAITING, JobState.PROCESSING)
        return self._end(
            job_id, None, before, JobState.FAILED, failure_code=failure.code, failure_reason=failure.reason
        )

    def record_chunk(self, job_id: str, run: int, chunk: int, measured: Sequence[Mapping[str, Any]]) -> None:
        """Keep the measurements of a chunk; the first outcome stands, and none comes after the end of the run."""
        self._record(job_id, run, chunk, measured=_to_json(measured))

    def record_chunk_failure(self, job_id: str, run: int, chunk: int, failure: Failure) -> None:
        """Keep why a chunk has no measurements; the first outcome stands, and none comes after the end of the run."""
        self._record(job_id, run, chunk, failure_code=failure.code, failure_reason=failure.reason)

    def chunk_outcomes(self, job_id: str, run: int) -> list[ChunkOutcome]:
        """Return the outcomes recorded so far, in the order of the chunks; the end of the run takes them away."""
        query = (
            chunk_outcomes.select()
            .where(chunk_outcomes.c.job_id == job_id, chunk_outcomes.c.run == run)
            .order_by(chunk_outcomes.c.chunk)
        )
        with self.engine.connect() as connection:
            return [
                ChunkOutcome(
                    row["chunk"],
                    None if row["measured"] is None else json.loads(row["measured"]),
                    None if row["failure_code"] is None else Failure(row["failure_code"], row["failure_reason"]),
                )
                for row in connection.execute(query).mappings()
            ]

    def _one(self, connection: sa.Connection, job_id: str, *conditions: sa.ColumnElement[bool]) -> Job:
        row = connection.execute(jobs.select().where(jobs.c.job_id == job_id, *conditions)).mappings().one_or_none()
        if row is None:
            raise JobNotFoundError(job_id)
        return to_job(row)

    def _move(
        self,
        connection: sa.Connection,
        job_id: str,
        of_run: int | None,
        before: Sequence[JobState],
        new: JobState,
        **values: str | int,
    ) -> bool:
        query = jobs.update().where(jobs.c.job_id == job_id, jobs.c.state.in_([old.value for old in before]))
        if of_run is not None:
            query = query.where(jobs.c.run == of_run)
        moved = connection.execute(query.values(state=new.value, updated_s=int(self.now_s()), **values))
        return moved.rowcount == 1

    def _end(self, job_id: str, run: int | None, before: Sequence[JobState], new: JobState, **values: str) -> bool:
        with self.engine.begin() as connection:
            if not self._move(connection, job_id, run, before, new, **values):
                return False
            connection.execute(chunk_outcomes.delete().where(chunk_outcomes.c.job_id == job_id))
            return True

    def _record(self, job_id: str, run: int, chunk: int, **values: str) -> None:
        insert = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        row: dict[str, Any] = {"job_id": job_id, "run": run, "chunk": chunk, "recorded_s": int(self.now_s()), **values}
        types = {column.name: column.type for column in chunk_outcomes.c}
        only_in_work = sa.select(*(sa.literal(value, types[name]) for name, value in row.items())).where(
            sa.exists().where(*_running(job_id, run))
        )
        with self.engine.begin() as connection:
            connection.execute(insert(chunk_outcomes).from_select(list(row), only_in_work).on_conflict_do_nothing())


def _running(job_id: str, run: int) -> tuple[sa.ColumnElement[bool], ...]:
    return jobs.c.job_id == job_id, jobs.c.run == run, jobs.c.state == JobState.PROCESSING.value


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def to_job(row: sa.RowMapping) -> Job:
    """Make a job of a row of the table."""
    values = dict(row)
    return Job(
        **values
        | {
            "state": JobState(values["state"]),
            "result": None if values["result"] is None else json.loads(values["result"]),
        }
    )
