from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from tests.wire.double import NOW_S, Clock, Double, build, open_identity_database
from voicegauge.identity import tables


@dataclass(frozen=True)
class Shared:
    clock: Clock
    site: Double
    database: sa.Engine


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One application for all tests: making its routes takes longer than most tests."""
    folder, clock = tmp_path_factory.mktemp("site"), Clock()
    database = open_identity_database(folder)
    with database.connect() as connection:
        # Stays with the file; a commit then makes and removes no journal.
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    yield Shared(clock, build(folder, clock), database)
    database.dispose()


@pytest.fixture
def site(shared: Shared) -> Double:
    """The application with a new project and key, no others, and no jobs."""
    shared.clock.now_s = NOW_S
    shared.site.jobs.jobs.clear()
    with shared.database.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())
    project = shared.site.directory.create_project("cn-north-4")
    return replace(shared.site, project=project, credential=shared.site.directory.create_key(project.project_id))


@pytest.fixture
def clock(shared: Shared, site: Double) -> Clock:
    """The clock of the site, set back to the start."""
    return shared.clock
