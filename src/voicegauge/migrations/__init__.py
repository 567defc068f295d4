"""The steps that a database takes from one version's tables to the next one's; Alembic runs them.

A new step is a file in `versions`, written by hand: `revision` is the next number, `down_revision` the one before. It
must not import our tables, which go on changing. tests/contract/test_database.py checks that the steps lead to the
tables of :mod:`voicegauge.jobs.tables` and :mod:`voicegauge.identity.tables`. Whoever changes the legal moves of
:mod:`voicegauge.jobs.job` adds a step too, even an empty one: with it, the triggers are made anew.
"""
