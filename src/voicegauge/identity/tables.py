"""The tables of projects and their access keys.

Secrets are stored as they are, since verifying a signature needs them: the database must be readable by the service
alone. A SQLite file is for the service to create with mode 0600.
"""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["access_keys", "metadata", "projects"]

metadata = sa.MetaData()

projects = sa.Table(
    "projects",
    metadata,
    sa.Column("project_id", sa.String(64), primary_key=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("domain_id", sa.String(64), nullable=False),
    sa.Column("created_s", sa.BigInteger, nullable=False),
)

access_keys = sa.Table(
    "access_keys",
    metadata,
    sa.Column("access_key", sa.String(20), primary_key=True),
    sa.Column("secret_key", sa.String(40), nullable=False),
    sa.Column("project_id", sa.String(64), sa.ForeignKey("projects.project_id"), nullable=False, index=True),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("created_s", sa.BigInteger, nullable=False),
    sa.Column("revoked_s", sa.BigInteger),
)
