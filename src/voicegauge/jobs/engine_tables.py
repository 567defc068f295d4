"""The durable engine's own tables, which it makes and upgrades itself, in the database of the jobs."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from dbos import DBOS
from dbos._migration import get_migration_versions, get_sqlite_migration_versions

__all__ = ["migrate_engine_tables", "missing_engine_steps", "quieten"]

SCHEMA = "dbos"


def missing_engine_steps(engine: sa.Engine) -> int:
    """Return how many versions the engine's tables are behind this program; 0 where a newer one upgraded them."""
    # Not public, which is one reason for pinning the engine's version.
    if engine.dialect.name == "postgresql":
        recorded, required = get_migration_versions(engine, SCHEMA, True)
    else:
        recorded, required = get_sqlite_migration_versions(engine)
    return max(0, required - recorded)


def migrate_engine_tables(engine: sa.Engine) -> None:
    """Make or upgrade the engine's tables; of several processes that call this at once, one does it."""
    quieten()
    DBOS.migrate(engine.url.render_as_string(hide_password=False), schema=SCHEMA)


def quieten() -> None:
    """Send the engine's messages to the application's log, and only those that matter."""
    # With a handler of ours in place, it adds none of its own.
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.WARNING)
