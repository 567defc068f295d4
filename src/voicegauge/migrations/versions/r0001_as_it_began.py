"""The tables as they were when every start made what was missing of them, before there were steps."""

import sqlalchemy as sa
from alembic import op

from voicegauge.errors import MachineError

revision = "0001"
down_revision = None

metadata = sa.MetaData()

sa.Table(
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
    sa.CheckConstraint("language IN ('CN', 'EN')", name="jobs_language"),
    sa.CheckConstraint("state IN ('CREATING', 'WAITING', 'PROCESSING', 'SUCCEED', 'FAILED')", name="jobs_state"),
    sa.CheckConstraint("(state = 'SUCCEED') = (result IS NOT NULL)", name="jobs_result"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_code IS NOT NULL)", name="jobs_failure_code"),
    sa.CheckConstraint("(state = 'FAILED') = (failure_reason IS NOT NULL)", name="jobs_failure_reason"),
    sa.Index("jobs_by_project", "project_id", "created_s"),
    sa.Index("jobs_by_state", "state"),
)
sa.Table(
    "chunk_outcomes",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("chunk", sa.Integer, primary_key=True),
    sa.Column("measured", sa.Text),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_reason", sa.Text),
    sa.Column("recorded_s", sa.BigInteger, nullable=False),
    sa.CheckConstraint("(measured IS NULL) = (failure_code IS NOT NULL)", name="chunk_outcomes_either"),
    sa.CheckConstraint("(failure_code IS NULL) = (failure_reason IS NULL)", name="chunk_outcomes_reason"),
)
sa.Table(
    "leases",
    metadata,
    sa.Column("executor_id", sa.Text, primary_key=True),
    sa.Column("expires_s", sa.Double, nullable=False),
)
sa.Table(
    "projects",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("created_s", sa.BigInteger, nullable=False),
)
sa.Table(
    "access_keys",
    metadata,
    sa.Column("access_key", sa.String(20), primary_key=True),
    sa.Column("secret_key", sa.String(40), nullable=False),
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.project_id"), nullable=False, index=True),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("created_s", sa.BigInteger, nullable=False),
    sa.Column("revoked_s", sa.BigInteger),
)


def upgrade() -> None:
    """Take over the tables that are there, and make those that are not: a first start may have been cut short."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    for table in metadata.sorted_tables:
        if not inspector.has_table(table.name):
            continue
        there = {column["name"] for column in inspector.get_columns(table.name)}
        if there != set(table.columns.keys()):
            raise MachineError(
                f"the table {table.name!r} in the database is not one of voicegauge: its columns are {sorted(there)}, "
                f"not {sorted(table.columns.keys())}; give voicegauge a database of its own"
            )
        for index in table.indexes:
            index.create(connection, checkfirst=True)
    metadata.create_all(connection)
