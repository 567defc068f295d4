"""How work is shared out: between projects, and between workers."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.chaos.caller import Caller
from tests.chaos.outcome import Outcome
from tests.chaos.site import LIFE, Servers, Site, opened

MOST_TIMES_LONGER = 2.0
LEAST_EFFICIENCY = 0.9
BRINGERS = 8


def fairness(
    folder: Path, servers: Servers, *, many: int = 1000, task_s: float = 2.0, workers: int = 2, times: int = 5
) -> Outcome:
    """A project with one job, beside one with a thousand, waits at most twice as long as alone."""
    outcome = Outcome(
        "fairness",
        f"{workers} workers of 2 processes, tasks of {task_s:g} s; one job alone, and beside {many} of another project,"
        f" {times} times each",
    )
    with opened(Site(folder, servers)) as site:
        site.watch_moves()
        site.start_api()
        for _ in range(workers):
            site.start_scripted_worker("--processes", "2")
        caller = site.caller(site.credential())
        _time_one(site, caller, task_s)  # the child processes start
        alone_s = [_time_one(site, caller, task_s) for _ in range(times)]
        other = site.credential()
        _bring_many(site, [site.caller(other) for _ in range(BRINGERS)], many, task_s)
        beside_s = [_time_one(site, caller, task_s) for _ in range(times)]
        ((left,),) = site.ask("SELECT count(*) FROM jobs WHERE state = 'WAITING'")
        caller.close()
    ratio = statistics.median(beside_s) / statistics.median(alone_s)
    outcome.seen.append(
        f"median {statistics.median(alone_s):.2f} s alone, {statistics.median(beside_s):.2f} s beside"
        f" ({min(beside_s):.2f} to {max(beside_s):.2f}): {ratio:.2f} times; {left} of the other's still waited then"
    )
    outcome.blame(left == 0, "the many had ended before")
    if ratio > MOST_TIMES_LONGER:
        outcome.slow.append(f"more than {MOST_TIMES_LONGER:g} times")
    return outcome


def scaling(
    folder: Path, servers: Servers, *, workers: Sequence[int] = (1, 2, 4), jobs: int = 40, task_s: float = 2.0
) -> Outcome:
    """Twice the workers do twice the work, as long as there is work."""
    outcome = Outcome(
        "scaling",
        f"{', '.join(map(str, workers))} workers of 2 processes, {jobs} jobs for each worker, tasks that sleep"
        f" {task_s:g} s; throughput from the first tenth of the verdicts to the last",
    )
    rates: dict[int, float] = {}
    for count in workers:
        with opened(Site(folder / str(count), servers)) as site:
            site.watch_moves()
            site.start_api()
            for _ in range(count):
                site.start_scripted_worker("--processes", "2")
            callers = [site.caller(site.credential()) for _ in range(BRINGERS)]
            brought = _bring_many(site, callers, count * jobs, task_s)
            stuck = site.wait_until_ended(brought, 60.0 + jobs * task_s)
            moves = site.moves()
            outcome.blame(bool(stuck), f"{len(stuck)} jobs without an end at {count} workers")
            outcome.blame(any(moves.get(job_id) != LIFE for job_id in brought), f"a job went astray at {count} workers")
            rates[count] = _rate_per_s(site)
    first = rates[workers[0]] / workers[0]
    for count, rate in rates.items():
        efficiency = rate / (count * first)
        outcome.seen.append(
            f"{count}: {rate:.2f} jobs/s of {count * 2 / task_s:g} possible, efficiency {efficiency:.2f}"
        )
        if efficiency < LEAST_EFFICIENCY:
            outcome.slow.append(f"efficiency below {LEAST_EFFICIENCY:g} at {count} workers")
    return outcome


def _time_one(site: Site, caller: Caller, task_s: float) -> float:
    """Return how long a job takes from its commit to its verdict."""
    job_id = site.bring(caller, _task(task_s))
    if site.wait_until_ended([job_id], 120.0):
        raise AssertionError(f"job {job_id} has no end")
    (waiting_s, *_, verdict_s) = site.moment_of_moves(job_id)
    return verdict_s - waiting_s


def _bring_many(site: Site, callers: Sequence[Caller], jobs: int, task_s: float) -> list[str]:
    def bring(caller: Caller, count: int) -> list[str]:
        brought = [site.bring(caller, _task(task_s)) for _ in range(count)]
        caller.close()
        return brought

    shares = [len(range(number, jobs, len(callers))) for number in range(len(callers))]
    with ThreadPoolExecutor(len(callers)) as threads:
        return [job_id for brought in threads.map(bring, callers, shares) for job_id in brought]


def _task(task_s: float) -> dict[str, Any]:
    return {"recordings": {"take.wav": [f"sleep:{task_s}"]}}


def _rate_per_s(site: Site) -> float:
    """Return the throughput in the middle: at the beginning the jobs still come, at the end workers run dry."""
    ended_s: list[float] = [
        moment for (moment,) in site.ask("SELECT moved_s FROM moves WHERE state = 'SUCCEED' ORDER BY number")
    ]
    first, last = len(ended_s) // 10, len(ended_s) - 1 - len(ended_s) // 10
    return (last - first) / (ended_s[last] - ended_s[first])
