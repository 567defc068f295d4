"""The speaking rate, with a transcript and without."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import speech, white_noise
from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.speaking_rate import SpeakingRateMeter
from voicegauge.assessment.values import Language, Measurement, Reason, Unit

RATE_HZ = 16_000
PHRASE_S, PAUSE_S = 2.0, 0.8


def phrases(duration_s: float) -> Activity:
    """Where `speech` speaks."""
    starts_s = np.arange(PAUSE_S, duration_s, PHRASE_S + PAUSE_S)
    segments = tuple(Segment(float(start), min(float(start) + PHRASE_S, duration_s)) for start in starts_s)
    return Activity(duration_s, segments, sum(segment.end_s - segment.start_s for segment in segments))


def rate_of(
    samples: Samples,
    activity: Activity,
    *,
    language: Language = "CN",
    transcript: str | None = None,
    block: int = RATE_HZ,
) -> Measurement:
    meter = SpeakingRateMeter(language, transcript)
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result(activity)


@cache
def talk(syllables_per_s: float, duration_s: float = 17.6) -> Samples:
    return speech(duration_s, syllables_per_s=syllables_per_s, phrase_s=PHRASE_S, pause_s=PAUSE_S) + white_noise(
        duration_s, power_db=-75
    )


@cache
def rate_of_talk(syllables_per_s: float) -> Measurement:
    return rate_of(talk(syllables_per_s), phrases(17.6))


@pytest.mark.parametrize("syllables_per_s", [2.5, 3.5, 4.5, 6.0])
def test_syllables_are_counted_without_a_transcript(syllables_per_s: float) -> None:
    measured = rate_of_talk(syllables_per_s)
    # The map to syllables is fitted on voices, which do not part their syllables as cleanly as this tone.
    assert measured.value == pytest.approx(60 * syllables_per_s, rel=0.25)
    assert measured.unit is Unit.CHARACTERS_PER_MIN
    assert measured.weight_s == pytest.approx(12.0)
    assert measured.details["from_transcript"] == 0


def test_faster_speech_gives_a_higher_rate() -> None:
    rates = [rate_of_talk(rate).value or 0 for rate in (2.5, 3.5, 4.5, 6.0)]
    assert rates == sorted(rates)
    assert rates[-1] > 1.8 * rates[0]


def test_english_words_are_syllables_over_a_fixed_ratio() -> None:
    measured = rate_of(talk(4.0), phrases(17.6), language="EN")
    assert measured.unit is Unit.WORDS_PER_MIN
    assert measured.value is not None
    assert measured.details["syllables_per_min"] == pytest.approx(1.32 * measured.value)


def test_the_rate_does_not_depend_on_the_level_or_on_silence_around() -> None:
    samples, value = talk(4.0), rate_of_talk(4.0).value
    assert value is not None
    assert rate_of(samples * np.float32(0.01), phrases(17.6)).value == pytest.approx(value, rel=1e-3)
    silence = np.zeros(20 * RATE_HZ, dtype=np.float32)
    assert rate_of(np.concatenate([samples, silence]), phrases(17.6)).value == pytest.approx(value, rel=0.02)


@pytest.mark.parametrize(
    ("language", "transcript", "units", "syllables"),
    [("CN", "今天是2024年。", 8, 8), ("EN", "The idea is 21 years old.", 7, 10)],
)
def test_a_transcript_is_counted_over_the_active_time(
    language: Language, transcript: str, units: int, syllables: int
) -> None:
    measured = rate_of(talk(4.0), phrases(17.6), language=language, transcript=transcript)
    assert measured.value == pytest.approx(60 * units / 12.0)
    assert measured.details == {
        "syllables_per_min": pytest.approx(60 * syllables / 12.0),
        "units": units,
        "from_transcript": 1,
    }


@pytest.mark.parametrize("transcript", ["", "  ……"])
def test_a_transcript_with_nothing_to_say_counts_as_none(transcript: str) -> None:
    assert rate_of(talk(4.0), phrases(17.6), transcript=transcript) == rate_of_talk(4.0)


def test_the_weighted_mean_of_parts_is_all_units_over_all_time() -> None:
    parts = [rate_of(talk(4.0, s), phrases(s), transcript="字" * n) for s, n in ((17.6, 40), (10.0, 20))]
    weighted = sum((p.value or 0) * p.weight_s for p in parts) / sum(p.weight_s for p in parts)
    assert weighted == pytest.approx(60 * 60 / sum(p.weight_s for p in parts))


@pytest.mark.parametrize("transcript", [None, "你好"])
def test_without_speech_there_is_no_rate(transcript: str | None) -> None:
    measured = rate_of(white_noise(5), Activity(5.0, (), 0.0), transcript=transcript)
    assert (measured.value, measured.reason) == (None, Reason.NO_SPEECH)


@pytest.mark.parametrize(("transcript", "active_s"), [(None, 2.9), ("你好", 0.9)])
def test_too_little_speech_gives_no_rate(transcript: str | None, active_s: float) -> None:
    activity = Activity(5.0, (Segment(0.0, active_s),), active_s)
    measured = rate_of(talk(4.0, 5.0), activity, transcript=transcript)
    assert (measured.value, measured.reason) == (None, Reason.NOT_ENOUGH_SPEECH)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, dtype=np.float32),
        np.zeros(1, dtype=np.float32),
        np.ones(1, dtype=np.float32),
        np.zeros(5 * RATE_HZ, dtype=np.float32),
        np.ones(5 * RATE_HZ, dtype=np.float32),
        white_noise(5),
        np.sin(np.arange(5 * RATE_HZ) * 0.2).astype(np.float32),
    ],
    ids=["nothing", "zero", "one sample", "silence", "DC", "noise", "tone"],
)
def test_what_is_no_speech_does_no_harm_even_where_it_is_called_speech(samples: Samples) -> None:
    duration_s = len(samples) / RATE_HZ
    measured = rate_of(samples, Activity(duration_s, (Segment(0.0, duration_s),), duration_s))
    assert measured.value is None or 0 < measured.value < 600


@cache
def rate_in_one() -> Measurement:
    return rate_of(talk(4.0, 5.0), phrases(5.0), block=len(talk(4.0, 5.0)))


@given(st.integers(400, 60_000))
@settings(max_examples=8, deadline=None)
def test_the_rate_does_not_depend_on_how_the_samples_are_cut(block: int) -> None:
    assert rate_in_one().value is not None
    assert rate_of(talk(4.0, 5.0), phrases(5.0), block=block) == rate_in_one()


def test_samples_may_come_one_by_one() -> None:
    samples, activity = talk(4.0, 5.0)[:800], Activity(0.05, (Segment(0.0, 0.05),), 4.0)
    assert rate_of(samples, activity, block=1) == rate_of(samples, activity, block=800)
