"""A job can be run again: its runs are counted, outcomes belong to a run. What is removed is found without a search."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

# SQLite cannot change a key, so there the table is copied, and not all of this could be read back from it.
chunk_outcomes = sa.Table(
    "chunk_outcomes",
    sa.MetaData(),
    sa.Column("job_id", sa.Text, sa.ForeignKey("jobs.job_id", ondelete="CASCADE"), nullable=False),
    sa.Column("chunk", sa.Integer, nullable=False),
    sa.Column("measured", sa.Text),
    sa.Column("failure_code", sa.Text),
    sa.Column("failure_reason", sa.Text),
    sa.Column("recorded_s", sa.BigInteger, nullable=False),
    sa.PrimaryKeyConstraint("job_id", "chunk", name="chunk_outcomes_pkey"),
    sa.CheckConstraint("(measured IS NULL) = (failure_code IS NOT NULL)", name="chunk_outcomes_either"),
    sa.CheckConstraint("(failure_code IS NULL) = (failure_reason IS NULL)", name="chunk_outcomes_reason"),
)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("run", sa.Integer, nullable=False, server_default="1"))
    op.add_column("jobs", sa.Column("uploads_removed_s", sa.BigInteger))
    # The guard would take this for a move; it is made anew after the steps.
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute("DROP TRIGGER IF EXISTS jobs_move" if sqlite else "DROP TRIGGER IF EXISTS jobs_guard ON jobs")
    op.execute("UPDATE jobs SET run = 0 WHERE state = 'CREATING'")
    op.drop_index("jobs_by_state", "jobs")
    op.create_index("jobs_by_state", "jobs", ["state", "updated_s"])
    op.create_index(
        "jobs_with_uploads",
        "jobs",
        ["state", "updated_s"],
        sqlite_where=sa.text("uploads_removed_s IS NULL"),
        postgresql_where=sa.text("uploads_removed_s IS NULL"),
    )
    with op.batch_alter_table("chunk_outcomes", copy_from=chunk_outcomes) as batch:
        batch.add_column(sa.Column("run", sa.Integer, nullable=False, server_default="1"))
        batch.drop_constraint("chunk_outcomes_pkey", type_="primary")
        batch.create_primary_key("chunk_outcomes_pkey", ["job_id", "run", "chunk"])
