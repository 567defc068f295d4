"""The database's troubles in words, and a file that is pulled from under it."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from voicegauge.database import machine_error, open_database
from voicegauge.errors import MachineError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "voicegauge.db"


@pytest.fixture
def engine(path: Path) -> Iterator[sa.Engine]:
    engine = open_database(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE kept (text TEXT)")
    yield engine
    engine.dispose()


def _write(engine: sa.Engine, text: str = "x") -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO kept VALUES (:text)"), {"text": text})


def _count(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        count: int = connection.exec_driver_sql("SELECT count(*) FROM kept").scalar_one()
        return count


def _trouble(engine: sa.Engine, text: str = "x") -> str:
    with pytest.raises(sa.exc.DBAPIError) as failed:
        _write(engine, text)
    told = machine_error(failed.value, engine)
    assert told is not None
    return str(told)


def test_the_file_is_its_owner_s_alone(engine: sa.Engine, path: Path) -> None:
    _write(engine)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_folder_that_is_not_there_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="No such file or directory"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'voicegauge.db'}")


def test_a_full_disk_is_told_and_got_over(engine: sa.Engine, path: Path) -> None:
    full = True

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {1 if full else 1_000_000}")

    sa.event.listen(engine, "checkout", limit)
    told = _trouble(engine, "x" * 100_000)
    assert str(path) in told
    assert "the disk is full; free some space" in told
    assert _count(engine) == 0
    full = False
    _write(engine, "x" * 100_000)
    assert _count(engine) == 1


def test_a_read_only_database_is_told(engine: sa.Engine) -> None:
    def forbid(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only = ON")

    sa.event.listen(engine, "checkout", forbid)
    assert "cannot be written" in _trouble(engine)


def test_a_removed_file_is_told_and_none_is_made_in_its_place(engine: sa.Engine, path: Path) -> None:
    for file in path.parent.iterdir():
        file.unlink()
    assert f"{path}: the file is gone" in _trouble(engine)
    assert not path.exists()


def test_a_backup_put_in_place_is_worked_on(engine: sa.Engine, path: Path, tmp_path: Path) -> None:
    engine.dispose()
    shutil.copyfile(path, tmp_path / "backup")
    _write(engine)
    assert _count(engine) == 1
    path.unlink()
    for side_file in path.parent.glob("voicegauge.db-*"):
        side_file.unlink()
    (tmp_path / "backup").rename(path)
    assert _count(engine) == 0


def test_a_damaged_file_is_told(engine: sa.Engine, path: Path) -> None:
    engine.dispose()
    path.write_bytes(b"not a database, but long enough for a header to be looked for" * 100)
    assert "the file is not a database" in _trouble(engine)


def test_a_mistake_in_a_statement_is_not_the_machine_s_fault(engine: sa.Engine) -> None:
    with pytest.raises(sa.exc.OperationalError) as failed, engine.connect() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    assert machine_error(failed.value, engine) is None
    assert machine_error(ValueError(), engine) is None


def test_more_at_once_than_the_database_answers_is_told(engine: sa.Engine) -> None:
    assert "too slowly" in str(machine_error(sa.exc.TimeoutError(), engine))
