"""What a given stream of recordings takes: processors, database, bucket, money. A sum on paper.

    python bench/capacity.py [--recordings-per-s 1000] [--seconds 8] [--per-job 20] [--chunks 1] ...

The inputs that were measured are constants here, each with the command that measures it: run it on your machine and
change them. Prices are list prices without discounts; they age.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

# python bench/job_cost.py task: of one thread of the processor in docs/performance.md, DNSMOS included.
MEASURE_CPU_S_PER_S = 0.021
# python bench/job_cost.py database: for a job and, beyond it, for each of its chunks.
TRANSACTIONS = (38.0, 19.0)
ROWS = (33.0, 9.1)
WAL_BYTES = (26_700.0, 10_500.0)
POSTGRES_CPU_S = (0.0125, 0.0109)
WORKER_CPU_S = (0.037, 0.043)
KEPT_BYTES = 23_000.0
# The same, for each second: an idle worker; a job that waits for its chunks.
IDLE_TRANSACTIONS_PER_S = 23.0
WAITING_TRANSACTIONS_PER_S = 3.6
POSTGRES_CPU_S_PER_TRANSACTION = 0.00043
CONNECTIONS_PER_PROCESS = 31
# Assumed, and on the safe side; python bench/chaos.py load says what an API process of yours creates and commits.
API_JOBS_PER_S = 25.0

# How it is laid out. A share of the processors is left for peaks.
POLL_S = 0.5
UTILISATION = 0.6
WORKER_PROCESSES = 16
JOB_LATENCY_S = 10.0
DAY_S = 86_400
MONTH_S = 30 * DAY_S

# US dollars, on demand, us-east-1, 2026: compute-optimised x86, managed PostgreSQL in two zones, S3 Standard.
VCPU_HOUR = 0.0446
DATABASE_VCPU_HOUR = 0.24
DATABASE_GB_MONTH = 0.23
BUCKET_GB_MONTH = 0.022
PUT_COPY_PER_1000 = 0.005
GET_HEAD_PER_1000 = 0.0004


@dataclass(frozen=True)
class Stream:
    """What comes in, and how long it is kept.

    Attributes
    ----------
    recordings_per_s, seconds, per_job : float
        Recordings a second, the length of each, and how many come in one upload.
    chunks : float
        Chunks a job is cut into.
    bytes_per_s : float
        Of the upload, for a second of audio: 96,000 for 48 kHz, 16 bit, mono; about 50,000 as FLAC.
    waiting_projects : int
        Projects that have more jobs than may be in work, at one time.
    keep_uploads_days, keep_jobs_days : float
    """

    recordings_per_s: float = 1000.0
    seconds: float = 8.0
    per_job: float = 20.0
    chunks: float = 1.0
    bytes_per_s: float = 96_000.0
    waiting_projects: int = 20
    keep_uploads_days: float = 7.0
    keep_jobs_days: float = 90.0


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    what: str
    value: str
    how: str


def lines(stream: Stream) -> list[Line]:
    """Work out the table."""
    jobs = stream.recordings_per_s / stream.per_job
    audio = stream.recordings_per_s * stream.seconds

    def in_all(cost: tuple[float, float]) -> float:
        return jobs * (cost[0] + cost[1] * stream.chunks)

    measuring = audio * MEASURE_CPU_S_PER_S
    engine = in_all(WORKER_CPU_S)
    worker_vcpus = (measuring + engine) / UTILISATION
    workers = math.ceil(worker_vcpus / WORKER_PROCESSES)
    api_nodes = max(2, math.ceil(jobs / API_JOBS_PER_S))

    work_transactions = in_all(TRANSACTIONS)
    polls = workers * IDLE_TRANSACTIONS_PER_S + workers / POLL_S * stream.waiting_projects
    waits = jobs * JOB_LATENCY_S * WAITING_TRANSACTIONS_PER_S
    read_cpu = (polls + waits) * POSTGRES_CPU_S_PER_TRANSACTION
    database_vcpus = (in_all(POSTGRES_CPU_S) + read_cpu) / UTILISATION
    kept_gb = jobs * KEPT_BYTES * stream.keep_jobs_days * DAY_S / 1e9

    uploaded = audio * stream.bytes_per_s
    machines = min(stream.chunks, workers)
    writes, reads = 2 * jobs, (2 + machines) * jobs
    bucket_gb = uploaded * stream.keep_uploads_days * DAY_S / 1e9

    money = {
        "workers": workers * WORKER_PROCESSES * VCPU_HOUR * MONTH_S / 3600,
        "API nodes, 2 vCPU each": 2 * api_nodes * VCPU_HOUR * MONTH_S / 3600,
        "database": math.ceil(database_vcpus) * DATABASE_VCPU_HOUR * MONTH_S / 3600 + kept_gb * DATABASE_GB_MONTH,
        "bucket, requests": (writes * PUT_COPY_PER_1000 + reads * GET_HEAD_PER_1000) * MONTH_S / 1000,
        "bucket, space": bucket_gb * BUCKET_GB_MONTH,
    }
    total = sum(money.values())
    return [
        Line("jobs", f"{jobs:,.0f} /s", f"{stream.per_job:g} recordings of {stream.seconds:g} s each"),
        Line("chunks", f"{jobs * stream.chunks:,.0f} /s", f"{stream.chunks:g} a job"),
        Line("measuring", f"{measuring:,.0f} cores", f"{audio:,.0f} s of audio a second x {MEASURE_CPU_S_PER_S}"),
        Line("the engine in the workers", f"{engine:,.0f} cores", "reading and writing the progress of work"),
        Line(
            "workers",
            f"{workers:,} of {WORKER_PROCESSES} vCPU",
            f"{UTILISATION:.0%} busy",
        ),
        Line("API nodes", f"{api_nodes:,}", f"{API_JOBS_PER_S:g} jobs/s each"),
        Line("database: transactions of the work", f"{work_transactions:,.0f} /s", "most of them only read"),
        Line(
            "database: transactions of looking",
            f"{polls + waits:,.0f} /s",
            f"{workers} workers every {POLL_S} s at {stream.waiting_projects} projects; jobs that wait for chunks",
        ),
        Line("database: rows written", f"{in_all(ROWS):,.0f} /s", ""),
        Line("database: WAL", f"{in_all(WAL_BYTES) / 1e6:,.1f} MB/s", "without full-page images"),
        Line("database: processors", f"{math.ceil(database_vcpus):,} vCPU", f"{UTILISATION:.0%} busy"),
        Line(
            "database: connections",
            f"{(workers + api_nodes) * CONNECTIONS_PER_PROCESS:,}",
            f"{CONNECTIONS_PER_PROCESS} a process at most",
        ),
        Line("database: space", f"{kept_gb:,.0f} GB", f"{stream.keep_jobs_days:g} days of verdicts"),
        Line("bucket: in", f"{uploaded / 1e6:,.0f} MB/s", "clients upload straight to it"),
        Line("bucket: out", f"{uploaded * machines / 1e6:,.0f} MB/s", "to each machine that takes a chunk, once"),
        Line("bucket: requests", f"{writes:,.0f} PUT and COPY, {reads:,.0f} GET and HEAD /s", ""),
        Line("bucket: space", f"{bucket_gb / 1000:,.0f} TB", f"{stream.keep_uploads_days:g} days of recordings"),
        *(Line(f"a month: {name}", f"${dollars:,.0f}", "") for name, dollars in money.items()),
        Line("a month", f"${total:,.0f}", f"${total / (audio * MONTH_S / 3600) * 1000:,.2f} for 1,000 hours of audio"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in vars(Stream()).items():
        parser.add_argument(
            "--" + name.replace("_", "-"), type=type(default), default=default, help="default: %(default)s"
        )
    table = lines(Stream(**vars(parser.parse_args())))
    print("| | | |\n|---|---|---|")
    for line in table:
        print(f"| {line.what} | {line.value} | {line.how} |")


if __name__ == "__main__":
    main()
