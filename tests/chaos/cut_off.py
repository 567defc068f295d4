"""Many machines, of which some die, and some cannot be reached."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from tests.chaos.crowd import Crowd, check_verdicts
from tests.chaos.outcome import Outcome
from tests.chaos.site import Servers, Site, opened
from tests.chaos.takes import small_upload

STUCK_S = 60.0
LOST_S = 300.0
CLIENTS = 4


def kills(
    folder: Path,
    servers: Servers,
    *,
    jobs: int = 500,
    workers: int = 3,
    kills: int = 20,
    every_s: float = 3.0,
    api_every: int = 3,
) -> Outcome:
    """Kill workers and the API node again and again, with SIGKILL; every job ends, once."""
    outcome = Outcome(
        "kills",
        f"{jobs} jobs in {kills * every_s:.0f} s, an API node and {workers} workers on PostgreSQL and a bucket; every"
        f" {every_s:.0f} s a worker killed with SIGKILL and started anew, at every {api_every}. time the API node too",
    )
    chance = random.Random(5)
    with opened(Site(folder, servers)) as site:
        site.watch_moves()
        api = site.start_api()
        running = [site.start_worker("--processes", "1") for _ in range(workers)]
        keys = [site.credential() for _ in range(CLIENTS)]
        crowd = Crowd(site, keys, jobs=jobs, duration_s=kills * every_s, content=lambda _: small_upload())
        crowd.start()
        met: Counter[str] = Counter()
        for number in range(1, kills + 1):
            time.sleep(every_s)
            victim = chance.randrange(workers)
            met.update(dict(site.ask("SELECT state, count(*) FROM jobs GROUP BY state")))
            running[victim].kill()
            running[victim] = site.start_worker("--processes", "1", wait=False)
            if number % api_every == 0:
                api.kill()
                api = site.start_api()
        last_kill_s = time.monotonic()
        crowd.join()
        _check(outcome, site, crowd, jobs, last_kill_s)
    outcome.seen.append(f"at the kills {met['WAITING']} jobs waited and {met['PROCESSING']} were in work")
    return outcome


def outage(
    folder: Path, servers: Servers, *, jobs: int = 200, workers: int = 2, away_s: float = 10.0, between_s: float = 10.0
) -> Outcome:
    """Stop PostgreSQL for some time, then the bucket; every job ends, once."""
    outcome = Outcome(
        "outage",
        f"{jobs} jobs, an API node and {workers} workers; PostgreSQL stopped for {away_s:.0f} s in mid-run,"
        f" {between_s:.0f} s later the bucket refusing for {away_s:.0f} s",
    )
    with opened(Site(folder, servers)) as site:
        site.watch_moves()
        site.start_api()
        running = [site.start_worker("--processes", "1") for _ in range(workers)]
        keys = [site.credential() for _ in range(CLIENTS)]
        duration_s = 2 * (away_s + between_s)
        crowd = Crowd(site, keys, jobs=jobs, duration_s=duration_s, content=lambda _: small_upload())
        crowd.start()
        for server in (servers.postgres, servers.bucket):
            time.sleep(between_s)
            outcome.seen.append(f"{len(crowd.committed)} committed before {type(server).__name__} went")
            server.stop()
            time.sleep(away_s)
            server.start()
        back_s = time.monotonic()
        crowd.join()
        _check(outcome, site, crowd, jobs, back_s)
        ended = [worker for worker in running if worker.process.poll() is not None]
        outcome.blame(bool(ended), f"{len(ended)} workers ended over it")
    return outcome


def _check(outcome: Outcome, site: Site, crowd: Crowd, jobs: int, last_blow_s: float) -> None:
    """Wait for the end of every job: those that end late are slow, those that do not are lost."""

    def wait_until(limit_s: float) -> list[str]:
        return site.wait_until_ended(crowd.committed, limit_s - (time.monotonic() - last_blow_s))

    late = wait_until(STUCK_S)
    lost = wait_until(LOST_S) if late else []
    if late:
        outcome.slow.append(f"{len(late)} jobs ended later than {STUCK_S:.0f} s after it")
    outcome.seen.append(f"the last job ended {time.monotonic() - last_blow_s:.0f} s after the last blow")
    outcome.blame(bool(lost), f"{len(lost)} jobs without an end: {_where(site, lost)}")
    outcome.blame(len(crowd.committed) != jobs, f"only {len(crowd.committed)} of {jobs} jobs were committed")
    check_verdicts(outcome, site, crowd)


def _where(site: Site, job_ids: list[str]) -> str:
    states = site.states()
    return ", ".join(f"{job_id} {states.get(job_id)}" for job_id in job_ids[:5])
