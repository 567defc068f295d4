"""Jobs in a database: SQLite on one machine, PostgreSQL on many."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.job import TRANSITIONS, Job, JobState
from voicegauge.jobs.tables import chunk_outcomes, jobs

__all__ = ["ChunkOutcome", "Failure", "JobStore"]


@dataclass(frozen=True)
class Failure:
    """Why there cannot be a verdict: a stable word for programs, a sentence for people."""

    code: str
    reason: str


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
        From :func:`voicegauge.database.open_database`.
    now_s : callable
        The current Unix time in seconds.
    """

    def __init__(self, engine: sa.Engine, now_s: Callable[[], float]) -> None:
        self.engine = engine
        self._now_s = now_s

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
            return [_to_job(row) for row in connection.execute(query).mappings()]

    def commit(self, connection: sa.Connection, job_id: str, frozen_key: str) -> bool:
        """Move a created job, and its frozen upload's key, to WAITING within the caller's transaction.

        False where it was committed before.
        """
        return self._move(connection, job_id, JobState.WAITING, object_key=frozen_key)

    def begin(self, job_id: str) -> Job:
        """Move a waiting job to PROCESSING and return it; a job that is there or beyond is returned as it is."""
        with self.engine.begin() as connection:
            self._move(connection, job_id, JobState.PROCESSING)
            return self._one(connection, job_id)

    def succeed(self, job_id: str, result: Mapping[str, Any]) -> bool:
        """Record the verdict; False where the job has ended before, whose end then stands."""
        with self.engine.begin() as connection:
            return self._move(connection, job_id, JobState.SUCCEED, result=_to_json(result))

    def fail(self, job_id: str, failure: Failure) -> bool:
        """Record that there cannot be a verdict; False where the job has ended before, whose end then stands."""
        with self.engine.begin() as connection:
            return self._move(
                connection,
                job_id,
                JobState.FAILED,
                failure_code=failure.code,
                failure_reason=failure.reason,
            )

    def record_chunk(self, job_id: str, chunk: int, measured: Sequence[Mapping[str, Any]]) -> None:
        """Keep the measurements of a chunk; the first outcome of a chunk stands, a later one is dropped."""
        self._record(job_id, chunk, measured=_to_json(measured))

    def record_chunk_failure(self, job_id: str, chunk: int, failure: Failure) -> None:
        """Keep why a chunk has no measurements; the first outcome of a chunk stands, a later one is dropped."""
        self._record(job_id, chunk, failure_code=failure.code, failure_reason=failure.reason)

    def chunk_outcomes(self, job_id: str) -> list[ChunkOutcome]:
        """Return the outcomes recorded so far, in the order of the chunks."""
        query = chunk_outcomes.select().where(chunk_outcomes.c.job_id == job_id).order_by(chunk_outcomes.c.chunk)
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
        return _to_job(row)

    def _move(self, connection: sa.Connection, job_id: str, new: JobState, **values: str) -> bool:
        before = [old.value for old, to in TRANSITIONS if to is new]
        moved = connection.execute(
            jobs.update()
            .where(jobs.c.job_id == job_id, jobs.c.state.in_(before))
            .values(state=new.value, updated_s=int(self._now_s()), **values)
        )
        return moved.rowcount == 1

    def _record(self, job_id: str, chunk: int, **values: str) -> None:
        insert = postgresql.insert if self.engine.dialect.name == "postgresql" else sqlite.insert
        with self.engine.begin() as connection:
            connection.execute(
                insert(chunk_outcomes)
                .values(job_id=job_id, chunk=chunk, recorded_s=int(self._now_s()), **values)
                .on_conflict_do_nothing()
            )


def _to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _to_job(row: sa.RowMapping) -> Job:
    values = {name: value for name, value in row.items() if name not in ("run", "uploads_removed_s")}
    return Job(
        **values
        | {
            "state": JobState(values["state"]),
            "result": None if values["result"] is None else json.loads(values["result"]),
        }
    )
