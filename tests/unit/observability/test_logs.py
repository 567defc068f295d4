"""The log, as people and as programs read it."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

from tests.unit.observability.conftest import Log
from voicegauge.context import FIELDS, working_on
from voicegauge.observability.logs import ACCESS_FIELDS, Repetitions

DOCUMENT = Path(__file__).parents[3] / "docs" / "observability.md"

log = logging.getLogger("voicegauge.jobs.somewhere")


def test_a_line_for_people(logging_to: Callable[..., Log]) -> None:
    written = logging_to("text")
    with working_on(job_id="j1", request_id="r1"):
        log.warning("a child process died while planning %s", "key")
    (line,) = written.lines()
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z WARNING voicegauge\.jobs\.somewhere "
        r"a child process died while planning key request_id=r1 job_id=j1",
        line,
    )


def test_a_line_for_programs(logging_to: Callable[..., Log]) -> None:
    written = logging_to("json")
    with working_on(job_id="j1", project_id="p1"):
        log.info("measured %d 录音", 3)
    (record,) = written.records()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", record.pop("time"))
    assert record == {
        "level": "INFO",
        "logger": "voicegauge.jobs.somewhere",
        "message": "measured 3 录音",
        "job_id": "j1",
        "project_id": "p1",
    }
    assert "录音" in written.text


def test_an_exception_stays_one_line_for_programs_and_has_its_traceback(logging_to: Callable[..., Log]) -> None:
    written = logging_to("json")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("planning failed")
    (record,) = written.records()
    assert record["message"] == "planning failed"
    assert "Traceback" in record["exc_info"]
    assert "ValueError: broken" in record["exc_info"]


def test_what_a_caller_wrote_cannot_begin_a_line_of_its_own(logging_to: Callable[..., Log]) -> None:
    written = logging_to("text")
    log.warning("measuring %s", "a\n2026-01-01T00:00:00.000Z INFO voicegauge all is well\x1b[2J")
    (line,) = written.lines()
    assert r"a\x0a2026" in line
    assert "\x1b" not in written.text


def test_others_are_heard_when_something_is_wrong(logging_to: Callable[..., Log]) -> None:
    written = logging_to("json")
    for name in ("botocore.auth", "sqlalchemy.engine", "dbos", "uvicorn.error"):
        logging.getLogger(name).info("StringToSign ...")
        logging.getLogger(name).warning("something is wrong")
    assert [record["logger"] for record in written.records()] == [
        "botocore.auth",
        "sqlalchemy.engine",
        "dbos",
        "uvicorn.error",
    ]


def test_the_id_of_the_trace_is_on_every_line_where_there_is_one(logging_to: Callable[..., Log]) -> None:
    ids = iter(["abc", None])
    written = logging_to("json", trace_id=lambda: next(ids))
    log.info("within")
    log.info("without")
    assert [record.get("trace_id") for record in written.records()] == ["abc", None]


def test_configuring_again_writes_each_line_once(logging_to: Callable[..., Log]) -> None:
    first, second = logging_to("text"), logging_to("text")
    log.info("once")
    assert first.lines() == []
    assert len(second.lines()) == 1


def test_the_durable_engine_says_a_thing_once_in_a_while() -> None:
    now_s = 0.0
    repetitions = Repetitions(lambda: now_s)

    def heard(text: str, logger: str = "dbos") -> str | None:
        record = logging.LogRecord(logger, logging.WARNING, __file__, 1, text, (), None)
        return record.getMessage() if repetitions.filter(record) else None

    assert heard("Exception encountered in queue thread for jobs") == "Exception encountered in queue thread for jobs"
    assert heard("Exception encountered in queue thread for chunks") is None
    assert heard("Database connection failed, attempt 1") is not None
    now_s = 31.0
    again = heard("Exception encountered in queue thread for chunks")
    assert again == "Exception encountered in queue thread for chunks (and 1 like it before)"
    assert heard("a line of ours", "voicegauge.jobs") == heard("a line of ours", "voicegauge.jobs") == "a line of ours"


def test_the_document_names_every_field() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    section = page.split("## Logs")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    fixed = {"time", "level", "logger", "message", "exc_info", "trace_id"}
    assert documented == {*fixed, *FIELDS, *ACCESS_FIELDS}
