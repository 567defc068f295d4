"""The database's way from any state to the tables that this version needs, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.contract import before_steps
from tests.contract.scripted_pipeline import PATIENCE_S
from voicegauge import database
from voicegauge.database import open_database, require_current, revision_of, revisions, upgrade
from voicegauge.errors import MachineError, UsageError
from voicegauge.identity.tables import metadata as identity_tables
from voicegauge.jobs.job import TRANSITIONS, JobState
from voicegauge.jobs.tables import metadata as jobs_tables

ROOT = Path(__file__).parents[2]
MODELS = (jobs_tables, identity_tables)
STARTS = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgres_url")
        return found
    return f"sqlite:///{tmp_path / 'voicegauge.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


def _shape(engine: sa.Engine) -> dict[str, Any]:
    """Everything about our tables, in an order of its own."""
    inspector = sa.inspect(engine)
    shape = {}
    for name in sorted(table.name for metadata in MODELS for table in metadata.tables.values()):
        shape[name] = {
            "columns": {
                column["name"]: (str(column["type"]), column["nullable"], column["default"])
                for column in inspector.get_columns(name)
            },
            "primary key": inspector.get_pk_constraint(name)["constrained_columns"],
            "checks": {check["name"]: check["sqltext"] for check in inspector.get_check_constraints(name)},
            "indexes": sorted(
                (index["name"], index["column_names"], {key: str(of) for key, of in index["dialect_options"].items()})
                for index in inspector.get_indexes(name)
                if not index.get("duplicates_constraint")
            ),
            "foreign keys": [
                (key["constrained_columns"], key["referred_table"], key["referred_columns"], key["options"])
                for key in inspector.get_foreign_keys(name)
            ],
            "unique": sorted(unique["column_names"] for unique in inspector.get_unique_constraints(name)),
        }
    return shape


def _difference_from_models(engine: sa.Engine) -> list[Any]:
    ours = {table for metadata in MODELS for table in metadata.tables}
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_server_default": True,
                "include_object": lambda _object, name, kind, reflected, _other: kind != "table" or name in ours,
            },
        )
        merged = sa.MetaData()
        for metadata in MODELS:
            for table in metadata.tables.values():
                table.to_metadata(merged)
        return list(compare_metadata(context, merged))


def _execute(engine: sa.Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _rows(engine: sa.Engine, query: str) -> list[Any]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(query)]


def test_the_steps_lead_to_the_tables_that_the_code_knows(engine: sa.Engine, tmp_path: Path) -> None:
    upgrade(engine, backup_folder=tmp_path)
    assert _difference_from_models(engine) == []
    stepped = _shape(engine)
    _execute(
        engine, *(f"DROP TABLE {table}" for table in ("chunk_outcomes", "jobs", "leases", "access_keys", "projects"))
    )
    for metadata in MODELS:
        metadata.create_all(engine)
    assert stepped == _shape(engine)


def test_a_table_that_lacks_a_column_would_be_seen(engine: sa.Engine, tmp_path: Path) -> None:
    upgrade(engine, backup_folder=tmp_path)
    _execute(engine, "ALTER TABLE jobs DROP COLUMN app_user_id")
    assert _difference_from_models(engine) != []


def test_a_database_of_before_the_steps_is_taken_over_with_all_its_rows(engine: sa.Engine, tmp_path: Path) -> None:
    before_steps.fill(engine)
    upgrade(engine, backup_folder=tmp_path / "backups")
    require_current(engine)
    assert _difference_from_models(engine) == []
    assert _rows(engine, "SELECT job_id, state, result, app_user_id, run, uploads_removed_s FROM jobs ORDER BY 1") == [
        ("ended", "SUCCEED", '{"ok":true}', "user", 1, None),
        ("in work", "PROCESSING", None, None, 1, None),
    ]
    outcomes = "SELECT job_id, run, chunk, measured, failure_code, recorded_s FROM chunk_outcomes ORDER BY 1"
    assert _rows(engine, outcomes) == [("ended", 1, 0, "[]", None, 1), ("in work", 1, 0, None, "code", 2)]
    assert _rows(engine, "SELECT secret_key FROM access_keys") == [("SK",)]
    _execute(engine, "DELETE FROM jobs WHERE job_id = 'ended'")
    assert _rows(engine, "SELECT job_id FROM chunk_outcomes") == [("in work",)]


@pytest.mark.parametrize("tables", [5, 7])
def test_a_first_start_that_was_cut_short_is_made_whole(engine: sa.Engine, tmp_path: Path, tables: int) -> None:
    before_steps.fill(engine, tables=tables)
    upgrade(engine, backup_folder=tmp_path)
    assert _difference_from_models(engine) == []


def test_the_tables_of_another_program_are_left_alone(engine: sa.Engine, tmp_path: Path) -> None:
    _execute(engine, "CREATE TABLE jobs (id INTEGER PRIMARY KEY)", "INSERT INTO jobs VALUES (7)")
    with pytest.raises(MachineError, match=r"'jobs'.*database of its own"):
        upgrade(engine, backup_folder=tmp_path)
    assert _rows(engine, "SELECT id FROM jobs") == [(7,)]
    assert revision_of(engine) is None
    assert not sa.inspect(engine).has_table("leases")


def test_the_guards_of_before_are_replaced_by_those_of_the_code(engine: sa.Engine, tmp_path: Path) -> None:
    before_steps.fill(engine)
    _execute(engine, "INSERT INTO jobs VALUES ('new', 'p', 'EN', 'CREATING', 'k', 1, 1, NULL, NULL, NULL, NULL)")
    upgrade(engine, backup_folder=tmp_path)
    move = sa.text("UPDATE jobs SET state = :state, failure_code = :why, failure_reason = :why WHERE job_id = 'new'")
    allowed = set()
    for new in (JobState.CREATING, JobState.WAITING, JobState.PROCESSING, JobState.FAILED):
        with engine.connect() as connection, contextlib.suppress(sa.exc.IntegrityError):
            connection.execute(move, {"state": new.value, "why": "why" if new is JobState.FAILED else None})
            allowed.add((JobState.CREATING, new))
    assert allowed == {(old, new) for old, new in TRANSITIONS if old is JobState.CREATING}


def test_whoever_only_connects_changes_nothing(engine: sa.Engine) -> None:
    with pytest.raises(MachineError, match="voicegauge migrate"):
        require_current(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_an_older_database_is_refused_by_a_node_and_the_command_is_named(engine: sa.Engine, tmp_path: Path) -> None:
    before_steps.fill(engine)
    with pytest.raises(MachineError, match=f"revision none.*needs {revisions()[-1]}.*`voicegauge migrate`"):
        require_current(engine)


def test_an_engine_that_is_behind_is_refused_and_upgraded(engine: sa.Engine, tmp_path: Path) -> None:
    upgrade(engine, backup_folder=tmp_path)
    schema = "dbos" if engine.dialect.name == "postgresql" else None
    versions = sa.table("dbos_migrations", sa.column("version"), schema=schema)
    with engine.begin() as connection:
        connection.execute(versions.update().values(version=versions.c.version - 1))
    with pytest.raises(MachineError, match=r"and 1 steps of the engine: .*`voicegauge migrate`"):
        require_current(engine)


@pytest.mark.parametrize("call", [upgrade, require_current])
def test_a_newer_database_is_refused_unharmed(engine: sa.Engine, tmp_path: Path, call: Any) -> None:
    upgrade(engine, backup_folder=tmp_path)
    _execute(engine, "UPDATE alembic_version SET version_num = '9999'")
    options = {"backup_folder": tmp_path} if call is upgrade else {}
    with pytest.raises(MachineError, match=r"newer voicegauge: it is of revision 9999"):
        call(engine, **options)
    assert revision_of(engine) == "9999"


def _break_the_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    # The last statements of an upgrade, after every step was taken.
    monkeypatch.setattr(database, "guard_statements", lambda _dialect: ["CREATE TABLE half (way INTEGER)", "NONSENSE"])


def test_a_step_that_fails_leaves_the_database_as_it_was(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_steps.fill(engine)
    shape, rows = _shape(engine), _rows(engine, "SELECT * FROM jobs ORDER BY 1")
    with monkeypatch.context() as broken:
        _break_the_last_step(broken)
        with pytest.raises(MachineError, match=r"could not be upgraded from revision none to .* as it was: .*NONSENSE"):
            upgrade(engine, backup_folder=tmp_path)
    assert _shape(engine) == shape
    assert _rows(engine, "SELECT * FROM jobs ORDER BY 1") == rows
    assert revision_of(engine) is None
    assert not sa.inspect(engine).has_table("half")
    upgrade(engine, backup_folder=tmp_path)
    require_current(engine)


def test_an_upgraded_sqlite_database_keeps_its_references(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'voicegauge.db'}")
    before_steps.fill(engine)
    upgrade(engine, backup_folder=tmp_path)
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
        _execute(engine, "INSERT INTO chunk_outcomes (job_id, chunk, measured, recorded_s) VALUES ('?', 0, '[]', 1)")
    engine.dispose()


def test_what_is_upgraded_is_backed_up_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'voicegauge.db'}")
    before_steps.fill(engine)
    folder = tmp_path / "backups"
    upgrade(engine, backup_folder=folder)
    (backup,) = folder.iterdir()
    assert backup.name.startswith("voicegauge-0000-")
    assert str(backup) in caplog.text
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    with closing(sqlite3.connect(backup)) as copy:
        assert copy.execute("SELECT job_id FROM jobs ORDER BY 1").fetchall() == [("ended",), ("in work",)]
        assert copy.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone() == (0,)
    upgrade(engine, backup_folder=folder)
    assert list(folder.iterdir()) == [backup]
    engine.dispose()


def test_a_new_database_needs_no_backup(engine: sa.Engine, tmp_path: Path) -> None:
    upgrade(engine, backup_folder=tmp_path / "backups")
    assert not (tmp_path / "backups").exists()


def test_without_room_for_the_backup_nothing_is_upgraded(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'voicegauge.db'}")
    before_steps.fill(engine)
    (tmp_path / "backups").write_text("a file where the folder should be")
    with pytest.raises(MachineError, match=r"cannot back up .*backups.*not upgraded"):
        upgrade(engine, backup_folder=tmp_path / "backups")
    assert revision_of(engine) is None
    engine.dispose()


UPGRADE = """
import sys
from pathlib import Path
from voicegauge.database import open_database, require_current, upgrade
engine = open_database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
upgrade(engine, backup_folder=Path(sys.argv[2]))
require_current(engine)
"""


@pytest.mark.parametrize("before", ["empty", "old"])
def test_of_many_that_start_at_once_one_upgrades(engine: sa.Engine, url: str, tmp_path: Path, before: str) -> None:
    if before == "old":
        before_steps.fill(engine)
    backups = tmp_path / "backups"
    starts = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", UPGRADE, url, str(backups)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(STARTS)
    ]
    for start in starts:
        assert start.stdout is not None
        assert start.stdout.readline() == "ready\n"
    for start in starts:
        assert start.stdin is not None
        start.stdin.write("go\n")
        start.stdin.flush()
    ends = [(*start.communicate(timeout=PATIENCE_S), start.returncode) for start in starts]
    assert [(errors, code) for _, errors, code in ends if code] == []
    assert _difference_from_models(engine) == []
    copies = 1 if before == "old" and engine.dialect.name == "sqlite" else 0
    assert len(list(backups.glob("*"))) == copies


@pytest.mark.parametrize("address", ["mysql://user:secret@host/name", "user:secret@host"])
def test_an_address_of_something_else_is_refused_without_its_password(address: str) -> None:
    with pytest.raises(UsageError, match="postgresql://user@host/name") as refused:
        open_database(address)
    assert "secret" not in str(refused.value)


def test_a_server_that_is_away_is_said_plainly_without_its_password() -> None:
    engine = open_database("postgresql://someone:secret@127.0.0.1:1/name")
    with pytest.raises(MachineError, match=r"postgresql://someone:\*\*\*@127.0.0.1:1/name.*server runs") as refused:
        require_current(engine)
    assert "secret" not in str(refused.value)
    assert json.dumps(str(refused.value)).count("\\n") == 0
