"""The log of the service, on standard error: one line for each event, for people or for programs.

What is logged never holds a secret: no secret key, token or password, no signature, and no query string, because upload
URLs carry their signature there.
"""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Callable
from typing import TextIO

from pythonjsonlogger.json import JsonFormatter

from voicegauge.context import FIELDS, current_fields

__all__ = ["ACCESS_FIELDS", "ACCESS_LOGGER", "configure_logs"]

ACCESS_LOGGER = "voicegauge.access"
ACCESS_FIELDS = ("method", "route", "status", "duration_ms")
"""What the line of a request has beside the fields that every line may have."""

# Others are heard when something is wrong; at a lower level boto3 and SQLAlchemy would write signatures and parameters.
LEVELS = {"voicegauge": logging.INFO, "uvicorn": logging.WARNING, "dbos": logging.WARNING}

ALIKE_CHARS = 32
ALIKE_EVERY_S = 30.0
ALIKE_KINDS = 100

# A line break within a message would be a second line, which might look like one of ours.
_CONTROL_CHARACTERS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def configure_logs(
    form: str, *, stream: TextIO | None = None, trace_id: Callable[[], str | None] | None = None
) -> None:
    """Send the log of this process to `stream`, by default standard error, replacing what was configured before.

    Parameters
    ----------
    form : {"text", "json"}
    stream : text file, optional
    trace_id : callable, optional
        Returns the id of the trace under way, where traces are made.
    """
    # Where in the code a line comes from, and from which thread, is not in it; looking that up is half of its cost.
    # See "Optimization" in Python's "Logging HOWTO".
    logging._srcfile = ""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.addFilter(Repetitions())
    handler.addFilter(_with_fields(trace_id))
    handler.setFormatter(_TextFormatter() if form == "text" else _json_formatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name, level in LEVELS.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.propagate = True


class Repetitions(logging.Filter):
    """Lets one of the durable engine's like messages through in a while: in an outage it says them often.

    Messages are alike when they begin alike; what follows tells the time of the next try, say.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now_s = now_s
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("dbos"):
            return True
        message = record.getMessage()
        beginning = message[:ALIKE_CHARS]
        said_s, hidden = self._said.pop(beginning, (-math.inf, 0))
        if self._now_s() - said_s < ALIKE_EVERY_S:
            self._said[beginning] = (said_s, hidden + 1)
            return False
        if len(self._said) >= ALIKE_KINDS:
            self._said.clear()
        self._said[beginning] = (self._now_s(), 0)
        if hidden:
            record.msg, record.args = f"{message} (and {hidden} like it before)", ()
        return True


def _with_fields(trace_id: Callable[[], str | None] | None) -> Callable[[logging.LogRecord], bool]:
    def add(record: logging.LogRecord) -> bool:
        for name, value in current_fields().items():
            record.__dict__.setdefault(name, value)
        if trace_id is not None and (found := trace_id()) is not None:
            record.trace_id = found
        return True

    return add


class _TextFormatter(logging.Formatter):
    """`2026-11-22T16:30:00.123Z INFO voicegauge.access GET /v3/projects 200 0.4 ms request_id=...`.

    A traceback follows on lines of its own.
    """

    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage().translate(_CONTROL_CHARACTERS)
        line = f"{_timestamp(record)} {record.levelname} {record.name} {message}"
        for name in (*FIELDS, "trace_id"):
            value = record.__dict__.get(name)
            if value is not None:
                line += f" {name}={value}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class _JsonFormatter(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return _timestamp(record)


def _json_formatter() -> logging.Formatter:
    names = ("asctime", "levelname", "name", "message")
    return _JsonFormatter(
        list(names),
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
        json_ensure_ascii=False,
    )


def _timestamp(record: logging.LogRecord) -> str:
    whole_s = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole_s}.{int(record.msecs):03d}Z"
