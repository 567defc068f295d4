"""Peaks of a curve that stand out, found without a loop over samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["find_peaks"]

_Indices = npt.NDArray[np.intp]


def find_peaks(curve: npt.NDArray[np.floating], *, prominence: float, distance: float) -> _Indices:
    """Find the local maxima of a curve that stand out and are not close to a higher one.

    Parameters
    ----------
    curve : float array, shape (n,)
        Its ends are no maxima.
    prominence : float > 0
        A peak counts when every way from it to a higher one goes down by at least this much; the highest always does.
    distance : float
        Of two peaks that are less than this many samples apart, the lower one is dropped, the highest being kept first.

    Returns
    -------
    int array, shape (peaks,), ascending
    """
    peaks = _maxima(curve)
    if len(peaks) == 0:
        return peaks
    return _keep_distant(curve, _keep_prominent(curve, peaks, prominence), distance)


def _maxima(curve: npt.NDArray[np.floating]) -> _Indices:
    """The first sample of every plateau that is higher than what is on both sides."""
    starts = np.flatnonzero(np.diff(curve, prepend=np.nan) != 0)
    rises = np.diff(curve[starts]) > 0
    return starts[1:-1][rises[:-1] & ~rises[1:]]


def _keep_distant(curve: npt.NDArray[np.floating], peaks: _Indices, distance: float) -> _Indices:
    # Every round keeps the peaks that are highest among the neighbours still undecided, and drops those close to them,
    # which comes to the same as going through all peaks from the highest to the lowest.
    undecided = peaks
    kept: list[_Indices] = []
    while len(undecided):
        highest = undecided[~_has_higher_nearby(curve, undecided, distance)]
        kept.append(highest)
        after = np.searchsorted(highest, undecided)
        to_next = np.abs(highest[np.minimum(after, len(highest) - 1)] - undecided)
        to_previous = np.abs(undecided - highest[np.maximum(after - 1, 0)])
        undecided = undecided[np.minimum(to_next, to_previous) >= max(distance, 1)]
    return np.sort(np.concatenate(kept))


def _has_higher_nearby(curve: npt.NDArray[np.floating], peaks: _Indices, distance: float) -> npt.NDArray[np.bool_]:
    """Tell for each peak whether a higher one (of equal ones, the later) is less than `distance` away."""
    heights = curve[peaks]
    hidden = np.zeros(len(peaks), dtype=np.bool_)
    for steps in range(1, len(peaks)):
        close = peaks[steps:] - peaks[:-steps] < distance
        if not np.any(close):
            break
        later_is_higher = heights[steps:] >= heights[:-steps]
        hidden[:-steps] |= close & later_is_higher
        hidden[steps:] |= close & ~later_is_higher
    return hidden


def _keep_prominent(curve: npt.NDArray[np.floating], peaks: _Indices, prominence: float) -> _Indices:
    # A peak that is dropped has a higher neighbour within reach, so it hides none of the others' valleys.
    while True:
        heights = np.concatenate(([-np.inf], curve[peaks], [-np.inf]))
        valleys = np.concatenate(([-np.inf], np.minimum.reduceat(curve, peaks)[:-1], [-np.inf]))
        shallow = curve[peaks] - prominence
        to_left = (heights[:-2] > curve[peaks]) & (valleys[:-1] > shallow)
        to_right = (heights[2:] >= curve[peaks]) & (valleys[1:] > shallow)
        if not np.any(to_left | to_right):
            return peaks
        peaks = peaks[~(to_left | to_right)]
