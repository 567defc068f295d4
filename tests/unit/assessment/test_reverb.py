"""C50 of a synthetic voice in synthetic rooms."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import speech, white_noise
from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.decay import FEATURE_COUNT, DecayWindows, features, pool
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.reverb import ReverbMeter
from voicegauge.assessment.values import Measurement, Reason, Unit

RATE_HZ = 16_000


def room(c50_db: float, *, decay_s: float) -> npt.NDArray[np.float64]:
    """The direct sound, and noise that dies away from 2 ms on, by 60 dB in `decay_s`; with just this C50."""
    count = round(1.2 * decay_s * RATE_HZ) + RATE_HZ // 10
    times_s = np.arange(count) / RATE_HZ
    tail = np.random.default_rng(3).standard_normal(count) * 10 ** (-3 * times_s / decay_s) * (times_s >= 0.002)
    early, late = np.sum(tail[: RATE_HZ // 20] ** 2), np.sum(tail[RATE_HZ // 20 :] ** 2)
    gain = 1 / (10 ** (c50_db / 10) * late - early)
    assert gain > 0, "a tail that dies away so fast cannot have so low a C50"
    response: npt.NDArray[np.float64] = tail * np.sqrt(gain)
    response[0] = 1.0
    return response


@cache
def voice(duration_s: float = 10.0) -> Samples:
    return speech(duration_s, syllables_per_s=3.5, phrase_s=2.0, pause_s=0.8)


def in_room(samples: Samples, response: npt.NDArray[np.float64]) -> Samples:
    size = len(samples) + len(response)
    wet = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[: len(samples)]
    scaled: Samples = (wet * (0.5 / np.max(np.abs(wet)))).astype(np.float32)
    return scaled + white_noise(len(samples) / RATE_HZ, power_db=-80)


def speaking(duration_s: float) -> Activity:
    return Activity(duration_s, (Segment(0.0, duration_s),), duration_s)


def c50_of(samples: Samples, activity: Activity | None = None, *, block: int = RATE_HZ) -> Measurement:
    meter = ReverbMeter()
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result(activity or speaking(len(samples) / RATE_HZ))


@cache
def echoing() -> Samples:
    samples = in_room(voice(), room(10, decay_s=0.5))
    samples.flags.writeable = False
    return samples


@cache
def c50_of_echoing() -> Measurement:
    return c50_of(echoing())


@pytest.mark.parametrize(("c50_db", "decay_s"), [(2, 1.0), (8, 0.6), (14, 0.4), (20, 0.25)])
def test_c50_of_a_room_is_found(c50_db: float, decay_s: float) -> None:
    measured = c50_of(in_room(voice(), room(c50_db, decay_s=decay_s)))
    assert measured.unit is Unit.DB
    assert measured.value == pytest.approx(c50_db, abs=5)


def test_a_drier_room_has_a_higher_c50() -> None:
    rooms = [
        room(c50_db, decay_s=decay_s) for c50_db, decay_s in ((0, 1.2), (6, 0.8), (12, 0.5), (20, 0.25), (30, 0.15))
    ]
    values = [c50_of(in_room(voice(), response)).value or -99 for response in rooms]
    assert values == sorted(values)
    assert values[-1] > values[0] + 15
    assert (c50_of(in_room(voice(), np.ones(1))).value or -99) > 25


def test_the_value_carries_the_seconds_it_speaks_for() -> None:
    assert c50_of_echoing().weight_s == pytest.approx(10.0)


def test_the_level_does_not_matter() -> None:
    assert c50_of(echoing() * np.float32(0.01)).value == pytest.approx(c50_of_echoing().value, abs=0.1)


def test_windows_without_speech_do_not_count() -> None:
    wet = in_room(voice(), room(8, decay_s=0.6))
    dry = in_room(voice(), np.ones(1))
    both = np.concatenate([wet, dry])
    in_wet = Activity(20.0, (Segment(0.0, 10.0),), 10.0)
    wet_c50_db = c50_of(wet).value
    assert wet_c50_db is not None
    assert c50_of(both, in_wet).value == pytest.approx(wet_c50_db)
    assert (c50_of(both, speaking(20.0)).value or 0) > wet_c50_db + 2


def test_passages_have_their_own_c50() -> None:
    meter = ReverbMeter()
    meter.push(np.concatenate([in_room(voice(), room(8, decay_s=0.6)), in_room(voice(), np.ones(1)), 0 * voice()]))
    wet, dry = meter.passages(Activity(30.0, (Segment(0.0, 13.0), Segment(14.0, 17.0)), 16.0))
    assert (wet.start_s, wet.end_s, dry.start_s, dry.end_s) == (0.0, 10.0, 10.0, 20.0)
    assert dry.c50_db > wet.c50_db + 15
    assert wet.c50_db == pytest.approx(8, abs=5)


def test_a_passage_with_little_speech_has_none() -> None:
    meter = ReverbMeter()
    meter.push(in_room(voice(), room(8, decay_s=0.6)))
    assert meter.passages(Activity(10.0, (Segment(0.0, 3.0),), 3.0)) == []


def test_noise_behind_the_voice_moves_it_little() -> None:
    noisy = echoing() + white_noise(10.0, power_db=-55)
    assert c50_of(noisy).value == pytest.approx(c50_of_echoing().value, abs=4)


@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(0, dtype=np.float32),
        np.ones(1, dtype=np.float32),
        np.zeros(5 * RATE_HZ, dtype=np.float32),
        np.ones(5 * RATE_HZ, dtype=np.float32),
        voice(2.0)[RATE_HZ:][: RATE_HZ // 3],
    ],
    ids=["nothing", "one sample", "silence", "DC", "a third of a second"],
)
def test_too_little_to_tell_from_gives_no_value(samples: Samples) -> None:
    measured = c50_of(samples)
    assert measured.value is None
    assert measured.reason in (Reason.NO_SPEECH, Reason.NOT_ENOUGH_SPEECH)


def test_without_speech_there_is_no_value() -> None:
    measured = c50_of(voice(3.0), Activity(3.0, (), 0.0))
    assert (measured.value, measured.reason) == (None, Reason.NO_SPEECH)


def test_under_two_seconds_of_speech_there_is_no_value() -> None:
    measured = c50_of(voice(3.0), Activity(3.0, (Segment(1.0, 2.9),), 1.9))
    assert (measured.value, measured.reason) == (None, Reason.NOT_ENOUGH_SPEECH)


def test_a_steady_tone_has_no_decays_to_measure() -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(6 * RATE_HZ) / RATE_HZ)).astype(np.float32)
    assert c50_of(tone).reason is Reason.NOT_ENOUGH_SPEECH


@cache
def long_take() -> tuple[Samples, Measurement]:
    wet = in_room(voice(17.0), room(10, decay_s=0.5))
    return wet, c50_of(wet, block=len(wet))


@given(st.integers(500, 300_000))
@settings(max_examples=6, deadline=None)
def test_the_value_does_not_depend_on_how_the_samples_are_cut(block: int) -> None:
    samples, in_one = long_take()
    assert c50_of(samples, block=block) == in_one


@given(st.integers(0, 600_000))
@settings(max_examples=6, deadline=None)
def test_windows_are_neither_short_nor_long_and_cover_everything(length: int) -> None:
    windows = DecayWindows()
    windows.push(white_noise(length / RATE_HZ)[:length])
    spans = [(window.start, window.end) for window in windows.finish()]
    if length < RATE_HZ // 2:
        assert spans == []
        return
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == length
    assert all(end - start <= 15 * RATE_HZ for start, end in spans)
    assert all(end - start >= 5 * RATE_HZ for start, end in spans[1:])


def test_there_are_as_many_features_as_said() -> None:
    windows = DecayWindows()
    windows.push(voice(7.0))
    described = features(pool([window.statistics for window in windows.finish()]))
    assert described.shape == (FEATURE_COUNT,)
    assert np.all(np.isfinite(described))
