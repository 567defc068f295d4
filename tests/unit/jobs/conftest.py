import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from voicegauge.database import open_database, upgrade


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, to be copied: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("prepared") / "jobs.sqlite"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine, backup_folder=None)
    engine.dispose()
    return path


@pytest.fixture
def database(prepared: Path, tmp_path: Path) -> Iterator[sa.Engine]:
    path = tmp_path / "jobs.sqlite"
    shutil.copyfile(prepared, path)
    engine = open_database(f"sqlite:///{path}")
    yield engine
    engine.dispose()
