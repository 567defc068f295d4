"""Peaks, against SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks as find_peaks_of_scipy

from voicegauge.assessment.peaks import find_peaks


def hilly(seed: int, length: int = 300) -> np.ndarray:
    curve = np.convolve(np.random.default_rng(seed).standard_normal(length), np.hanning(9), "same")
    # Deep ends, so that both rules for what stands out there agree.
    curve[[0, -1]] = -100
    return curve


@given(st.integers(0, 10_000), st.floats(0.01, 3))
@settings(max_examples=60, deadline=None)
def test_peaks_that_stand_out_are_those_of_scipy(seed: int, prominence: float) -> None:
    curve = hilly(seed)
    expected, _ = find_peaks_of_scipy(curve, prominence=prominence)
    assert find_peaks(curve, prominence=prominence, distance=1).tolist() == expected.tolist()


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=60, deadline=None)
def test_peaks_that_are_apart_are_those_of_scipy(seed: int, distance: int) -> None:
    curve = hilly(seed)
    expected, _ = find_peaks_of_scipy(curve, distance=distance)
    assert find_peaks(curve, prominence=1e-12, distance=distance).tolist() == expected.tolist()


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0], [3.0, 2.0, 1.0, 2.0, 3.0]])
def test_no_peaks(curve: list[float]) -> None:
    assert len(find_peaks(np.array(curve), prominence=0.1, distance=2)) == 0


def test_a_plateau_is_one_peak() -> None:
    assert find_peaks(np.array([0.0, 1, 1, 1, 0]), prominence=0.5, distance=2).tolist() == [1]


def test_of_equal_peaks_close_together_one_is_kept() -> None:
    assert len(find_peaks(np.array([0.0, 1, 0, 1, 0, 1, 0]), prominence=0.5, distance=3)) in (1, 2)
    assert len(find_peaks(np.array([0.0, 1, 0, 1, 0]), prominence=0.5, distance=3)) == 1
