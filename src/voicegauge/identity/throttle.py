"""Locks an access key for a while after too many wrong signatures or passwords in a row."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FAILURES_TO_LOCK", "LOCK_S", "FailureThrottle"]

FAILURES_TO_LOCK = 5
LOCK_S = 300


@dataclass(frozen=True)
class _Failures:
    count: int
    last_s: float


class FailureThrottle:
    """Counts wrong signatures and passwords of each access key within this process.

    Feed it existing access keys only: it remembers each one until the right secret comes.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._failures: dict[str, _Failures] = {}
        self._lock = threading.Lock()

    def locked_for_s(self, access_key: str) -> int:
        """Return the seconds for which the key is still locked, 0 where it is not."""
        with self._lock:
            failures = self._failures.get(access_key)
            if failures is None or failures.count < FAILURES_TO_LOCK:
                return 0
            remaining_s = failures.last_s + LOCK_S - self._now_s()
            if remaining_s <= 0:
                del self._failures[access_key]
                return 0
            return math.ceil(remaining_s)

    def failed(self, access_key: str) -> None:
        """Count one wrong signature or password."""
        with self._lock:
            before = self._failures.get(access_key)
            self._failures[access_key] = _Failures(1 if before is None else before.count + 1, self._now_s())

    def succeeded(self, access_key: str) -> None:
        """Forget what was wrong: only failures in a row count."""
        with self._lock:
            self._failures.pop(access_key, None)
