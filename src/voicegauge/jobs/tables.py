"""The tables of jobs, and the engine-side guard of their life.

The triggers are generated from :data:`voicegauge.jobs.job.TRANSITIONS`, so a move that the table does not allow cannot
be made by any process, version or hand. :mod:`voicegauge.database` puts both into a database.
"""

from __future__ import annotations

import sqlalchemy as sa

from voicegauge.jobs.job import TRANSITIONS, JobState

__all__ = ["chunk_outcomes", "guard_statements", "jobs", "leases", "metadata"]

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
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
    sa.Column("run", sa.Integer, nullable=False, server_default="1"),
    sa.Column("uploads_removed_s", sa.BigInteger),
    sa.CheckConstraint("language IN ('CN', 'EN')", name="jobs_language"),
    sa.CheckConstraint("state IN ({})".format(", ".join(f"'{state}'" for state in JobState)), name="jobs_state"),
    sa.CheckConstraint("(state = 'SUCCEED') = (result IS NOT NULL)", name="jobs_result"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="jobs_failure_code"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_reason IS NOT NULL)", name="jobs_failure_reason"),
    sa.Index("jobs_by_project", "project_id", "created_s"),
    sa.Index("jobs_by_state", "state", "updated_s"),
)
# Jobs are kept for much longer than their uploads, so most of the ended ones have none.
sa.Index(
    "jobs_with_uploads",
    jobs.c.state,
    jobs.c.updated_s,
    sqlite_where=jobs.c.uploads_removed_s.is_(None),
    postgresql_where=jobs.c.uploads_removed_s.is_(None),
)

chunk_outcomes = sa.Table(
    "chunk_outcomes",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True, server_default="1"),
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
    metadata,
    sa.Column("executor_id", sa.Text, primary_key=True),
    sa.Column("expires_s", sa.Double, nullable=False),
)


def guard_statements(dialect: str) -> list[str]:
    """Return the SQL that puts the triggers into a database of this dialect, or puts them anew."""
    return _postgresql_triggers() if dialect == "postgresql" else _sqlite_triggers()


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
