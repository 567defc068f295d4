"""The durable engine's own table, as far as we look at it and change it.

It is not a public interface, which is one reason for pinning the engine's version; the contract tests run every
statement here on both databases.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

__all__ = [
    "ENDED_WITHOUT_ANSWER",
    "IN_FLIGHT",
    "ended_workflows",
    "hand_back",
    "held_workflows",
    "outstanding",
    "workflow_status",
]

IN_FLIGHT = ("ENQUEUED", "PENDING")
ENDED_WITHOUT_ANSWER = ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")

_COLUMNS = (
    "workflow_uuid",
    "status",
    "executor_id",
    "application_version",
    "queue_name",
    "queue_partition_key",
    "recovery_attempts",
    "owner_xid",
    "started_at_epoch_ms",
    "created_at",
    "updated_at",
    "completed_at",
    "parent_workflow_id",
)


def workflow_status(engine: sa.Engine) -> sa.TableClause:
    """Return the table of the workflows."""
    schema = "dbos" if engine.dialect.name == "postgresql" else None
    return sa.table("workflow_status", *(sa.column(name) for name in _COLUMNS), schema=schema)


def held_workflows(engine: sa.Engine, executor_id: str) -> set[str]:
    """Return the workflows that run in a worker, as the database knows them."""
    workflows = workflow_status(engine)
    query = sa.select(workflows.c.workflow_uuid).where(
        workflows.c.status == sa.literal_column("'PENDING'"), workflows.c.executor_id == executor_id
    )
    with engine.connect() as connection:
        return set(connection.execute(query).scalars())


def hand_back(engine: sa.Engine, executor_id: str, *, only: Collection[str] | None = None) -> int:
    """Put what runs in a worker, or only some of it, back into its queue as if it had not begun; return how much.

    Unlike a recovery this is not counted toward the limit of starts. Only for what does not really run any more.
    """
    workflows = workflow_status(engine)
    query = sa.update(workflows).where(
        workflows.c.status == sa.literal_column("'PENDING'"), workflows.c.executor_id == executor_id
    )
    if only is not None:
        query = query.where(workflows.c.workflow_uuid.in_(only))
    with engine.begin() as connection:
        return connection.execute(
            query.values(
                status="ENQUEUED",
                owner_xid=None,
                started_at_epoch_ms=None,
                recovery_attempts=workflows.c.recovery_attempts - 1,
            )
        ).rowcount


def outstanding(engine: sa.Engine, queue_name: str, partition_key: str, *, most: int) -> int:
    """Count the workflows of a partition that are queued or running, up to so many."""
    workflows = workflow_status(engine)
    found = (
        sa.select(workflows.c.workflow_uuid)
        .where(
            workflows.c.queue_name == queue_name,
            workflows.c.status.in_([sa.literal_column(f"'{status}'") for status in IN_FLIGHT]),
            workflows.c.queue_partition_key == partition_key,
        )
        .limit(most)
        .subquery()
    )
    with engine.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(found)).scalar_one()


def ended_workflows(engine: sa.Engine, *, before_s: float, most: int) -> list[str]:
    """Return workflows that ended before a moment, together with what they started; none whose parent is kept."""
    workflows = workflow_status(engine)
    parents = workflow_status(engine).alias("parents")
    ended = (
        sa.select(workflows.c.workflow_uuid)
        .where(
            workflows.c.completed_at < int(before_s * 1000),
            workflows.c.status.not_in(IN_FLIGHT),
            sa.or_(
                workflows.c.parent_workflow_id.is_(None),
                sa.not_(sa.exists().where(parents.c.workflow_uuid == workflows.c.parent_workflow_id)),
            ),
        )
        .order_by(workflows.c.completed_at)
        .limit(most)
    )
    with engine.connect() as connection:
        roots = list(connection.execute(ended).scalars())
        children = connection.execute(
            sa.select(workflows.c.workflow_uuid).where(
                workflows.c.parent_workflow_id.in_(roots), workflows.c.status.not_in(IN_FLIGHT)
            )
        ).scalars()
        return [*roots, *children]
