"""Integrated loudness and true peak against the recommendation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import speech, white_noise
from voicegauge.assessment.loudness import LoudnessMeter, TruePeakMeter
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.values import Measurement, Reason, Unit


def loudness(samples: Samples, rate_hz: int, block: int | None = None) -> Measurement:
    meter = LoudnessMeter(rate_hz)
    for start in range(0, len(samples), block or rate_hz):
        meter.push(samples[start : start + (block or rate_hz)])
    return meter.result(true_peak_dbtp=-1.0)


def value(samples: Samples, rate_hz: int) -> float:
    measurement = loudness(samples, rate_hz)
    assert measurement.value is not None
    return measurement.value


def true_peak(samples: Samples, rate_hz: int, block: int = 10_000) -> float | None:
    table = samples if samples.ndim == 2 else samples[:, None]
    meter = TruePeakMeter(rate_hz, table.shape[1])
    for start in range(0, len(table), block):
        meter.push(table[start : start + block])
    return meter.result()


def interpolated(samples: Samples, factor: int) -> npt.NDArray[np.float64]:
    count = factor * len(samples)
    return factor * np.fft.irfft(np.fft.rfft(samples.astype(float)), count)


def tone(frequency_hz: float, rate_hz: int, duration_s: float = 3.0, peak: float = 0.5) -> Samples:
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.asarray(peak * np.sin(2 * np.pi * frequency_hz * times_s), dtype=np.float32)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000, 192_000])
def test_a_full_scale_tone_of_997_hz_reads_minus_3_lufs(rate_hz: int) -> None:
    # BS.1770-4: 0 dBFS at 997 Hz in one channel reads -3.01.
    assert value(tone(997, rate_hz, peak=1.0), rate_hz) == pytest.approx(-3.01, abs=0.02)


def test_a_sound_is_equally_loud_at_every_rate() -> None:
    low = white_noise(4.0, rate_hz=16_000, power_db=-50) + speech(4.0)
    high = interpolated(low, 3).astype(np.float32)
    assert value(high, 48_000) == pytest.approx(value(low, 16_000), abs=0.05)


@given(gain_db=st.floats(-30, 30))
@settings(max_examples=8, deadline=None)
def test_a_gain_moves_loudness_by_exactly_that(gain_db: float) -> None:
    samples = speech(3.0, level_db=-30)
    louder = (samples * 10 ** (gain_db / 20)).astype(np.float32)
    assert value(louder, 16_000) - value(samples, 16_000) == pytest.approx(gain_db, abs=0.01)


def test_silence_around_speech_is_gated_out() -> None:
    samples = speech(6.0)
    padded = np.concatenate([np.zeros(80_000), samples, np.zeros(160_000)]).astype(np.float32)
    assert value(padded, 16_000) == pytest.approx(value(samples, 16_000), abs=0.2)


def test_blocks_10_lu_below_the_rest_are_gated_out() -> None:
    loud, quiet = tone(997, 48_000, 10.0, peak=0.5), tone(997, 48_000, 20.0, peak=0.05)
    both = np.concatenate([loud, quiet])
    assert value(both, 48_000) == pytest.approx(value(loud, 48_000), abs=0.15)


@given(block=st.integers(1, 30_000))
@settings(max_examples=10, deadline=None)
def test_the_result_does_not_depend_on_the_blocks(block: int) -> None:
    samples = speech(1.0, rate_hz=11_025, pause_s=0.1)
    assert loudness(samples, 11_025, block).value == pytest.approx(value(samples, 11_025), abs=1e-6)


@pytest.mark.parametrize("duration_s", [0.0, 1 / 48_000, 0.001, 0.39])
def test_under_400_ms_there_is_no_loudness(duration_s: float) -> None:
    measurement = loudness(tone(440, 48_000, duration_s), 48_000)
    assert measurement.value is None
    assert measurement.reason is Reason.TOO_SHORT
    assert measurement.unit is Unit.LUFS


@pytest.mark.parametrize("peak", [0.0, 1e-5])
def test_silence_has_no_loudness(peak: float) -> None:
    assert loudness(tone(440, 48_000, 2.0, peak), 48_000).reason is Reason.SILENT


def test_a_constant_offset_is_not_loud() -> None:
    samples = speech(4.0)
    assert value((samples + 0.2).astype(np.float32), 16_000) == pytest.approx(value(samples, 16_000), abs=0.6)


def test_weight_and_true_peak_go_with_the_loudness() -> None:
    measurement = loudness(speech(5.0), 16_000)
    assert measurement.weight_s == pytest.approx(5.0)
    assert measurement.details == {"true_peak_dbtp": -1.0}


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5])
def test_true_peak_finds_the_peak_between_samples(rate_hz: int, phase: float) -> None:
    # At a quarter of the rate the samples of a sine may all lie 3 dB below its peak.
    samples = np.sin(2 * np.pi * (np.arange(rate_hz) / 4 + phase / 2)) * np.hanning(rate_hz)
    peak_dbtp = true_peak(samples.astype(np.float32), rate_hz)
    assert peak_dbtp == pytest.approx(0.0, abs=0.25)


@given(seed=st.integers(0, 1000), block=st.integers(1, 5_000))
@settings(max_examples=15, deadline=None)
def test_skipping_quiet_stretches_loses_no_peak(seed: int, block: int) -> None:
    rng = np.random.default_rng(seed)
    low_pass = np.sinc(0.7 * np.arange(-50, 51)) * np.hanning(101)
    changing = rng.standard_normal(6_000) * np.repeat(rng.uniform(0, 1, 60) ** 4, 100)
    samples = np.convolve(changing, low_pass).astype(np.float32)
    everywhere = 20 * np.log10(np.max(np.abs(interpolated(samples, 4))))
    assert true_peak(samples, 48_000, block) == pytest.approx(everywhere, abs=0.05)
    assert true_peak(samples, 48_000, block) == true_peak(samples, 48_000)


def test_true_peak_looks_at_every_channel() -> None:
    table = np.zeros((4_000, 8), dtype=np.float32)
    table[2_000:2_040, 5] = 0.5
    table[:, 2] = 0.1
    peak_dbtp = true_peak(table, 48_000)
    assert peak_dbtp is not None
    assert -6.1 < peak_dbtp < -3


@pytest.mark.parametrize("length", [0, 1, 511, 513])
def test_true_peak_of_nothing_is_none(length: int) -> None:
    assert true_peak(np.zeros(length, dtype=np.float32), 48_000) is None


def test_true_peak_of_one_sample_is_that_sample() -> None:
    assert true_peak(np.array([0.5], dtype=np.float32), 48_000) == pytest.approx(-6.02, abs=0.01)
