"""What a request or a task is about: the names that every log line and span within it carries.

The standard library only, so that every part may say what it works on without knowing who listens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["FIELDS", "current_fields", "note", "working_on"]

FIELDS = ("request_id", "project_id", "job_id", "access_key")
"""Every name that is in use, in the order in which they are shown."""

_fields: ContextVar[dict[str, str] | None] = ContextVar("voicegauge_fields", default=None)


@contextmanager
def working_on(**fields: str) -> Iterator[None]:
    """Give everything logged inside the block these fields, beside those of the blocks around it."""
    token = _fields.set({**(_fields.get() or {}), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def note(**fields: str) -> None:
    """Add fields to the block around, also from a thread or task that it waits for; outside of one, do nothing."""
    held = _fields.get()
    if held is not None:
        held.update(fields)


def current_fields() -> Mapping[str, str]:
    """Return the fields of the block around."""
    return _fields.get() or {}
