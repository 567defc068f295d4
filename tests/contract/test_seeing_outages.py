"""What is seen of a real PostgreSQL that goes away and comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import sqlalchemy as sa

from tests.acceptance.running import until
from tests.servers.postgres import Postgres
from voicegauge.database import open_database, require_current, upgrade
from voicegauge.jobs.census import ask_database, take_census
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness


def test_a_scrape_and_the_readiness_answer_through_an_outage(postgres: Postgres, postgres_url: str) -> None:
    engine = open_database(postgres_url)
    upgrade(engine, backup_folder=None)
    metrics = Metrics(partial(ask_database, engine), partial(take_census, engine))
    checks: dict[str, Callable[[], object]] = {
        "database": partial(ask_database, engine),
        "schema": partial(require_current, engine),
    }
    readiness = Readiness(checks)
    assert "voicegauge_database_up 1.0\n" in metrics.exposition().decode()
    assert 'voicegauge_jobs{state="WAITING"} 0.0\n' in metrics.exposition().decode()
    assert readiness.report().ready
    engine.dispose()
    postgres.stop()
    try:
        text = metrics.exposition().decode()
        assert "voicegauge_database_up 0.0\n" in text
        assert "voicegauge_jobs{" not in text
        report = until(readiness.report, lambda report: all(report.problems.values()))
        assert not report.ready
        password = sa.make_url(postgres_url).password
        assert password
        assert str(password) not in json.dumps(report.body())
    finally:
        postgres.start()
    until(metrics.exposition, lambda text: b"voicegauge_database_up 1.0\n" in text)
    until(readiness.report, lambda report: report.ready)
    engine.dispose()
