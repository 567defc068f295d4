"""The one database of an installation: opened, upgraded, and its troubles put into words.

SQLite on one machine, PostgreSQL on many. It holds the jobs, the projects with their access keys, and the durable
engine's own tables. Its revision is the last step of :mod:`voicegauge.migrations` that it has taken.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from voicegauge import migrations
from voicegauge.errors import MachineError, UsageError
from voicegauge.jobs.engine_tables import migrate_engine_tables, missing_engine_steps
from voicegauge.jobs.tables import guard_statements

__all__ = ["machine_error", "open_database", "require_current", "revision_of", "revisions", "upgrade"]

log = logging.getLogger(__name__)

POOL_SIZE = 20
POOL_OVERFLOW = 10
BUSY_TIMEOUT_MS = 30_000
# A server that vanished without a word is noticed within seconds, so that leases can be trusted.
POSTGRESQL_OPTIONS = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}

VERSION_TABLE = "alembic_version"
LOCK_KEY = "voicegauge.database"
LOCK_POLL_S = 0.2

_SQLITE_TROUBLE = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written; see to its space and its health",
    sqlite3.SQLITE_READONLY: "it cannot be written; see to its permissions, and whether the disk is mounted read-only",
    sqlite3.SQLITE_CANTOPEN: "the file is gone or cannot be opened; see to its folder, permissions and space",
    sqlite3.SQLITE_PERM: "access is refused; see to its permissions",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; stop the service and put a backup in its place",
    sqlite3.SQLITE_NOTADB: "the file is not a database; stop the service and put a backup in its place",
}
_SQLITE_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def open_database(url: str) -> sa.Engine:
    """Connect to the database; a SQLite file that is missing is made, for its owner alone.

    A SQLite file that is removed or replaced later is noticed: work goes on in what lies there then, and never makes a
    new one.

    Parameters
    ----------
    url : str
        `sqlite:///path` or `postgresql://user@host/name`.

    Raises
    ------
    UsageError
        The address is not one of these.
    MachineError
        The file cannot be made, or the driver is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise UsageError("the database is not given as postgresql://user@host/name") from None
    match parsed.get_backend_name():
        case "sqlite":
            return _open_sqlite(parsed)
        case "postgresql":
            return _open_postgresql(parsed)
        case other:
            raise UsageError(f"the database is given as {other}://...; it must be postgresql://user@host/name")


def _open_postgresql(url: sa.URL) -> sa.Engine:
    options = {name: value for name, value in POSTGRESQL_OPTIONS.items() if name not in url.query}
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=POOL_SIZE,
            max_overflow=POOL_OVERFLOW,
            pool_pre_ping=True,
            connect_args=options,
            # Of a statement that fails, its error would quote them: secret keys are among them.
            hide_parameters=True,
        )
    except ImportError as error:
        raise MachineError(
            f'PostgreSQL needs a driver ({error.name} is missing): pip install "voicegauge[cluster]"'
        ) from error


def _open_sqlite(url: sa.URL) -> sa.Engine:
    path = Path(url.database or "").absolute()
    try:
        # Secrets lie in it; SQLite's side files take over its mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise MachineError(f"cannot use the database {path}: {error.strerror}; see to its folder and disk") from error

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path.as_uri() + "?mode=rw", uri=True, check_same_thread=False)

    def identity() -> tuple[int, int] | None:
        try:
            status = path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def on_connect(connection: sqlite3.Connection, record: sa.pool.ConnectionPoolEntry) -> None:
        record.info["file"] = identity()
        _configure_sqlite(connection)

    def on_checkout(_connection: object, record: sa.pool.ConnectionPoolEntry, _proxy: object) -> None:
        # What is written to a removed file is lost, and nobody would hear of it.
        if record.info["file"] != identity():
            raise sa.exc.DisconnectionError(f"{path} was removed or replaced")

    engine = sa.create_engine(
        url.set(database=str(path)),
        creator=connect,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        hide_parameters=True,
    )
    sa.event.listen(engine, "connect", on_connect)
    sa.event.listen(engine, "checkout", on_checkout)
    sa.event.listen(engine, "handle_error", _take_disk_trouble_for_a_lost_connection)
    return engine


def _configure_sqlite(connection: sqlite3.Connection) -> None:
    # Writers queue up at BEGIN; upgrading a read transaction would fail with "database is locked" at once.
    connection.isolation_level = "IMMEDIATE"
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    # In WAL mode only FULL makes a commit survive the loss of power.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _take_disk_trouble_for_a_lost_connection(context: sa.engine.ExceptionContext) -> None:
    # The durable engine waits for a database that is away until it is back. A full disk is no different; without this,
    # the engine would end its workflows with an error, or leave them running in name only.
    if _sqlite_code(context.original_exception) in _SQLITE_TROUBLE:
        context.is_disconnect = True


def _sqlite_code(error: BaseException | None) -> int | None:
    """Return SQLite's primary result code."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def machine_error(error: BaseException, engine: sa.Engine) -> MachineError | None:
    """Say what is wrong with the machine where a statement failed for that; None where it failed for another reason."""
    trouble = _trouble(error, engine)
    if trouble is None:
        return None
    made = MachineError(f"cannot use the database {_place(engine)}: {trouble}")
    made.__cause__ = error
    return made


def _trouble(error: BaseException, engine: sa.Engine) -> str | None:
    if isinstance(error, sa.exc.TimeoutError):
        return "it answers too slowly for what is asked of it"
    if not isinstance(error, sa.exc.DBAPIError):
        return None
    code = _sqlite_code(error.orig)
    if code in _SQLITE_BUSY:
        return "another process keeps it locked; find the one that has the file open"
    if code is not None:
        return _SQLITE_TROUBLE.get(code)
    if isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)) and engine.dialect.name == "postgresql":
        return f"{str(error.orig).partition(chr(10))[0]}; see that the server runs and lets this user in"
    return None


@contextlib.contextmanager
def _machine_errors(engine: sa.Engine) -> Iterator[None]:
    try:
        yield
    except (sa.exc.SQLAlchemyError, sqlite3.Error) as error:
        translated = machine_error(error, engine)
        if translated is None:
            raise
        raise translated from error


def _place(engine: sa.Engine) -> str:
    path = _file_of(engine)
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True) if path is None else str(path)


def _file_of(engine: sa.Engine) -> Path | None:
    return Path(engine.url.database or "") if engine.dialect.name == "sqlite" else None


def revisions() -> list[str]:
    """Return the revisions that this version knows, the one that it needs last."""
    return [step.revision for step in ScriptDirectory.from_config(_config()).walk_revisions()][::-1]


def revision_of(engine: sa.Engine) -> str | None:
    """Return the revision of a database; None where it has taken no step yet. Raises MachineError."""
    with _machine_errors(engine), engine.connect() as connection:
        if not sa.inspect(connection).has_table(VERSION_TABLE):
            return None
        revision: str | None = connection.execute(
            sa.text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a constant
        ).scalar_one_or_none()
        return revision


def require_current(engine: sa.Engine) -> None:
    """Raise MachineError unless the database has exactly the tables that this version needs; changes nothing."""
    known = revisions()
    revision = _known_revision(engine, known)
    with _machine_errors(engine):
        behind = missing_engine_steps(engine)
    if revision != known[-1] or behind:
        raise MachineError(
            f"the database {_place(engine)} is of revision {revision or 'none'}, this version needs {known[-1]}"
            f"{f' and {behind} steps of the engine' if behind else ''}: run `voicegauge migrate` with the same"
            " --database, then start again"
        )


def _known_revision(engine: sa.Engine, known: list[str]) -> str | None:
    revision = revision_of(engine)
    if revision is not None and revision not in known:
        raise MachineError(
            f"the database {_place(engine)} was upgraded by a newer voicegauge: it is of revision {revision}, this"
            f" version knows up to {known[-1]}; run the version that ran `voicegauge migrate`, or go back to a backup"
        )
    return revision


def upgrade(engine: sa.Engine, *, backup_folder: Path | None) -> None:
    """Give an empty database its tables, or an older one what it lacks; safe to call from several processes at once.

    Parameters
    ----------
    engine : Engine
    backup_folder : Path, optional
        Where a SQLite database is copied to before it is changed, as `voicegauge-REVISION-TIME.db` with mode 0600.

    Raises
    ------
    MachineError
        A newer version has upgraded it, a step failed, or the disk is in trouble. The database is then as it was.
    """
    with _machine_errors(engine), _upgrade_lock(engine):
        known = revisions()
        revision = _known_revision(engine, known)
        behind = missing_engine_steps(engine)
        if revision == known[-1] and not behind:
            return
        if backup_folder is not None and engine.dialect.name == "sqlite" and _has_tables(engine):
            backup = _back_up(engine, backup_folder, revision or "0000")
            log.warning("upgrading the database; as it was it lies in %s", backup)
        if revision != known[-1]:
            _take_steps(engine, revision, known[-1])
        if behind:
            migrate_engine_tables(engine)


def _take_steps(engine: sa.Engine, revision: str | None, target: str) -> None:
    with engine.connect() as connection:
        try:
            if engine.dialect.name == "sqlite":
                # A table is changed by making another in its place, which must not take its references for deletions.
                connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            command.upgrade(_config(connection), "head")
            for statement in guard_statements(engine.dialect.name):
                connection.exec_driver_sql(statement)
            if engine.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise MachineError("rows refer to others that are not there")
            connection.commit()
        except Exception as error:
            cause = machine_error(error, engine) or error
            raise MachineError(
                f"the database {_place(engine)} could not be upgraded from revision {revision or 'none'} to {target}"
                f" and is as it was: {cause}"
            ) from error
        finally:
            # Without what was not committed, and without the setting above.
            connection.invalidate()


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    folder = Path(migrations.__file__).parent
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _has_tables(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        return bool(sa.inspect(connection).get_table_names())


@contextlib.contextmanager
def _upgrade_lock(engine: sa.Engine) -> Iterator[None]:
    """Let one process at a time upgrade; the kernel or the server frees the lock of one that died."""
    path = _file_of(engine)
    if path is None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            key = {"key": LOCK_KEY}
            # Asked for again and again: the engine makes indexes that wait for every running statement to end, also for
            # one that waits for this lock.
            while not connection.execute(sa.text("SELECT pg_try_advisory_lock(hashtext(:key))"), key).scalar_one():
                time.sleep(LOCK_POLL_S)
            try:
                yield
            finally:
                connection.execute(sa.text("SELECT pg_advisory_unlock(hashtext(:key))"), key)
        return
    lock = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise MachineError(f"cannot make {lock}: {error.strerror}; see to its folder and disk") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _back_up(engine: sa.Engine, folder: Path, revision: str) -> Path:
    """Copy a SQLite database as it is now, whatever else goes on in it."""
    path = folder / f"voicegauge-{revision}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db"
    partial = path.with_name(f".{path.name}.partial")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                with contextlib.closing(sqlite3.connect(partial)) as copy, engine.connect() as connection:
                    source = connection.connection.driver_connection
                    assert isinstance(source, sqlite3.Connection)  # noqa: S101 - only called for SQLite
                    source.backup(copy)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(folder)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as error:
        what = error.strerror if isinstance(error, OSError) else str(error)
        raise MachineError(f"cannot back up the database to {path}, so it is not upgraded: {what}") from error
    return path


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
