"""Recordings that do harm, and a worker that comes back from the dead."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from tests.chaos.outcome import Outcome
from tests.chaos.site import LIFE, Servers, Site, opened, until

HARM = {"die": "recording_crashed", "hang": "recording_timed_out", "swell": "recording_out_of_memory"}
GOOD = {"recordings": {"a.wav": ["sleep:0.1"], "b.wav": ["ok"]}}


def poison(
    folder: Path, servers: Servers, *, good_jobs: int = 40, task_timeout_s: float = 10.0, memory_mb: int = 512
) -> Outcome:
    """Recordings that kill their process, hang, or eat memory fail their own job, by name, and harm no other."""
    outcome = Outcome(
        "poison",
        f"one job each with a recording that kills its process, hangs, or eats memory, among {good_jobs} good jobs of"
        f" two projects; limits {task_timeout_s:.0f} s and {memory_mb} MiB a task",
    )
    with opened(Site(folder, servers)) as site:
        site.watch_moves()
        site.start_api()
        limits = {"chunk_timeout_s": task_timeout_s, "chunk_timeout_factor": 0.0}
        flags = ("--processes", "2", "--task-memory-mb", str(memory_mb))
        workers = [site.start_scripted_worker(*flags, limits=limits) for _ in range(2)]
        callers = [site.caller(site.credential()) for _ in range(2)]
        good = [site.bring(callers[number % 2], GOOD) for number in range(good_jobs // 2)]
        bad = {
            harm: site.bring(callers[0], {"recordings": {"a.wav": ["ok"], f"{harm}.wav": [harm], "c.wav": ["ok"]}})
            for harm in HARM
        }
        good += [site.bring(callers[number % 2], GOOD) for number in range(good_jobs // 2)]
        stuck = site.wait_until_ended([*good, *bad.values()], 90.0 + 4 * task_timeout_s)
        outcome.blame(bool(stuck), f"{len(stuck)} jobs without an end")
        moves = site.moves()
        unharmed = sum(moves.get(job_id) == LIFE for job_id in good)
        outcome.seen.append(f"{unharmed} of {len(good)} good jobs have their verdict")
        outcome.blame(unharmed != len(good), "good jobs were harmed")
        for harm, job_id in bad.items():
            _check_poisoned(outcome, site, harm, job_id)
        ended = sum(worker.process.poll() is not None for worker in workers)
        outcome.blame(ended > 0, f"{ended} workers ended over it")
        for caller in callers:
            caller.close()
    return outcome


def _check_poisoned(outcome: Outcome, site: Site, harm: str, job_id: str) -> None:
    query = "SELECT state, failure_code, failure_reason, updated_s - created_s FROM jobs WHERE job_id = :job_id"
    ((state, code, reason, took_s),) = site.ask(query, job_id=job_id)
    outcome.seen.append(f"{harm}: {state} after {took_s} s, {code}, “{reason}”")
    outcome.blame((state, code) != ("FAILED", HARM[harm]), f"{harm} is {state} {code}")
    named = [name for name in (f"{harm}.wav", "a.wav", "c.wav") if repr(name) in str(reason)]
    outcome.blame(named != [f"{harm}.wav"], f"the reason names {named}")


def zombie(folder: Path, servers: Servers, *, lease_ttl_s: float = 15.0) -> Outcome:
    """Freeze a worker past its lease, and wake it up after another has done its work: its late result is refused."""
    outcome = Outcome(
        "zombie",
        f"a worker at work stopped with SIGSTOP past its lease of {lease_ttl_s:.0f} s, its job done by another,"
        " SIGCONT",
    )
    with opened(Site(folder, servers)) as site:
        site.watch_moves()
        site.start_api()
        frozen = site.start_scripted_worker("--processes", "1", lease_ttl_s=lease_ttl_s)
        caller = site.caller(site.credential())
        job_id = site.bring(caller, {"recordings": {"a.wav": ["gate"], "b.wav": ["ok"]}})
        until(site.staged(job_id, "a.wav", "reached").exists, "the work on a.wav")
        frozen.process.send_signal(signal.SIGSTOP)
        second = site.start_scripted_worker("--processes", "1", lease_ttl_s=lease_ttl_s)
        journal = site.staged(job_id, "", "journal")
        until(lambda: journal.read_text().split().count("a.wav") > 1, "the second work on a.wav")
        # From here on the frozen worker's own child answers too; nobody reads it yet.
        site.staged(job_id, "a.wav", "open").touch()
        outcome.blame(bool(site.wait_until_ended([job_id], 60.0)), "the second worker did not end the job")
        until(lambda: journal.read_text().split().count("b.wav") > 1, "the late measurement of b.wav")
        verdict = _row(site, job_id)
        second.stop()
        frozen.process.send_signal(signal.SIGCONT)
        later = [site.bring(caller, GOOD) for _ in range(4)]
        outcome.blame(bool(site.wait_until_ended(later, 60.0)), "the woken worker does no work")
        outcome.blame(frozen.stop() != 0, "the woken worker did not end in order")
        outcome.blame(_row(site, job_id) != verdict, f"the verdict changed from {verdict} to {_row(site, job_id)}")
        moves = site.moves()
        outcome.blame(moves[job_id] != LIFE, f"the job's life is {moves[job_id]}")
        outcome.blame(any(moves[each] != LIFE for each in later), "the woken worker spoiled later jobs")
        outcome.seen.append(
            "measured twice, one verdict, the second worker's; the woken worker's result changed nothing, and it did"
            f" the {len(later)} jobs that came then"
        )
        caller.close()
    return outcome


def _row(site: Site, job_id: str) -> tuple[Any, ...]:
    return site.ask("SELECT state, result, failure_reason, updated_s FROM jobs WHERE job_id = :job_id", job_id=job_id)[
        0
    ]
