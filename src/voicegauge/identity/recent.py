"""The access keys at work now, so that a busy client does not cost the database a question with every request."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from voicegauge.identity.directory import Credential

__all__ = ["KEEP_S", "NotRememberedError", "RecentCredentials"]

# How long a revoked key may go on being good, on every node: too short for anyone to notice, and long enough that a
# client that calls a hundred times a second costs the database a question with every fifth call.
KEEP_S = 0.05
MOST = 10_000


class NotRememberedError(Exception):
    """The key was not asked for lately."""


class RecentCredentials:
    """Remembers valid access keys for a moment; what is not there is asked for each time. Safe to use from threads.

    Parameters
    ----------
    find : callable
        Returns the valid credential of an access key, None where there is none.
    now_s : callable
        The current time in seconds.
    """

    def __init__(self, find: Callable[[str], Credential | None], now_s: Callable[[], float]) -> None:
        self._find = find
        self._now_s = now_s
        self._recent: dict[str, tuple[float, Credential]] = {}

    def remembered(self, access_key: str) -> Credential:
        """Return a valid key with its secret without asking anyone; raises NotRememberedError."""
        asked_s, credential = self._recent.get(access_key, (0.0, None))
        # A clock that was set back makes nothing last longer.
        if credential is None or not 0 <= self._now_s() - asked_s < KEEP_S:
            raise NotRememberedError(access_key)
        return credential

    def find(self, access_key: str) -> Credential | None:
        """Return a valid key with its secret, None where it does not exist or was revoked before the moment."""
        with contextlib.suppress(NotRememberedError):
            return self.remembered(access_key)
        now_s = self._now_s()
        credential = self._find(access_key)
        if credential is None:
            self._recent.pop(access_key, None)
            return None
        if len(self._recent) >= MOST:
            self._recent.clear()
        self._recent[access_key] = (now_s, credential)
        return credential
