"""The tables of jobs, and the engine-side guard of their life.

The triggers are generated from :data:`voicegauge.jobs.job.TRANSITIONS`, so a move that the table does not allow cannot
be made by any process, version or hand.
"""

from __future__ import annotations

import sqlite3

import sqlalchemy as sa

from voicegauge.jobs.job import TRANSITIONS, JobState

__all__ = ["chunk_outcomes", "create_tables", "jobs", "leases", "open_database"]

_metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    _metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("project_id", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("object_key", sa.Text, nullable=False),
    sa.Column("created_s", sa.BigInteger, nullable=False),
    sa.Column("updated_s", sa.BigInteger, nullable=False),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_reason", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("app_user_id", sa.Text),
    sa.Column("run", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("uploads_removed_s", sa.BigInteger),
    sa.CheckConstraint("language IN ('CN', 'EN')", name="jobs_language"),
    sa.CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in JobState)), name="jobs_state"),
    sa.CheckConstraint("(state = 'SUCCEED') = (result IS NOT NULL)", name="jobs_result"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="jobs_failure_code"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_reason IS NOT NULL)", name="jobs_failure_reason"),
    sa.Index("jobs_by_project", "project_id", "created_s"),
    # The janitor and the reaper ask for what ended, or began, before or after a moment.
    sa.Index("jobs_by_state", "state", "updated_s"),
)

chunk_outcomes = sa.Table(
    "chunk_outcomes",
    _metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True, server_default=sa.text("1")),
    sa.Column("chunk", sa.Integer, primary_key=True),
    sa.Column("measured", sa.Text),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_reason", sa.Text),
    sa.Column("recorded_s", sa.BigInteger, nullable=False),
    sa.CheckConstraint("(measured IS NULL) = (failure_code IS NOT NULL)", name="chunk_outcomes_either"),
    sa.CheckConstraint("(failure_code IS NULL) = (failure_reason IS NULL)", name="chunk_outcomes_reason"),
)

leases = sa.Table(
    "leases",
    _metadata,
    sa.Column("executor_id", sa.Text, primary_key=True),
    sa.Column("expires_s", sa.Double, nullable=False),
)

BUSY_TIMEOUT_MS = 30_000


def open_database(url: str) -> sa.Engine:
    """Connect to the database that holds both the jobs and the engine's own tables.

    Parameters
    ----------
    url : str
        `sqlite:///path` or `postgresql://user@host/name`.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = sa.create_engine(parsed, pool_size=20, max_overflow=10)
        sa.event.listen(engine, "connect", _configure_sqlite)
        return engine
    return sa.create_engine(
        parsed.set(drivername="postgresql+psycopg"), pool_size=20, max_overflow=10, pool_pre_ping=True
    )


def _configure_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # Writers queue up at BEGIN; upgrading a read transaction would fail with "database is locked" at once.
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # In WAL mode only FULL makes a commit survive the loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def create_tables(engine: sa.Engine) -> None:
    """Create what is missing of the tables, and the triggers anew; safe to call from several processes."""
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(sa.text("BEGIN IMMEDIATE"))
            statements = _sqlite_triggers()
        else:
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtext('voicegauge.jobs.tables'))"))
            statements = _postgresql_triggers()
        _metadata.create_all(connection)
        for statement in statements:
            connection.exec_driver_sql(statement)


def _legal_move() -> str:
    pairs = sorted(TRANSITIONS)
    return "({})".format(" OR ".join(f"(OLD.state = '{old}' AND NEW.state = '{new}')" for old, new in pairs))


# What only a move may change; when its upload was removed is noted of a job that has ended, and moves nothing.
_GUARDED = "state, run, result, failure_code, failure_reason"


def _sqlite_triggers() -> list[str]:
    return [
        "DROP TRIGGER IF EXISTS jobs_begin",
        f"CREATE TRIGGER jobs_begin BEFORE INSERT ON jobs WHEN NEW.state <> '{JobState.CREATING}' "
        "BEGIN SELECT RAISE(ABORT, 'illegal job state at creation'); END",
        "DROP TRIGGER IF EXISTS jobs_move",
        f"CREATE TRIGGER jobs_move BEFORE UPDATE OF {_GUARDED} ON jobs WHEN NOT {_legal_move()} "
        "BEGIN SELECT RAISE(ABORT, 'illegal job transition'); END",
    ]


def _postgresql_triggers() -> list[str]:
    return [
        "CREATE OR REPLACE FUNCTION voicegauge_guard_jobs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'INSERT' THEN IF NEW.state <> '{JobState.CREATING}' THEN "
        "RAISE EXCEPTION 'illegal job state at creation' USING ERRCODE = 'check_violation'; END IF; "
        f"ELSIF NOT {_legal_move()} THEN "
        "RAISE EXCEPTION 'illegal job transition' USING ERRCODE = 'check_violation'; END IF; "
        "RETURN NEW; END $$",
        "DROP TRIGGER IF EXISTS jobs_guard ON jobs",
        f"CREATE TRIGGER jobs_guard BEFORE INSERT OR UPDATE OF {_GUARDED} ON jobs "
        "FOR EACH ROW EXECUTE FUNCTION voicegauge_guard_jobs()",
    ]
