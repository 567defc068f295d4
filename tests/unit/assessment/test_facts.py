"""Facts about files: the total, or the one that is furthest out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.assessment.test_judge import judged, take
from voicegauge.assessment.profile import Assessment, Profile, Range
from voicegauge.assessment.values import Fact, Property, Reason, RecordingMeasurements
from voicegauge.profiles.loader import load_profile


@pytest.fixture(scope="module")
def book() -> Profile:
    """Asks for a sample rate and for a length of each recording."""
    return load_profile("acx", "EN")


@pytest.fixture(scope="module")
def hours() -> Profile:
    """Asks for a total length, one channel and a lowest sample rate."""
    return load_profile("elevenlabs-pvc", "EN")


def file(name: str, *, length_s: float = 600.0, rate_hz: int = 44_100, channels: int = 1) -> RecordingMeasurements:
    return replace(take(name), duration_s=length_s, sample_rate_hz=rate_hz, channels=channels)


def test_the_rate_furthest_out_stands_for_all_and_its_file_is_named(book: Profile) -> None:
    verdict = judged(book, file("a"), file("low", rate_hz=16_000), file("high", rate_hz=48_000)).verdicts[
        Fact.SAMPLE_RATE
    ]
    assert (verdict.actual.value, verdict.within) == (16_000, False)
    assert verdict.failing == ("low", "high")
    assert verdict.advice.en.startswith(verdict.expected.advice.low.en)


def test_lengths_are_added_up_and_no_file_is_blamed_for_the_total(hours: Profile) -> None:
    verdict = judged(hours, file("a"), file("b")).verdicts[Fact.TOTAL_LENGTH]
    assert (verdict.actual.value, verdict.within, verdict.failing) == (1200, False, ())
    assert judged(hours, *(file(str(index)) for index in range(3))).verdicts[Fact.TOTAL_LENGTH].within is True


def test_facts_are_exact_and_weigh_nothing_into_the_rest(hours: Profile) -> None:
    verdicts = judged(hours, file("a", channels=2)).verdicts
    assert (verdicts[Fact.CHANNELS].actual.error, verdicts[Fact.CHANNELS].within) == (0.0, False)
    assert Property.SNR not in verdicts


def speech(*seconds: float | None) -> Assessment:
    takes = [replace(file(str(index)), speech_s=each) for index, each in enumerate(seconds)]
    return judged(load_profile("tencent-ivh", "EN"), *takes)


def test_speech_is_added_up() -> None:
    verdict = speech(200.0, 150.0).verdicts[Fact.TOTAL_SPEECH]
    assert (verdict.actual.value, verdict.actual.error, verdict.within) == (350.0, None, True)


def test_speech_that_was_not_measured_is_no_pass() -> None:
    verdict = speech(400.0, None).verdicts[Fact.TOTAL_SPEECH]
    assert (verdict.actual.reason, verdict.within) == (Reason.NO_MEASUREMENT, None)


def test_an_unreadable_file_has_no_facts(book: Profile) -> None:
    gone = replace(file("gone"), duration_s=None, sample_rate_hz=None, channels=None)
    assert judged(book, gone).verdicts[Fact.SAMPLE_RATE].actual.reason is Reason.UNREADABLE
    assert judged(book, gone, file("a")).verdicts[Fact.SAMPLE_RATE].within is True


def test_what_is_not_measured_is_said_in_the_advice(book: Profile) -> None:
    advice = judged(book, file("a")).advice
    assert "a noise floor of at most -60 dB RMS in the pauses; " in advice.en
    assert "请自己核对" in advice.zh


def test_an_open_range_lets_everything_in(book: Profile) -> None:
    expected = book.expectations[Property.LOUDNESS]
    assert expected.range == Range(None, None)
    assert judged(book, file("a")).verdicts[Property.LOUDNESS].within is True
