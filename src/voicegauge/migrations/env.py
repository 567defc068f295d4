"""Run by Alembic: takes the steps on the connection that :mod:`voicegauge.database` hands over, in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
