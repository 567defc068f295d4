"""The service on one machine, killed at random moments."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

from tests.chaos.caller import Ticket
from tests.chaos.crowd import Crowd, check_verdicts
from tests.chaos.outcome import Outcome
from tests.chaos.site import ENDED, Site, opened
from tests.chaos.takes import small_upload

# A commit whose answer was lost either happened or did not.
LOST_COMMIT = ("CREATING", *ENDED)


def embedded(folder: Path, *, kills: int = 20, clients: int = 6, longest_s: float = 4.0) -> Outcome:
    """Kill `voicegauge serve` on SQLite at random moments, with clients at work; nothing that was promised is lost."""
    outcome = Outcome(
        "embedded",
        f"`voicegauge serve` on SQLite killed with SIGKILL {kills} times at random moments, {clients} clients; half of"
        " them give up a call that gets no answer",
    )
    chance = random.Random(5)
    with opened(Site(folder)) as site:
        api = site.start_api()
        site.watch_moves()
        keys = [site.credential() for _ in range(clients)]
        # What some clients upload takes its time, so that kills meet uploads too.
        upload = small_upload()
        slow = small_upload(padding_bytes=40_000_000)
        crowds = [
            Crowd(
                site,
                keys[part::2],
                jobs=10_000,
                duration_s=3_000.0,
                content=lambda number: slow if number % 3 == 0 else upload,
                patience_s=patience_s,
            )
            for part, patience_s in ((0, 120.0), (1, 0.0))
        ]
        for crowd in crowds:
            crowd.start()
        doing: Counter[str] = Counter()
        working: Counter[str] = Counter()
        for _ in range(kills):
            time.sleep(chance.uniform(0.2, longest_s))  # the moment of the kill is the random input of the trial
            doing.update(crowds[0].phases() + crowds[1].phases())
            api.kill()
            working.update(dict(site.ask("SELECT state, count(*) FROM jobs WHERE state <> 'CREATING' GROUP BY state")))
            working["verdict to be acknowledged"] += _unacknowledged(site)
            api = site.start_api()
        for crowd in crowds:
            crowd.leave()
        for crowd in crowds:
            stuck = site.wait_until_ended(crowd.committed, 120.0)
            outcome.blame(bool(stuck), f"{len(stuck)} jobs without an end: {stuck[:3]}")
            check_verdicts(outcome, site, crowd)
        _check_others(outcome, site, [ticket for crowd in crowds for ticket in crowd.tickets])
        leftovers = [path for path in site.data.rglob("*.partial") if path.name.startswith(".")]
        outcome.blame(bool(leftovers), f"pieces of uploads left behind: {leftovers[:3]}")
        outcome.blame(api.stop() != 0, "the service did not end in order")
    outcome.seen.append(
        "the kills met {create} creates, {upload} uploads, {commit} commits".format_map(doing)
        + f", {working['PROCESSING']} jobs in work, {working['verdict to be acknowledged']} verdicts unacknowledged"
    )
    return outcome


def _unacknowledged(site: Site) -> int:
    """Count the jobs that have their verdict while the engine still holds them to be in work."""
    query = (
        "SELECT count(*) FROM jobs JOIN workflow_status ON workflow_uuid = job_id"
        " WHERE state = 'SUCCEED' AND status = 'PENDING'"
    )
    return int(site.ask(query)[0][0])


def _check_others(outcome: Outcome, site: Site, tickets: list[Ticket]) -> None:
    given_up = [ticket for ticket in tickets if ticket.phase != "committed" and ticket.job_id]
    lost_commits = [ticket.job_id for ticket in given_up if ticket.commit_tried]
    site.wait_until_ended([job_id for job_id in lost_commits if site.states().get(job_id) != "CREATING"], 120.0)
    states = site.states()
    uncommitted = Counter(states.get(ticket.job_id, "gone") for ticket in given_up if not ticket.commit_tried)
    lost = Counter(states.get(job_id, "gone") for job_id in lost_commits)
    moves = site.moves()
    twice = [job_id for job_id in lost_commits if sum(state in ENDED for state in moves.get(job_id, ())) > 1]
    outcome.seen.append(
        f"{uncommitted.total()} jobs given up before commit: {_counts(uncommitted)}; {lost.total()} commits without an"
        f" answer: {_counts(lost)}"
    )
    outcome.blame(not set(uncommitted) <= {"CREATING", "gone"}, "a job that nobody committed was worked on")
    outcome.blame(not set(lost) <= set(LOST_COMMIT), "a job whose commit got no answer hangs in between")
    outcome.blame(bool(twice), f"ended twice: {twice[:3]}")


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(counter.items())) or "none"
