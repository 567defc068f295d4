"""A look at something that may not answer, for which nobody waits too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["Probe"]

T = TypeVar("T")


class Probe(Generic[T]):
    """Runs a blocking look in a thread of its own, never twice at a time, and keeps its answer for a moment.

    A look that hangs is not repeated: whoever asks meanwhile waits for that one.

    Parameters
    ----------
    look : callable
    timeout_s : float
        How long after its begin a look is waited for.
    fresh_s : float
        How long an answer, or an error, is good.
    clock_s : callable
        A clock that only goes forward, in seconds.
    """

    def __init__(
        self,
        look: Callable[[], T],
        *,
        timeout_s: float,
        fresh_s: float,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._timeout_s = timeout_s
        self._fresh_s = fresh_s
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._latest: Future[T] | None = None
        self._began_s = self._ended_s = 0.0

    def result(self, answer: Future[T] | None = None) -> T:
        """Return what the look returned, or raise what it raised; `answer` is that of a look begun before.

        Raises
        ------
        TimeoutError
            There is no answer yet.
        """
        answer = answer or self.start()
        return answer.result(max(0.0, self._began_s + self._timeout_s - self._clock_s()))

    def start(self) -> Future[T]:
        """Begin a look, unless one is under way or was just made; return its coming answer."""
        with self._lock:
            latest = self._latest
            if latest is not None and (not latest.done() or self._clock_s() < self._ended_s + self._fresh_s):
                return latest
            self._latest = latest = Future()
            self._began_s = self._clock_s()
        threading.Thread(target=self._run, args=(latest,), name="probe", daemon=True).start()
        return latest

    def _run(self, answer: Future[T]) -> None:
        try:
            value = self._look()
        except BaseException as error:  # noqa: BLE001 - it is for the asker, whatever it is
            self._ended_s = self._clock_s()
            answer.set_exception(error)
        else:
            self._ended_s = self._clock_s()
            answer.set_result(value)
