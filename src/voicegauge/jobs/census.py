"""How the jobs stand, for those who watch the service: counted in the database, so every process tells the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from voicegauge.jobs.job import JobState
from voicegauge.jobs.recovery import database_now_s
from voicegauge.jobs.tables import jobs, leases
from voicegauge.jobs.workflow import CHUNK_QUEUE, JOB_QUEUE
from voicegauge.jobs.workflows import workflow_status

__all__ = ["Census", "ChunkCount", "QueueDepth", "ask_database", "count_chunks", "take_census"]


@dataclass(frozen=True)
class QueueDepth:
    """How many wait in a queue, and for how long the first of them has; 0 where none does."""

    waiting: int
    oldest_age_s: float


@dataclass(frozen=True)
class Census:
    """Jobs by state, failed jobs by failure code, what waits in each queue, and how many workers live."""

    jobs: Mapping[JobState, int]
    failures: Mapping[str, int]
    queues: Mapping[str, QueueDepth]
    workers: int


@dataclass(frozen=True)
class ChunkCount:
    """How many chunks a run of a job has been cut into, 0 before it was planned, and how many of them are measured."""

    done: int
    total: int


def ask_database(engine: sa.Engine) -> None:
    """Ask for the least that shows the database answers; raises what SQLAlchemy does where it does not."""
    with engine.connect() as connection:
        # On SQLite a query without a table would not touch the file.
        connection.execute(sa.select(sa.literal(1)).select_from(leases).limit(1))


def take_census(engine: sa.Engine, now_s: Callable[[], float] = time.time) -> Census:
    """Count, within one connection; every state and queue is in the answer, with 0 where there is nothing."""
    with engine.connect() as connection:
        states = _counts(connection, sa.select(jobs.c.state, sa.func.count()).group_by(jobs.c.state))
        failed = jobs.c.state == JobState.FAILED.value
        failures = sa.select(jobs.c.failure_code, sa.func.count()).where(failed).group_by(jobs.c.failure_code)
        live = sa.select(sa.func.count()).select_from(leases).where(leases.c.expires_s > database_now_s(engine))
        return Census(
            jobs={state: states.get(state.value, 0) for state in JobState},
            failures=_counts(connection, failures),
            queues=_queue_depths(connection, now_s()),
            workers=connection.execute(live).scalar_one(),
        )


def count_chunks(engine: sa.Engine, workflow_id: str) -> ChunkCount:
    """Count the chunks that a job's workflow has queued; forgotten with the workflow some time after its end."""
    workflows = workflow_status(engine)
    done = sa.func.count(sa.case((workflows.c.status == "SUCCESS", 1)))
    query = sa.select(done, sa.func.count()).where(workflows.c.parent_workflow_id == workflow_id)
    with engine.connect() as connection:
        return ChunkCount(*connection.execute(query).one())


def _counts(connection: sa.Connection, query: sa.Select[tuple[Any, int]]) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(query)}


def _queue_depths(connection: sa.Connection, now_s: float) -> dict[str, QueueDepth]:
    workflows = workflow_status(connection.engine)
    query = (
        sa.select(workflows.c.queue_name, sa.func.count(), sa.func.min(workflows.c.created_at))
        .where(workflows.c.status == "ENQUEUED")
        .group_by(workflows.c.queue_name)
    )
    depths = {
        queue: QueueDepth(waiting, max(0.0, now_s - oldest_ms / 1000))
        for queue, waiting, oldest_ms in connection.execute(query)
    }
    return {queue: depths.get(queue, QueueDepth(0, 0.0)) for queue in (JOB_QUEUE, CHUNK_QUEUE)}
