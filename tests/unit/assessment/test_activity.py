"""Speech segments from probabilities, and the active time of ITU-T P.56."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import FakeVoiceActivity, speech, white_noise
from voicegauge.assessment.activity import (
    FRAME_S,
    Activity,
    ActivityMeter,
    Segment,
    active_part,
    segments_from_probabilities,
)
from voicegauge.assessment.recording import Samples

RATE_HZ = 16_000


def segments(*frames: float) -> list[tuple[int, int]]:
    found = segments_from_probabilities(np.array(frames))
    return [(round(s.start_s / FRAME_S), round(s.end_s / FRAME_S)) for s in found]


def activity_of(samples: Samples, block: int = RATE_HZ) -> Activity:
    meter = ActivityMeter(FakeVoiceActivity())
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result()


def test_speech_begins_at_the_upper_and_ends_below_the_lower_threshold() -> None:
    assert segments(0, 0.4, 0.5, 0.4, 0.35, 0.6, 0.34, 0, 0, 0) == [(2, 6)]


def test_speech_may_last_to_the_end() -> None:
    assert segments(0, 0, 0.9, 0.9, 0.9, 0.9) == [(2, 6)]


@pytest.mark.parametrize(("gap", "expected"), [(3, [(0, 13)]), (4, [(0, 5), (9, 14)])])
def test_gaps_under_a_tenth_of_a_second_are_bridged(gap: int, expected: list[tuple[int, int]]) -> None:
    assert segments(*[0.9] * 5, *[0.0] * gap, *[0.9] * 5) == expected


@pytest.mark.parametrize(("length", "expected"), [(3, []), (4, [(5, 9)])])
def test_bursts_under_a_tenth_of_a_second_are_dropped(length: int, expected: list[tuple[int, int]]) -> None:
    assert segments(*[0.0] * 5, *[0.9] * length, *[0.0] * 5) == expected


@pytest.mark.parametrize("probabilities", [np.zeros(0), np.zeros(20), np.full(20, 0.49)])
def test_no_speech_gives_no_segments(probabilities: np.ndarray) -> None:
    assert segments_from_probabilities(probabilities) == ()


@given(st.lists(st.floats(0, 1), max_size=200))
def test_segments_are_in_order_and_apart(probabilities: list[float]) -> None:
    found = segments_from_probabilities(np.array(probabilities))
    edges = [edge for segment in found for edge in (segment.start_s, segment.end_s)]
    assert edges == sorted(edges)
    assert all(later.start_s - earlier.end_s >= 0.1 for earlier, later in pairwise(found))
    assert not found or found[-1].end_s <= len(probabilities) * FRAME_S + 1e-9


def test_mask_widens_segments() -> None:
    activity = Activity(10.0, (Segment(2.0, 3.0), Segment(5.0, 6.0)), 2.0)
    times_s = np.arange(10) + 0.5
    assert np.flatnonzero(activity.mask(times_s)).tolist() == [2, 5]
    assert np.flatnonzero(activity.mask(times_s, before_s=0.6)).tolist() == [1, 2, 4, 5]
    assert np.flatnonzero(activity.mask(times_s, after_s=0.6)).tolist() == [2, 3, 5, 6]


def test_active_level_of_a_burst_is_its_own_level_whatever_the_silence_around_it() -> None:
    envelope = np.zeros(1000)
    envelope[300:600] = 0.01
    part = active_part(envelope, total=3.0, hop_s=0.01)
    assert part is not None
    # 0.2 s of hang-over count as active.
    assert part.active == pytest.approx(320, abs=1)
    assert part.level_db == pytest.approx(-20.3, abs=0.1)


@pytest.mark.parametrize("envelope", [np.zeros(0), np.zeros(100)])
def test_nothing_has_no_active_part(envelope: np.ndarray) -> None:
    assert active_part(envelope, total=0.0, hop_s=0.01) is None


@pytest.mark.parametrize("pause_s", [0.1, 0.5, 2.0])
def test_pauses_longer_than_the_hangover_are_not_active(pause_s: float) -> None:
    burst, pause = np.full(100, 1.0), np.zeros(round(pause_s * 100))
    envelope = np.concatenate([np.append(burst, pause)] * 5)
    part = active_part(envelope, total=500.0, hop_s=0.01)
    assert part is not None
    assert part.active == pytest.approx(500 + 5 * 20 if pause_s > 0.2 else 550, abs=15)


def test_active_time_is_the_time_of_the_phrases() -> None:
    samples = speech(28.0, phrase_s=2.0, pause_s=0.8) + white_noise(28.0, power_db=-70)
    activity = activity_of(samples)
    assert len(activity.segments) == 10
    assert activity.active_s == pytest.approx(10 * 2.15, rel=0.05)
    assert activity.duration_s == 28.0


class Told(FakeVoiceActivity):
    """Hears speech where it is told to."""

    def __init__(self, *probabilities_and_frames: tuple[float, int]) -> None:
        self._told = np.concatenate([np.full(count, value, np.float32) for value, count in probabilities_and_frames])

    def open_stream(self) -> FakeVoiceActivity:
        return self

    def push(self, samples: Samples) -> np.ndarray:
        return np.zeros(0, dtype=np.float32)

    def finish(self) -> np.ndarray:
        return self._told


def active_s_where(network: Told, samples: Samples) -> float:
    meter = ActivityMeter(network)
    meter.push(samples)
    return meter.result().active_s


def test_a_loud_noise_away_from_speech_is_not_active_speech() -> None:
    quiet = np.zeros(3 * RATE_HZ, dtype=np.float32)
    samples = np.concatenate([speech(10.0), quiet, quiet])
    first_ten_seconds = Told((0.9, 312), (0.0, 188))
    disturbed = samples.copy()
    disturbed[14 * RATE_HZ : 15 * RATE_HZ] = white_noise(1.0, power_db=-15)
    active_s = active_s_where(first_ten_seconds, samples)
    assert active_s_where(first_ten_seconds, disturbed) == pytest.approx(active_s, rel=0.01)


@pytest.mark.parametrize("snr_db", [25, 15, 10])
def test_noise_does_not_make_pauses_active(snr_db: float) -> None:
    samples = speech(16.0, phrase_s=2.0, pause_s=2.0)
    power_db = 10 * np.log10(2 * np.mean(np.square(samples, dtype=np.float64)))
    phrases = Told(*[(0.9, 62), (0.0, 63)] * 4)
    noisy = samples + white_noise(16.0, power_db=power_db - snr_db)
    assert active_s_where(phrases, noisy) == pytest.approx(active_s_where(phrases, samples), rel=0.06)


@given(block=st.integers(100, 20_000))
@settings(max_examples=4, deadline=None)
def test_the_result_does_not_depend_on_the_blocks(block: int) -> None:
    samples = speech(4.0, seed=3)
    whole, cut = activity_of(samples, len(samples)), activity_of(samples, block)
    assert cut.segments == whole.segments
    assert cut.active_s == pytest.approx(whole.active_s, abs=1e-9)


@pytest.mark.parametrize("length", [0, 1, 79, 80, 160, 511, 512, 513])
def test_the_shortest_recordings_have_an_activity(length: int) -> None:
    activity = activity_of(np.full(length, 0.3, dtype=np.float32))
    assert activity.duration_s == length / RATE_HZ
    assert 0 <= activity.active_s <= activity.duration_s
    assert all(segment.end_s <= activity.duration_s for segment in activity.segments)
