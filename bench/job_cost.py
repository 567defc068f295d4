"""What a job costs besides measuring, on a real PostgreSQL; and what measuring a recording costs.

    python bench/job_cost.py database [--jobs N]   # transactions, rows, WAL, processor time: a job, a chunk, idleness
    python bench/job_cost.py task UPLOAD.zip       # processor time a second of audio, bytes of what is stored

`database` runs jobs of 20 recordings through the engine with a pipeline that answers at once, in 1, 4 and 10 chunks,
and counts in PostgreSQL's own statistics; its answers are those of `task` for the bundled samples, so that they
compress as real ones do. `task` measures warm. What they print are the measured inputs of bench/capacity.py.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

RECORDINGS = 20
CHUNKS = (1, 4, 10)
PROJECTS = 16
WATCH_S = 15.0
# Uploads of this project keep their process asleep, so that their jobs wait.
SLOW = "slow"
SLOW_JOBS = 4
SLOW_S = WATCH_S + 10.0
COUNTED = ("transactions", "rows", "wal_bytes", "postgres_cpu_s", "worker_cpu_s", "wal_syncs")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Echo:
    """A pipeline that answers at once, with what was really measured once."""

    document: Path

    def plan(self, object_key: str) -> list[tuple[str, float]]:
        return [(f"{index}.flac", 1.0) for index in range(RECORDINGS)]

    def measure(self, object_key: str, names: Sequence[str], language: str) -> list[dict[str, Any]]:
        if object_key.startswith(f"{SLOW}/") and names[0] == "0.flac":
            time.sleep(SLOW_S)
        measured = json.loads(self.document.read_text(encoding="utf-8"))["measured"]
        return [measured[index % len(measured)] for index in range(len(names))]

    def conclude(self, object_key: str, measured: Sequence[dict[str, Any]], language: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self.document.read_text(encoding="utf-8"))["result"]
        return result


class Frozen:
    """Uploads that are there."""

    def freeze(self, key: str) -> str | None:
        return key

    def delete(self, key: str) -> None:
        pass

    def purge(self, key: str) -> None:
        pass


@dataclass(frozen=True)
class Counts:
    """PostgreSQL's counters, and the processor time of its processes and of this one with its children."""

    transactions: float
    rows: float
    wal_bytes: float
    postgres_cpu_s: float
    worker_cpu_s: float
    wal_syncs: float

    def since(self, before: Counts) -> Counts:
        return Counts(*(getattr(self, name) - getattr(before, name) for name in COUNTED))


class Database:
    """Reads the counters of one PostgreSQL that does nothing else."""

    def __init__(self, url: str) -> None:
        self._engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        with self._engine.connect() as connection:
            backend = int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
        self._postmaster = parent_of(backend)

    def counts(self) -> Counts:
        # A backend reports its counts a second after its last transaction at the earliest.
        time.sleep(1.5)
        query = """
            SELECT sum(xact_commit + xact_rollback), sum(tup_inserted + tup_updated + tup_deleted),
                   (SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')), (SELECT wal_sync FROM pg_stat_wal)
            FROM pg_stat_database WHERE datname = current_database()"""
        with self._engine.connect() as connection:
            transactions, rows, wal_bytes, wal_syncs = connection.exec_driver_sql(query).one()
        return Counts(
            float(transactions),
            float(rows),
            float(wal_bytes),
            cpu_of_family_s(self._postmaster),
            cpu_of_family_s(os.getpid()),
            float(wal_syncs),
        )

    def connections(self) -> int:
        with self._engine.connect() as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return int(connection.exec_driver_sql(query).scalar_one())

    def kept_bytes(self) -> int:
        with self._engine.connect() as connection:
            query = "SELECT pg_total_relation_size('jobs') + pg_total_relation_size('chunk_outcomes')"
            return int(connection.exec_driver_sql(query).scalar_one())

    def close(self) -> None:
        self._engine.dispose()


def stat_fields(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def parent_of(pid: int) -> int:
    return int(stat_fields(pid)[1])


def cpu_of_family_s(pid: int) -> float:
    """Processor time of a process, of its ended children and of its living descendants."""
    total = 0.0
    try:
        total += sum(int(ticks) for ticks in stat_fields(pid)[11:15]) * TICK_S
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return total
    # Children are noted at the thread that made them.
    for task in Path(f"/proc/{pid}/task").iterdir():
        if task.name != str(pid):
            children += (task / "children").read_text().split()
    return total + sum(cpu_of_family_s(int(child)) for child in children)


def measure_database(jobs: int) -> None:
    from tests.servers.postgres import Postgres

    postgres = Postgres()
    postgres.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            document = Path(folder) / "measured.json"
            document.write_text(json.dumps(sample_documents()), encoding="utf-8")
            rates: tuple[Rates, Rates] | None = None
            rows = []
            for chunks in CHUNKS:
                bench = Bench(postgres.create_database(), Echo(document), chunks)
                rates = rates or bench.watch()
                rows.append((chunks, *bench.run(jobs, *rates)))
                bench.close()
    finally:
        postgres.close()
    print(f"\nfor a job, {jobs} jobs of {RECORDINGS} recordings, idle polling and waiting jobs taken off")
    print(
        f"{'chunks':>8}"
        + "".join(f"{name:>16}" for name in COUNTED)
        + f"{'connections':>13}{'jobs/s':>8}{'kept bytes':>12}"
    )
    for chunks, job, connections, rate, kept_bytes in rows:
        values = "".join(f"{getattr(job, name):16.4g}" for name in COUNTED)
        print(f"{chunks:8d}{values}{connections:13d}{rate:8.1f}{kept_bytes:12.0f}")
    print("\nas a + b x chunks")
    for name in COUNTED:
        line = statistics.linear_regression(CHUNKS, [getattr(job, name) for _, job, _, _, _ in rows])
        print(f"{name:>16}: {line.intercept:12.4g} + {line.slope:10.4g} x chunks")


Rates = dict[str, float]


class Bench:
    """A worker on a database of its own that takes jobs of so many chunks, and the API side of it."""

    def __init__(self, url: str, pipeline: Echo, chunks: int) -> None:
        from voicegauge.database import open_database, upgrade
        from voicegauge.jobs.engine import JobEngine, JobQueue, WorkerSettings
        from voicegauge.jobs.service import JobService
        from voicegauge.jobs.store import JobStore
        from voicegauge.jobs.workflow import Limits

        self._engine = open_database(url)
        upgrade(self._engine, backup_folder=None)
        self._database = Database(url)
        self._queue = JobQueue(self._engine)
        self._jobs = JobService(
            JobStore(self._engine, time.time), self._queue, uploads=Frozen(), upload_lifetime_s=3600
        )
        limits = Limits(target_cpu_s=RECORDINGS / chunks)
        self._worker = JobEngine(self._engine, pipeline, WorkerSettings(processes=2, limits=limits))
        self._worker.start()
        self._committed = 0
        for number in range(PROJECTS):
            self._commit(f"project-{number}")
        self._wait_until(self._all_ended)

    def close(self) -> None:
        self._worker.stop()
        self._queue.close()
        self._database.close()
        self._engine.dispose()

    def watch(self) -> tuple[Rates, Rates]:
        """Return what an idle worker takes a second, and what a job that waits for its chunks adds to it."""
        self._database.counts()
        idle = self._rates()
        for _ in range(SLOW_JOBS):
            self._commit(SLOW)
        self._wait_until(lambda: self._count("PROCESSING") == SLOW_JOBS)
        self._database.counts()
        waiting = {name: (rate - idle[name]) / SLOW_JOBS for name, rate in self._rates().items()}
        for what, rates in (("an idle worker", idle), ("a job that waits for its chunks", waiting)):
            print(f"{what}, a second: " + ", ".join(f"{rates[name]:.4g} {name}" for name in COUNTED), flush=True)
        self._wait_until(self._all_ended)
        return idle, waiting

    def run(self, count: int, idle: Rates, waiting: Rates) -> tuple[Counts, int, float, float]:
        """Return what one job took; connections at their peak, jobs a second, bytes a job leaves in our tables."""
        kept_bytes = self._database.kept_bytes()
        before, started_s = self._database.counts(), time.monotonic()
        for number in range(count):
            self._commit(f"project-{number % PROJECTS}")
        connections = looks = 0
        waited_s = 0.0
        looked_s = time.monotonic()
        while not self._all_ended():
            connections = max(connections, self._database.connections())
            looks += 1
            waited_s += self._count("PROCESSING") * (time.monotonic() - looked_s)
            looked_s = time.monotonic()
            time.sleep(0.5)
        busy_s = time.monotonic() - started_s
        spent = self._database.counts().since(before)
        polled_s = time.monotonic() - started_s
        # Each look of the loop above is three transactions and two checks of pooled connections.
        mine = {"transactions": 5.0 * looks}
        per_job = {
            name: (getattr(spent, name) - idle[name] * polled_s - waiting[name] * waited_s - mine.get(name, 0.0))
            / count
            for name in COUNTED
        }
        return Counts(**per_job), connections, count / busy_s, (self._database.kept_bytes() - kept_bytes) / count

    def _commit(self, project_id: str) -> None:
        self._jobs.commit(project_id, self._jobs.create(project_id, "EN", None).job_id)
        self._committed += 1

    def _all_ended(self) -> bool:
        return self._count("SUCCEED") == self._committed

    def _count(self, state: str) -> int:
        with self._engine.connect() as connection:
            query = sa.text("SELECT count(*) FROM jobs WHERE state = :state")
            return int(connection.execute(query, {"state": state}).scalar_one())

    def _rates(self) -> Rates:
        before, started_s = self._database.counts(), time.monotonic()
        time.sleep(WATCH_S)
        spent = self._database.counts().since(before)
        return {name: getattr(spent, name) / (time.monotonic() - started_s) for name in COUNTED}

    @staticmethod
    def _wait_until(condition: Callable[[], bool]) -> None:
        while not condition():
            time.sleep(0.2)


def sample_documents() -> dict[str, Any]:
    """Measure the bundled samples, and judge them as one body of 20 recordings."""
    with tempfile.TemporaryDirectory() as folder:
        upload = Path(folder) / "samples.zip"
        takes = sorted((ROOT / "samples").rglob("*.flac"))[:RECORDINGS]
        with zipfile.ZipFile(upload, "w") as archive:
            for number, take in enumerate(takes):
                archive.write(take, f"{number}-{take.name}")
        return measure_upload(upload)[0]


def measure_upload(upload: Path) -> tuple[dict[str, Any], float]:
    """Return the documents of a zip as `measured` and `result`, and the processor time of measuring it once more."""
    from contextlib import nullcontext

    from voicegauge.work import UploadWork

    work = UploadWork(lambda key: nullcontext(Path(key)))
    names = [name for name, _ in work.plan(str(upload))]
    measured = work.measure(str(upload), names, "EN")
    started_s = time.process_time()
    work.measure(str(upload), names, "EN")
    spent_s = time.process_time() - started_s
    return {"measured": measured, "result": work.conclude(str(upload), measured, "EN")}, spent_s


def measure_task(upload: Path) -> None:
    documents, spent_s = measure_upload(upload)
    recordings = documents["measured"]
    audio_s = sum(recording["duration_s"] or 0.0 for recording in recordings)
    measured_bytes, result_bytes = (
        len(json.dumps(documents[name], ensure_ascii=False, separators=(",", ":")).encode())
        for name in ("measured", "result")
    )
    count = len(recordings)
    print(f"{count} recordings, {audio_s:.1f} s, {upload.stat().st_size / audio_s:.0f} bytes a second of audio")
    print(f"processor time    {spent_s / audio_s:.4f} s a second of audio")
    per_recording = f"{measured_bytes / count:.0f} bytes of measurements and {result_bytes / count:.0f} of result"
    print(f"stored            {per_recording} a recording")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    database = commands.add_parser("database")
    database.add_argument("--jobs", type=int, default=100)
    database.set_defaults(run=lambda given: measure_database(given.jobs))
    task = commands.add_parser("task")
    task.add_argument("upload", type=Path)
    task.set_defaults(run=lambda given: measure_task(given.upload))
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    # As the command does: threads that numpy's BLAS spins up are no part of the work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()
