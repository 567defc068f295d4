"""Whether a process is ready, and what stands in the way."""

from __future__ import annotations

import logging
import threading

import pytest
import sqlalchemy as sa

from voicegauge.errors import MachineError
from voicegauge.observability.readiness import Readiness


def well() -> None:
    return None


def test_ready_when_every_check_passes() -> None:
    report = Readiness({"database": well, "objects": well}).report()
    assert report.ready
    assert report.body() == {"status": "ready", "checks": {"database": "ok", "objects": "ok"}}


def test_a_check_that_fails_is_named_with_its_reason_and_the_others_are_not() -> None:
    def full() -> None:
        raise MachineError("the disk is full")

    report = Readiness({"database": well, "objects": full}).report()
    assert not report.ready
    assert report.body() == {"status": "not ready", "checks": {"database": "ok", "objects": "the disk is full"}}


def test_the_words_of_an_error_that_is_not_ours_are_not_shown() -> None:
    def refuse() -> None:
        raise sa.exc.OperationalError("SELECT 1", {}, Exception("postgresql://user:hunter2@host"))

    body = Readiness({"database": refuse}).report().body()
    assert body["checks"] == {"database": "failed: OperationalError"}


def test_a_check_that_hangs_is_given_up_and_keeps_none_of_the_others() -> None:
    go_on = threading.Event()
    report = Readiness({"database": go_on.wait, "objects": well}, timeout_s=0.01).report()
    go_on.set()
    assert report.body()["checks"] == {"database": "no answer within 0.01 s", "objects": "ok"}


def test_not_ready_from_the_moment_of_draining() -> None:
    readiness = Readiness({"database": well})
    assert readiness.report().ready
    readiness.drain()
    assert not readiness.report().ready
    assert readiness.report().body() == {"status": "draining", "checks": {"database": "ok"}}


def test_the_log_tells_when_it_ceases_to_be_ready_and_when_it_is_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicegauge.observability.readiness.FRESH_S", 0.0)
    caplog.set_level(logging.INFO)
    problems = iter([None, MachineError("away"), MachineError("away"), None, None])

    def check() -> None:
        problem = next(problems)
        if problem:
            raise problem

    readiness = Readiness({"objects": check})
    for _ in range(5):
        readiness.report()
    assert caplog.messages == ["not ready: objects: away", "ready again: objects"]
