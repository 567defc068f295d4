"""Speech-to-noise ratio on sounds whose ratio is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import activity_of_speech, speech, white_noise
from voicegauge.assessment.activity import Activity, Segment, active_part
from voicegauge.assessment.noise import BandMeter, cell_times_s, noise_course
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.snr import SnrMeter
from voicegauge.assessment.values import Measurement, Reason, Unit

RATE_HZ = 16_000
DURATION_S = 12.0


def measured(samples: Samples, activity: Activity, block: int = RATE_HZ) -> Measurement:
    meter = SnrMeter()
    for start in range(0, len(samples), block):
        meter.push(samples[start : start + block])
    return meter.result(activity)


def snr_db(samples: Samples) -> float:
    value = measured(samples, activity_of_speech(len(samples) / RATE_HZ)).value
    assert value is not None
    return value


def active_level_db(samples: Samples) -> float:
    power = np.mean(samples[: len(samples) // 160 * 160].reshape(-1, 160).astype(float) ** 2, axis=1)
    part = active_part(np.convolve(power, np.full(5, 0.2), "same"), total=float(np.sum(power)), hop_s=0.01)
    assert part is not None
    return part.level_db


def mixed(ratio_db: float, noise: Samples) -> Samples:
    """Speech with noise so much below it."""
    clean = speech(len(noise) / RATE_HZ)
    power_db = active_level_db(clean) - ratio_db
    scale = np.sqrt(10 ** (power_db / 10) / np.mean(noise.astype(float) ** 2))
    return np.asarray(clean + noise * scale, dtype=np.float32)


def humming(duration_s: float) -> Samples:
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    hum = sum(np.sin(2 * np.pi * 50 * harmonic * times_s + harmonic) / harmonic for harmonic in range(1, 8))
    return np.asarray(hum + 0.05 * white_noise(duration_s, power_db=0), dtype=np.float32)


def pink(duration_s: float) -> Samples:
    spectrum = np.fft.rfft(white_noise(duration_s, power_db=0))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    return np.asarray(np.fft.irfft(spectrum), dtype=np.float32)


def swelling(duration_s: float) -> Samples:
    """White noise that rises and falls by 16 dB within seconds."""
    times_s = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    gain_db = np.interp(
        times_s, np.arange(0, duration_s + 2, 1.5), np.tile([-8, 8, 0, -6, 5, -3, 7], 9)[: int(duration_s / 1.5) + 2]
    )
    return np.asarray(white_noise(duration_s, power_db=0) * 10 ** (gain_db / 20), dtype=np.float32)


@pytest.mark.parametrize("ratio_db", [0.0, 10.0, 20.0, 30.0, 45.0])
@pytest.mark.parametrize("kind", ["white", "pink", "hum"])
def test_the_ratio_to_steady_noise_is_found(ratio_db: float, kind: str) -> None:
    noise = {"white": white_noise, "pink": pink, "hum": humming}[kind](DURATION_S)
    assert snr_db(mixed(ratio_db, noise)) == pytest.approx(ratio_db, abs=1.0)


@pytest.mark.parametrize("ratio_db", [5.0, 15.0, 25.0])
def test_noise_that_swells_under_the_speech_is_followed(ratio_db: float) -> None:
    assert snr_db(mixed(ratio_db, swelling(15.0))) == pytest.approx(ratio_db, abs=1.3)


def test_the_course_of_swelling_noise_is_its_envelope() -> None:
    noise = swelling(15.0)
    samples = mixed(15.0, noise)
    meter = BandMeter()
    meter.push(samples)
    levels_db = meter.levels_db()
    times_s = cell_times_s(len(levels_db))
    pause = ~activity_of_speech(15.0).mask(times_s, before_s=0.1, after_s=0.2)
    course = noise_course(levels_db, pause, snr_db=15.0)
    assert course is not None
    power = [np.mean(noise[round((t - 0.016) * RATE_HZ) : round((t + 0.016) * RATE_HZ)] ** 2) for t in times_s]
    error_db = 10 * np.log10(course / np.array(power))
    assert np.std(error_db) < 2.0


def test_steady_noise_has_no_course() -> None:
    meter = BandMeter()
    meter.push(mixed(15.0, white_noise(15.0)))
    levels_db = meter.levels_db()
    pause = ~activity_of_speech(15.0).mask(cell_times_s(len(levels_db)), before_s=0.1, after_s=0.2)
    assert noise_course(levels_db, pause, snr_db=15.0) is None


def test_clicks_in_pauses_are_no_noise() -> None:
    samples = mixed(40.0, white_noise(DURATION_S))
    clicking = samples.copy()
    for time_s in (0.3, 3.3, 6.1, 8.9):
        clicking[round(time_s * RATE_HZ) :][:80] = 0.2
    assert snr_db(clicking) == pytest.approx(snr_db(samples), abs=0.5)


def test_speech_without_pauses_gets_a_rough_figure() -> None:
    samples = speech(4.0, pause_s=0.0, syllables_per_s=3.0) + white_noise(4.0, power_db=-56)
    value = measured(samples, Activity(4.0, (Segment(0.0, 4.0),), 4.0)).value
    assert value == pytest.approx(30, abs=5)


def test_a_noise_gate_does_not_make_a_recording_clean() -> None:
    samples = mixed(20.0, white_noise(DURATION_S))
    activity = activity_of_speech(DURATION_S)
    gated = samples * activity.mask(np.arange(len(samples)) / RATE_HZ, before_s=0.05, after_s=0.05)
    value = measured(gated.astype(np.float32), activity).value
    assert value == pytest.approx(20, abs=4)


@pytest.mark.parametrize("samples", [np.zeros(RATE_HZ * 3, dtype=np.float32), white_noise(3.0)])
def test_without_speech_there_is_no_ratio(samples: Samples) -> None:
    measurement = measured(samples, Activity(3.0, (), 0.0))
    assert measurement.value is None
    assert measurement.reason is Reason.NO_SPEECH


def test_a_word_is_not_enough_speech() -> None:
    measurement = measured(mixed(20.0, white_noise(3.0)), Activity(3.0, (Segment(1.0, 1.4),), 0.4))
    assert measurement.reason is Reason.NOT_ENOUGH_SPEECH
    assert measurement.unit is Unit.DB


def test_digital_silence_called_speech_is_not_enough_speech() -> None:
    silence = np.zeros(RATE_HZ * 3, dtype=np.float32)
    assert measured(silence, Activity(3.0, (Segment(0.0, 3.0),), 3.0)).reason is Reason.NOT_ENOUGH_SPEECH


@pytest.mark.parametrize("length", [0, 1, 160, 320, 511, 1_000])
def test_the_shortest_recordings_have_no_ratio(length: int) -> None:
    duration_s = length / RATE_HZ
    segments = (Segment(0.0, duration_s),) if length else ()
    assert measured(white_noise(duration_s), Activity(duration_s, segments, duration_s)).value is None


@given(block=st.integers(50, 40_000))
@settings(max_examples=4, deadline=None)
def test_the_result_does_not_depend_on_the_blocks(block: int) -> None:
    samples = mixed(15.0, swelling(6.0))
    activity = activity_of_speech(6.0)
    assert measured(samples, activity, block).value == pytest.approx(measured(samples, activity).value, abs=1e-3)


@given(ratio_db=st.floats(-40, 150), speech_db=st.sampled_from([-80.0, -40.0, 0.0]))
@settings(max_examples=8, deadline=None)
def test_values_stay_within_their_range(ratio_db: float, speech_db: float) -> None:
    samples = speech(6.0, level_db=speech_db) + white_noise(6.0, power_db=speech_db - ratio_db)
    value = measured(samples, activity_of_speech(6.0)).value
    assert value is None or -10 <= value <= 80
