"""Peaks of a curve, where there are none, or several that are equal."""

from __future__ import annotations

import numpy as np
import pytest

from voicegauge.assessment.peaks import find_peaks


@pytest.mark.parametrize("curve", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 1.0], [3.0, 2.0, 1.0, 2.0, 3.0]])
def test_no_peaks(curve: list[float]) -> None:
    assert len(find_peaks(np.array(curve), prominence=0.1, distance=2)) == 0


def test_a_plateau_is_one_peak() -> None:
    assert find_peaks(np.array([0.0, 1, 1, 1, 0]), prominence=0.5, distance=2).tolist() == [1]


def test_of_equal_peaks_close_together_one_is_kept() -> None:
    assert len(find_peaks(np.array([0.0, 1, 0, 1, 0, 1, 0]), prominence=0.5, distance=3)) in (1, 2)
    assert len(find_peaks(np.array([0.0, 1, 0, 1, 0]), prominence=0.5, distance=3)) == 1
