"""Filters, peaks and loudness against independent implementations, which take longer to import than to compare with."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from tests.unit.fakes import speech
from voicegauge.assessment import filters
from voicegauge.assessment.loudness import LoudnessMeter
from voicegauge.assessment.peaks import find_peaks
from voicegauge.assessment.recording import Samples

RATE_HZ = 16_000
Kind = Literal["low", "high", "band"]


def noise(samples: int) -> Samples:
    return np.random.default_rng(0).standard_normal(samples).astype(np.float32)


@pytest.mark.parametrize(
    ("order", "cutoff_hz", "kind", "scipy_kind", "rate_hz"),
    [
        (2, 20.0, "high", "highpass", 16_000),
        (1, 100.0, "high", "highpass", 48_000),
        (4, 3000.0, "low", "lowpass", 16_000),
        (2, 25.0, "low", "lowpass", 16_000),
        (2, 8.0, "low", "lowpass", 100),
        (2, (300.0, 500.0), "band", "bandpass", 16_000),
        (3, (50.0, 7900.0), "band", "bandpass", 16_000),
    ],
)
def test_butterworth_agrees_with_scipy(
    order: int, cutoff_hz: float | tuple[float, float], kind: Kind, scipy_kind: str, rate_hz: int
) -> None:
    samples = noise(40_000)
    sections = signal.butter(order, cutoff_hz, scipy_kind, fs=rate_hz, output="sos")
    expected = signal.sosfilt(sections, samples)
    actual = filters.apply(filters.butterworth(order, cutoff_hz, kind, rate_hz=rate_hz), samples)
    assert actual.shape == samples.shape
    assert actual.dtype == np.float32
    assert np.max(np.abs(actual - expected)) < 3e-6 * np.max(np.abs(expected))


@pytest.mark.parametrize(("cutoff_hz", "kind"), [(25.0, "low"), ((300.0, 500.0), "band"), (20.0, "high")])
def test_zero_phase_agrees_with_running_forwards_and_backwards(
    cutoff_hz: float | tuple[float, float], kind: Kind
) -> None:
    samples = np.pad(noise(20_000), 8_000)
    sections = signal.butter(2, cutoff_hz, kind, fs=RATE_HZ, output="sos")
    expected = signal.sosfilt(sections, signal.sosfilt(sections, samples)[::-1])[::-1]
    actual = filters.apply(filters.butterworth(2, cutoff_hz, kind, rate_hz=RATE_HZ, zero_phase=True), samples)
    assert np.max(np.abs(actual - expected)) < 1e-5 * np.max(np.abs(expected))


def hilly(seed: int, length: int = 300) -> np.ndarray:
    curve = np.convolve(np.random.default_rng(seed).standard_normal(length), np.hanning(9), "same")
    # Deep ends, so that both rules for what stands out there agree.
    curve[[0, -1]] = -100
    return curve


@given(st.integers(0, 10_000), st.floats(0.01, 3))
@settings(max_examples=60, deadline=None)
def test_peaks_that_stand_out_are_those_of_scipy(seed: int, prominence: float) -> None:
    curve = hilly(seed)
    expected, _ = signal.find_peaks(curve, prominence=prominence)
    assert find_peaks(curve, prominence=prominence, distance=1).tolist() == expected.tolist()


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_peaks_that_are_apart_are_those_of_scipy(seed: int, distance: int) -> None:
    curve = hilly(seed)
    expected, _ = signal.find_peaks(curve, distance=distance)
    assert find_peaks(curve, prominence=1e-12, distance=distance).tolist() == expected.tolist()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_loudness_agrees_with_pyloudnorm_on_speech(seed: int) -> None:
    samples = speech(5.0, rate_hz=48_000, seed=seed, pause_s=0.3 * seed)
    expected = pyloudnorm.Meter(48_000).integrated_loudness(samples.astype(float))
    meter = LoudnessMeter(48_000)
    for start in range(0, len(samples), 48_000):
        meter.push(samples[start : start + 48_000])
    assert meter.result(true_peak_dbtp=-1.0).value == pytest.approx(expected, abs=0.1)
