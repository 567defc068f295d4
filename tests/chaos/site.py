"""One installation under trial: its database, its objects, and the processes of `voicegauge` that work on them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.chaos.caller import Caller, Ticket
from tests.chaos.scripted_worker import STAGE, WORKER, staged
from tests.servers.bucket import Bucket
from tests.servers.owned import free_port, launch
from tests.servers.postgres import Postgres
from voicegauge.database import open_database
from voicegauge.identity.directory import Credential, Directory

PATIENCE_S = 90.0
COMMAND = (sys.executable, "-c", "import sys; from voicegauge.cli import main; sys.exit(main())")
SCRIPTED = (sys.executable, "-m", "tests.chaos.scripted_worker")
READY = "voicegauge worker is ready"
LIFE = ["WAITING", "PROCESSING", "SUCCEED"]
ENDED = ("SUCCEED", "FAILED")
ROOT = Path(__file__).parents[2]


class Running:
    """A process of ours, whose output goes to a file."""

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.log = log
        self.process: subprocess.Popen[bytes] = launch(command, log, environment=environment)
        self._before = log.stat().st_size

    def wait_for_line(self, beginning: str) -> None:
        until(lambda: self._said(beginning), f"{beginning!r} in {self.log}")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def _said(self, beginning: str) -> bool:
        if self.process.poll() is not None:
            raise AssertionError(f"exit code {self.process.returncode}: {self.log.read_text()[-4000:]}")
        with self.log.open() as lines:
            lines.seek(self._before)
            return any(line.startswith(beginning) for line in lines)


@dataclass(frozen=True)
class Servers:
    """What lies outside of `voicegauge` on many machines."""

    postgres: Postgres
    bucket: Bucket


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start a PostgreSQL and an S3 server for the length of the block."""
    servers = Servers(Postgres(), Bucket())
    try:
        servers.postgres.start()
        servers.bucket.start()
        yield servers
    finally:
        servers.postgres.close()
        servers.bucket.close()


class Site:
    """An installation, on one machine in a data folder or on many; starts nothing by itself.

    Parameters
    ----------
    folder : Path
        For the data folder and the logs.
    servers : Servers, optional
        Where the jobs and uploads lie; else in the data folder.
    """

    def __init__(self, folder: Path, servers: Servers | None = None) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.data = folder / "data"
        self.stage = folder / "stage"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[Running] = []
        self.environment = dict(os.environ)
        self.where: list[str] = []
        self.database_url = f"sqlite:///{self.data / 'voicegauge.db'}"
        if servers is not None:
            self.database_url = servers.postgres.create_database()
            self.where = ["--database", self.database_url, "--objects", servers.bucket.create_bucket()]
            self.environment |= servers.bucket.environment
            self.run("migrate", "--database", self.database_url)
        self._is_scaled_out = servers is not None

    @property
    def database(self) -> sa.Engine:
        """The database, of an installation that was opened once."""
        if not hasattr(self, "_database"):
            self._database = open_database(self.database_url)
        return self._database

    def run(self, *command: str) -> None:
        """Run a command of `voicegauge` to its end."""
        done = subprocess.run([*COMMAND, *command], env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise AssertionError(f"exit code {done.returncode}: {done.stderr}")

    def start_api(self) -> Running:
        """Start the service, on one machine with its worker, always at the same address; wait until it listens."""
        alone = ["--api-only"] if self._is_scaled_out else ["--processes", "2"]
        api = self._start("api", [*COMMAND, "serve", "--port", str(self.port), *self.where, *alone])
        api.wait_for_line("voicegauge is listening on ")
        return api

    def start_worker(self, *flags: str, wait: bool = True) -> Running:
        return self._start_worker(COMMAND, flags, wait)

    def start_scripted_worker(self, *flags: str, wait: bool = True, **settings: Any) -> Running:
        """Start a worker that plays scripts instead of measuring, with some of its WorkerSettings changed."""
        self.stage.mkdir(exist_ok=True)
        self.environment |= {STAGE: str(self.stage), WORKER: json.dumps(settings)}
        return self._start_worker(SCRIPTED, flags, wait)

    def bring(self, caller: Caller, script: dict[str, Any]) -> str:
        """Bring a script as a job, and return the job's id."""
        ticket = Ticket()
        caller.submit(ticket, json.dumps(script).encode())
        return ticket.job_id

    def staged(self, job_id: str, place: str, kind: str) -> Path:
        """Return the file of a gate or, without a place, of the journal of a job that plays a script."""
        ((object_key,),) = self.ask("SELECT object_key FROM jobs WHERE job_id = :job_id", job_id=job_id)
        return staged(self.stage, object_key, place, kind)

    def credential(self) -> Credential:
        """Make a project and return a key to it."""
        directory = Directory(self.database, time.time)
        return directory.create_key(directory.create_project(secrets.token_hex(4)).project_id)

    def caller(self, credential: Credential) -> Caller:
        return Caller(self.url, credential)

    def watch_moves(self) -> None:
        """Have the database write down every move of a job's state."""
        watch_moves(self.database)

    def moves(self) -> dict[str, list[str]]:
        """Return, for each job that was moved, the states in their order."""
        moved = defaultdict(list)
        for job_id, state in self.ask("SELECT job_id, state FROM moves ORDER BY number"):
            moved[job_id].append(state)
        return moved

    def moment_of_moves(self, job_id: str) -> list[float]:
        """Return when a job was moved, by the database's clock, in Unix seconds."""
        query = "SELECT moved_s FROM moves WHERE job_id = :job_id ORDER BY number"
        return [moved_s for (moved_s,) in self.ask(query, job_id=job_id)]

    def states(self) -> dict[str, str]:
        return dict(self.ask("SELECT job_id, state FROM jobs"))

    def ask(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        with self.database.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), values)]

    def wait_until_ended(self, job_ids: Sequence[str], patience_s: float) -> list[str]:
        """Wait for the ends of jobs; return those that had none in time."""
        deadline_s = time.monotonic() + patience_s
        while True:
            states = self.states()
            missing = [job_id for job_id in job_ids if states.get(job_id) not in ENDED]
            if not missing or time.monotonic() > deadline_s:
                return missing
            time.sleep(0.2)

    def close(self) -> None:
        for running in self.processes:
            if running.process.poll() is None:
                running.kill()
        self.database.dispose()

    def _start_worker(self, command: Sequence[str], flags: Sequence[str], wait: bool) -> Running:
        worker = self._start("worker", [*command, "worker", *self.where, *flags])
        if wait:
            worker.wait_for_line(READY)
        return worker

    def _start(self, name: str, command: list[str]) -> Running:
        number = len(self.processes)
        # Of many machines, every process has one.
        data = self.folder / f"machine-{number}" if self._is_scaled_out else self.data
        log = self.folder / f"{name}-{number}.log"
        running = Running([*command, "--data", str(data)], log, {**self.environment, "PYTHONPATH": str(ROOT)})
        self.processes.append(running)
        return running


@contextmanager
def opened(site: Site) -> Iterator[Site]:
    """Let every process of the site end with the block."""
    try:
        yield site
    finally:
        site.close()


def watch_moves(engine: sa.Engine) -> None:
    """Write every move of a job down in the table `moves`, by a trigger of the database."""
    is_sqlite = engine.dialect.name == "sqlite"
    number = "INTEGER" if is_sqlite else "BIGSERIAL"
    now_s = "(julianday('now') - 2440587.5) * 86400" if is_sqlite else "extract(epoch FROM clock_timestamp())"
    insert = f"INSERT INTO moves (job_id, state, moved_s) VALUES (NEW.job_id, NEW.state, {now_s})"  # noqa: S608 - ours
    statements = [
        f"CREATE TABLE moves (number {number} PRIMARY KEY, job_id TEXT NOT NULL, state TEXT NOT NULL,"
        " moved_s DOUBLE PRECISION NOT NULL)"
    ]
    if is_sqlite:
        statements.append(f"CREATE TRIGGER watch AFTER UPDATE OF state ON jobs BEGIN {insert}; END")
    else:
        statements.append(
            f"CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {insert}; RETURN NULL; END $$"
        )
        statements.append("CREATE TRIGGER watch AFTER UPDATE OF state ON jobs FOR EACH ROW EXECUTE FUNCTION watch()")
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def until(condition: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
    """Ask until the answer is true, and return it."""
    deadline_s = time.monotonic() + patience_s
    while not (answer := condition()):
        if time.monotonic() > deadline_s:
            raise AssertionError(f"waited {patience_s:.0f} s in vain for {what}")
        time.sleep(0.05)
    return answer
