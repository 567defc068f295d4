"""The API side of the job engine, and a worker in a process of its own, for tests."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tests.contract.scripted_pipeline import PATIENCE_S, ScriptedPipeline, wait_for
from voicegauge.database import open_database, upgrade
from voicegauge.jobs.engine import JobQueue, WorkerSettings
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.workflow import Limits

ROOT = Path(__file__).parents[2]
ENDED = (JobState.SUCCEED, JobState.FAILED)
LIMITS = Limits(
    target_cpu_s=2.0, chunk_timeout_s=2 * PATIENCE_S, chunk_timeout_factor=0.0, plan_timeout_s=2 * PATIENCE_S
)
# A lease outlives every test, so work that goes on after a kill was not found by waiting for its end.
SETTINGS = WorkerSettings(processes=2, poll_s=0.05, lease_ttl_s=10 * PATIENCE_S, limits=LIMITS)


@dataclass(frozen=True)
class ScriptedUploads:
    """Scripts do not change once they are written, so they are frozen where they lie."""

    folder: Path

    def freeze(self, key: str) -> str | None:
        return key if (self.folder / key).exists() else None

    def delete(self, key: str) -> None:
        pass

    def purge(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)


class Desk:
    """The API side on a database: creates and commits scripted jobs, and waits for them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.engine = open_database(url)
        upgrade(self.engine, backup_folder=None)
        self.pipeline = ScriptedPipeline(folder)
        self.store = JobStore(self.engine, time.time)
        self.queue = JobQueue(self.engine)
        self.service = JobService(self.store, self.queue, uploads=ScriptedUploads(folder), upload_lifetime_s=600)

    def commit(self, script: dict[str, Any], project_id: str = "project") -> Job:
        job = self.service.create(project_id, "EN", None)
        self.pipeline.write(job.object_key, script)
        return self.service.commit(project_id, job.job_id)

    def end_of(self, job: Job) -> Job:
        wait_for(lambda: self.store.find(job.job_id).state in ENDED, f"the end of job {job.job_id}")
        return self.store.find(job.job_id)

    def watch_moves(self) -> None:
        """Write every move of a job down, by a trigger of the database."""
        with self.engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                number = "serial"
                watch = [
                    "CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                    "INSERT INTO moves (job_id, state) VALUES (NEW.job_id, NEW.state); RETURN NEW; END $$",
                    "CREATE TRIGGER watch AFTER UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION watch()",
                ]
            else:
                number = "INTEGER PRIMARY KEY"
                watch = [
                    "CREATE TRIGGER watch AFTER UPDATE ON jobs "
                    "BEGIN INSERT INTO moves (job_id, state) VALUES (NEW.job_id, NEW.state); END"
                ]
            for statement in (f"CREATE TABLE moves (number {number}, job_id TEXT, state TEXT)", *watch):
                connection.exec_driver_sql(statement)

    def moves(self, job: Job) -> list[str]:
        with self.engine.connect() as connection:
            query = sa.text("SELECT state FROM moves WHERE job_id = :job_id ORDER BY number")
            return list(connection.execute(query, {"job_id": job.job_id}).scalars())

    def close(self) -> None:
        self.queue.close()
        self.engine.dispose()


class WorkerProcess:
    """A worker in a process of its own, which can be killed."""

    def __init__(self, desk: Desk, *options: str, stderr: int | None = None) -> None:
        url = desk.engine.url.render_as_string(hide_password=False)
        self.process = subprocess.Popen(
            [
                sys.executable,
                "-W",
                "error",
                "-m",
                "tests.contract.jobs_worker",
                str(desk.pipeline.folder),
                url,
                *options,
            ],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask the worker to stop, and return its exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._reap()

    def _reap(self) -> int:
        code = self.process.wait(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()
        return code
