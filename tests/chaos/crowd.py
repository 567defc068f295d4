"""Many clients at a time, who bring their jobs whatever happens to the service."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from tests.chaos.caller import AwayError, Caller, RefusedError, Ticket
from tests.chaos.outcome import Outcome
from tests.chaos.site import ENDED, LIFE, Site
from voicegauge.identity.directory import Credential

PATIENCE_S = 120.0


class Crowd:
    """Clients in threads, which together bring a number of jobs, spread over some time.

    Parameters
    ----------
    clients : sequence of Credential
        One for each client.
    jobs : int
    duration_s : float
        The jobs come evenly over this time, or as fast as they are taken where it is shorter.
    content : callable
        The upload of the n-th job.
    patience_s : float
        How long a call that gets no answer is repeated; after that the client gives the job up and begins the next.
    """

    def __init__(
        self,
        site: Site,
        clients: Sequence[Credential],
        *,
        jobs: int,
        duration_s: float,
        content: Callable[[int], bytes],
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.clients = clients
        self.tickets: list[Ticket] = []
        self.refusals: list[str] = []
        self.in_hand: dict[int, Ticket] = {}
        self._content = content
        self._patience_s = patience_s
        self._step_s = duration_s / jobs
        self._numbers = iter(range(jobs))
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._threads = [
            threading.Thread(target=self._visit, args=(number, site.caller(client)), daemon=True)
            for number, client in enumerate(clients)
        ]

    def start(self) -> None:
        self._started_s = time.monotonic()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until every job was brought."""
        for thread in self._threads:
            thread.join()

    def leave(self) -> None:
        """Have every client finish the job in hand and bring no more."""
        self._leaving.set()
        self.join()

    @property
    def committed(self) -> list[str]:
        """The jobs whose commit answered 200."""
        return [ticket.job_id for ticket in list(self.tickets) if ticket.phase == "committed"]

    def phases(self) -> Counter[str]:
        """Count what the clients are doing now."""
        return Counter(ticket.phase for ticket in self.in_hand.copy().values())

    def _visit(self, client: int, caller: Caller) -> None:
        ticket = Ticket()
        while (number := self._next()) is not None:
            if self._leaving.wait(max(0.0, self._started_s + number * self._step_s - time.monotonic())):
                break
            before, ticket = ticket, Ticket()
            with self._lock:
                self.tickets.append(ticket)
            self.in_hand[client] = ticket
            try:
                caller.submit(ticket, self._content(number), patience_s=self._patience_s)
                self._look_at(before, caller)
            except AwayError:
                self._leaving.wait(self._patience_s / 10)
            except RefusedError as refusal:
                with self._lock:
                    self.refusals.append(f"{ticket.phase} of {ticket.job_id}: {refusal}")
            finally:
                del self.in_hand[client]
        caller.close()

    def _look_at(self, ticket: Ticket, caller: Caller) -> None:
        """Ask for an earlier job: the verdict that is shown once is the verdict for ever."""
        if ticket.phase == "committed":
            answer = caller.show(ticket.job_id)
            if answer["state"] in ENDED:
                ticket.shown = answer

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)


def check_verdicts(outcome: Outcome, site: Site, crowd: Crowd) -> None:
    """Hold every job whose commit answered 200 against its life as the database wrote it down."""
    committed = crowd.committed
    moves = site.moves()
    lives = Counter(" ".join(moves.get(job_id, ["never moved"])) for job_id in committed)
    wrong = {life: count for life, count in lives.items() if life != " ".join(LIFE)}
    outcome.seen.append(f"{len(committed)} commits answered 200, {lives[' '.join(LIFE)]} verdicts, each recorded once")
    outcome.blame(bool(wrong), f"lives of other jobs: {wrong}")
    outcome.blame(bool(crowd.refusals), f"refused: {crowd.refusals[:3]}")
    reasons = {reason for (reason,) in site.ask("SELECT DISTINCT failure_reason FROM jobs WHERE state = 'FAILED'")}
    outcome.blame(bool(reasons), f"reasons of failures: {sorted(reasons)[:3]}")
    _check_answers(outcome, site, crowd)


def _check_answers(outcome: Outcome, site: Site, crowd: Crowd) -> None:
    """Ask the API for the jobs once more."""
    owners = dict(site.ask("SELECT job_id, project_id FROM jobs"))
    callers = {client.project_id: site.caller(client) for client in crowd.clients}
    answers: Counter[str] = Counter()
    changed = 0
    for ticket in crowd.tickets:
        if ticket.phase == "committed":
            answer = callers[owners[ticket.job_id]].show(ticket.job_id)
            answers[answer["state"] if answer.get("assess_result") else f"{answer['state']} without result"] += 1
            changed += ticket.shown not in (None, answer)
    for caller in callers.values():
        caller.close()
    outcome.blame(not set(answers) <= {"SUCCEED"}, f"shown to the clients: {dict(answers)}")
    outcome.blame(changed > 0, f"{changed} answers are others than before")
