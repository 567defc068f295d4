"""A probe answers in time, whatever it looks at."""

from __future__ import annotations

import threading

import pytest

from voicegauge.observability.probe import Probe


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_an_answer_is_kept_while_it_is_fresh() -> None:
    clock, looks = Clock(), iter(range(10))
    probe = Probe(lambda: next(looks), timeout_s=5, fresh_s=2, clock_s=clock)
    assert (probe.result(), probe.result()) == (0, 0)
    clock.now_s += 2
    assert probe.result() == 1


def test_what_the_look_raised_is_raised_and_kept_too() -> None:
    clock, looks = Clock(), iter([ValueError("no"), ValueError("again")])

    def look() -> None:
        raise next(looks)

    probe = Probe(look, timeout_s=5, fresh_s=2, clock_s=clock)
    for expected in ("no", "no"):
        with pytest.raises(ValueError, match=expected):
            probe.result()
    clock.now_s += 2
    with pytest.raises(ValueError, match="again"):
        probe.result()


def test_a_look_that_hangs_is_neither_waited_for_nor_repeated() -> None:
    clock, go_on, looks = Clock(), threading.Event(), []

    def hang() -> str:
        looks.append(1)
        go_on.wait()
        return "late"

    probe = Probe(hang, timeout_s=0.01, fresh_s=0, clock_s=clock)
    coming = probe.start()
    for _ in range(3):
        clock.now_s += 1
        with pytest.raises(TimeoutError):
            probe.result()
    go_on.set()
    assert coming.result(5) == "late"
    assert len(looks) == 1
    assert probe.result() == "late"
    assert len(looks) == 2
