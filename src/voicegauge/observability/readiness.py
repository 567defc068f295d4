"""Whether this process can do its work now, and if not, what is in the way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from voicegauge.errors import MachineError
from voicegauge.observability.probe import Probe

__all__ = ["Readiness", "ReadinessReport"]

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0
# Anyone may ask, as often as they like: that must not become work for the database or the bucket.
FRESH_S = 1.0

DRAINING = "draining"


@dataclass(frozen=True)
class ReadinessReport:
    """What each check found: None where all is well, else what is wrong, in words without secrets."""

    draining: bool
    problems: Mapping[str, str | None]

    @property
    def ready(self) -> bool:
        """Whether work should be sent here."""
        return not self.draining and not any(self.problems.values())

    def body(self) -> dict[str, object]:
        """Render the answer of /readyz."""
        status = DRAINING if self.draining else "ready" if self.ready else "not ready"
        return {"status": status, "checks": {name: problem or "ok" for name, problem in self.problems.items()}}


class Readiness:
    """The checks of one process.

    Parameters
    ----------
    checks : mapping of a name to a callable
        Each raises what is wrong. The words of a MachineError are shown; of any other error only the name, since its
        words may hold an address or worse.
    timeout_s : float
        How long one check may take.
    """

    def __init__(self, checks: Mapping[str, Callable[[], object]], *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._probes = {name: Probe(check, timeout_s=timeout_s, fresh_s=FRESH_S) for name, check in checks.items()}
        self._draining = threading.Event()
        self._were_problems: Mapping[str, str | None] = {}

    def drain(self) -> None:
        """From now on, say that no work should be sent here."""
        self._draining.set()

    def report(self) -> ReadinessReport:
        """Run the checks, side by side."""
        begun = [(name, probe, probe.start()) for name, probe in self._probes.items()]
        problems = {name: self._problem(probe, answer) for name, probe, answer in begun}
        self._log_changes(problems)
        return ReadinessReport(self._draining.is_set(), problems)

    def _problem(self, probe: Probe[object], answer: Future[object]) -> str | None:
        try:
            probe.result(answer)
        except MachineError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {self._timeout_s:g} s"
        except Exception as error:  # noqa: BLE001 - whatever is wrong, this process is not ready
            return f"failed: {type(error).__name__}"
        return None

    def _log_changes(self, problems: Mapping[str, str | None]) -> None:
        before, self._were_problems = self._were_problems, problems
        for name, problem in problems.items():
            if problem and not before.get(name):
                log.warning("not ready: %s: %s", name, problem)
            elif before.get(name) and not problem:
                log.info("ready again: %s", name)
