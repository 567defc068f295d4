import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from voicegauge.jobs.tables import open_database


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making one takes longer than most tests."""
    # The durable engine takes long to import, so only a process that runs these tests does.
    from voicegauge.jobs.engine import prepare_database

    path = tmp_path_factory.mktemp("prepared") / "jobs.sqlite"
    engine = open_database(f"sqlite:///{path}")
    prepare_database(engine)
    engine.dispose()
    return path


@pytest.fixture
def database(prepared: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "jobs.sqlite"
    shutil.copyfile(prepared, path)
    engine = open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()
