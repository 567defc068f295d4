"""How the jobs stand, for those who watch the service: counted in the database, so every process tells the same."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from voicegauge.jobs.job import JobState
from voicegauge.jobs.recovery import database_now_s
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.tables import jobs, leases
from voicegauge.jobs.workflow import CHUNK_QUEUE, JOB_QUEUE
from voicegauge.jobs.workflows import QueueDepth, queue_depths, workflow_status

__all__ = ["Census", "ChunkCount", "ask_database", "count_chunks", "take_census"]


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


def take_census(engine: sa.Engine) -> Census:
    """Count; every state and queue is in the answer, with 0 where there is nothing."""
    failed = jobs.c.state == JobState.FAILED.value
    failures = sa.select(jobs.c.failure_code, sa.func.count()).where(failed).group_by(jobs.c.failure_code)
    live = sa.select(sa.func.count()).select_from(leases).where(leases.c.expires_s > database_now_s(engine))
    with engine.connect() as connection:
        by_code = {row.failure_code: row[1] for row in connection.execute(failures)}
        workers = connection.execute(live).scalar_one()
    return Census(
        jobs=JobStore(engine, time.time).counts(),
        failures=by_code,
        queues=queue_depths(engine, (JOB_QUEUE, CHUNK_QUEUE), time.time()),
        workers=workers,
    )


def count_chunks(engine: sa.Engine, workflow_id: str) -> ChunkCount:
    """Count the chunks that a job's workflow has queued; forgotten with the workflow some time after its end."""
    workflows = workflow_status(engine)
    done = sa.func.count(sa.case((workflows.c.status == "SUCCESS", 1)))
    query = sa.select(done, sa.func.count()).where(workflows.c.parent_workflow_id == workflow_id)
    with engine.connect() as connection:
        return ChunkCount(*connection.execute(query).one())
