"""How the energy of speech rises and dies away in frequency bands: what reverberation is told from.

Everything is counted into histograms over windows of some ten seconds, so a long recording costs a few kilobytes a
window, and windows without speech can be left out when it is known where the speech was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.late import LATE_GROUPS, late_energy
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

__all__ = ["FEATURE_COUNT", "DecayStatistics", "DecayWindow", "DecayWindows", "decay_statistics", "features", "pool"]

_Floats = npt.NDArray[np.float32]
_Counts = npt.NDArray[np.float64]

_WINDOW = 10 * ANALYSIS_RATE_HZ
_FRAME, _HOP = 256, 64
_HOP_S = _HOP / ANALYSIS_RATE_HZ
_BANDS = 20
_LOWEST_HZ, _HIGHEST_HZ = 150.0, 7400.0
_GROUPS = 4
_GROUP_OF_BAND = np.repeat(np.arange(_GROUPS), _BANDS // _GROUPS)
_RANGE_DB = 75.0
"""Below the level of the speech in a band by more than this, nothing is told apart."""

_SLOPE_FRAMES = 12
_ACTIVE_OVER_FLOOR_DB, _ACTIVE_UNDER_SPEECH_DB = 8.0, 30.0
_SLOPE_EDGES = np.linspace(-np.log1p(2000 / 20), np.log1p(2000 / 20), 121)
_SLOPE_CENTRES = (_SLOPE_EDGES[1:] + _SLOPE_EDGES[:-1]) / 2

_DECAY_SMOOTHING = 9
_DECAY_FRAMES, _DECAY_DB = 15, 6.0
_LONG_DECAY_FRAMES, _LONG_DECAY_DB = 25, 12.0
_DECAY_OVER_FLOOR_DB = 6.0
_TIME_EDGES = np.linspace(np.log(0.03), np.log(6.0), 61)
_TIME_CENTRES = (_TIME_EDGES[1:] + _TIME_EDGES[:-1]) / 2

_LAGS = (5, 10, 15, 25, 40, 60)
_LAG_EDGES = np.linspace(-60.0, 10.0, 71)
_LAG_CENTRES = (_LAG_EDGES[1:] + _LAG_EDGES[:-1]) / 2

_MODULATION_FRAMES, _MODULATION_HOP = 64, 16
_MODULATION_EDGES = (1, 2, 3, 4, 6, 9, 13, 19, 28)


@dataclass(frozen=True)
class DecayStatistics:
    """Counts of one window of a recording, or of several together.

    Attributes
    ----------
    slopes : float64 array, shape (4, 120)
        Slopes of the level over 48 ms, for four groups of bands.
    decays : float64 array, shape (4, 60)
        Times to fall by 60 dB, of all monotone decays in the lower and in the upper bands, then of the long ones.
    lags : float64 array, shape (4, 6, 70)
        Level some time after a loud moment, re that moment.
    modulation : float64 array, shape (4, 8)
        Power of the envelope's modulation, from 2 Hz to 110 Hz; its sum is `weight`.
    ranges_db : float64 array, shape (4,)
        Level of the speech over the noise floor, times `weight`.
    late : float64 array, shape (3, 4)
        Energies of all, of what is predictable from 48 ms before and from 80 ms before, for four groups of bands.
    seconds : float
        Length of the window, times `weight`.
    weight : float
        Number of active cells.
    """

    slopes: _Counts
    decays: _Counts
    lags: _Counts
    modulation: _Counts
    ranges_db: _Counts
    late: _Counts
    seconds: float
    weight: float

    @property
    def decay_count(self) -> int:
        """Number of monotone decays."""
        return int(np.sum(self.decays[:2]))


@cache
def _mel_bands() -> _Floats:
    """Triangular bands on the mel scale, shape (_FRAME // 2 + 1, _BANDS)."""
    lowest, highest = (2595 * math.log10(1 + edge_hz / 700) for edge_hz in (_LOWEST_HZ, _HIGHEST_HZ))
    mels = np.linspace(lowest, highest, _BANDS + 2)
    edges_hz = 700 * (10 ** (mels / 2595) - 1)
    bins_hz = np.fft.rfftfreq(_FRAME, 1 / ANALYSIS_RATE_HZ)[:, None]
    rising = (bins_hz - edges_hz[:-2]) / (edges_hz[1:-1] - edges_hz[:-2])
    falling = (edges_hz[2:] - bins_hz) / (edges_hz[2:] - edges_hz[1:-1])
    bands: _Floats = np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
    return bands


@cache
def _frame_window() -> _Floats:
    return np.hanning(_FRAME).astype(np.float32)


def _band_powers(samples: Samples) -> _Floats:
    """Power in each band, shape (_BANDS, frames)."""
    frames: _Floats = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP] * _frame_window()
    spectra = np.fft.rfft(frames)
    powers: _Floats = np.ascontiguousarray(((spectra.real**2 + spectra.imag**2) @ _mel_bands()).T)
    return powers


def _smooth(rows: _Floats, taps: npt.NDArray[np.floating]) -> _Floats:
    """Weighted mean of neighbours, the ends repeated, shape as given."""
    reach = len(taps) // 2
    padded = np.pad(rows, ((0, 0), (reach, reach)), mode="edge")
    result = np.zeros_like(rows)
    for offset, tap in enumerate(taps):
        result += np.float32(tap) * padded[:, offset : offset + rows.shape[1]]
    return result


def decay_statistics(samples: Samples) -> DecayStatistics | None:
    """Count slopes, decays and modulation in one window of a recording.

    Parameters
    ----------
    samples : float32 array, shape (n,)
        16 kHz; some seconds, with the same talker and background.

    Returns
    -------
    DecayStatistics or None
        None for fewer than 0.5 s of samples, or silence.
    """
    if len(samples) < ANALYSIS_RATE_HZ // 2:
        return None
    powers = _band_powers(samples)
    totals = np.sum(powers, axis=1, keepdims=True)
    if not np.all(totals > 0):
        return None
    smooth = _smooth(powers, np.hanning(9)[1:-1] / 4)
    # The level of the speech in a band: the mean of the levels, each weighted with its power, which pauses do not move.
    rough = 10 * np.log10(np.maximum(powers, 1e-12 * totals))
    speech_db = np.sum(powers * rough, axis=1, keepdims=True) / totals
    levels = np.maximum(10 * np.log10(np.maximum(smooth, 1e-12 * totals)), speech_db - _RANGE_DB)
    floor_db = np.percentile(levels, 4, axis=1, keepdims=True).astype(np.float32)
    slopes = _slopes(levels, floor_db, speech_db)
    weight = float(np.sum(slopes))
    late = late_energy(samples)
    return DecayStatistics(
        slopes=slopes,
        decays=_decays(levels, floor_db),
        lags=_lags(levels, floor_db, speech_db),
        modulation=_modulation(powers, weight),
        ranges_db=_group_means((speech_db - floor_db)[:, 0]) * weight,
        late=late / np.sum(late[0]) * weight,
        seconds=len(samples) / ANALYSIS_RATE_HZ * weight,
        weight=weight,
    )


@dataclass(frozen=True)
class DecayWindow:
    """The statistics of samples number `start` up to `end`."""

    start: int
    end: int
    statistics: DecayStatistics


class DecayWindows:
    """Counts a recording that is pushed a block at a time, window by window.

    Windows are 10 s long; the last one is longer or shorter by up to 5 s. Silent windows are left out.
    """

    def __init__(self) -> None:
        self._pending = np.zeros(_WINDOW + _WINDOW // 2, dtype=np.float32)
        self._filled = 0
        self._done = 0
        self._windows: list[DecayWindow] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz."""
        taken = 0
        while taken < len(samples):
            step = min(len(samples) - taken, len(self._pending) - self._filled)
            self._pending[self._filled : self._filled + step] = samples[taken : taken + step]
            self._filled += step
            taken += step
            if self._filled == len(self._pending):
                self._close(_WINDOW)

    def finish(self) -> list[DecayWindow]:
        """Return all windows, in order; call it once, after the last block."""
        self._close(self._filled)
        return self._windows

    def _close(self, length: int) -> None:
        statistics = decay_statistics(self._pending[:length])
        if statistics is not None:
            self._windows.append(DecayWindow(self._done, self._done + length, statistics))
        self._pending[: self._filled - length] = self._pending[length : self._filled].copy()
        self._filled -= length
        self._done += length


def _group_means(values: _Floats) -> _Counts:
    return np.bincount(_GROUP_OF_BAND, weights=values) / np.bincount(_GROUP_OF_BAND)


def _histogram(values: npt.NDArray[np.floating], rows: npt.NDArray[np.integer], shape: int, edges: _Counts) -> _Counts:
    """Count values by row and bin; what lies outside falls into the outermost bins. Shape (shape, bins)."""
    bins = len(edges) - 1
    index = ((values - edges[0]) * (bins / (edges[-1] - edges[0]))).astype(np.int32)
    index = np.clip(index, 0, bins - 1) + rows * bins
    return np.bincount(index, minlength=shape * bins).reshape(shape, bins).astype(np.float64)


def _slopes(levels: _Floats, floor_db: _Floats, speech_db: _Floats) -> _Counts:
    times = ((np.arange(_SLOPE_FRAMES) - (_SLOPE_FRAMES - 1) / 2) * _HOP_S).astype(np.float32)
    width = levels.shape[1] - _SLOPE_FRAMES + 1
    slopes = np.zeros((_BANDS, width), dtype=np.float32)
    for offset, time in enumerate(times / np.sum(times**2)):
        slopes += time * levels[:, offset : offset + width]
    middle = levels[:, _SLOPE_FRAMES // 2 : _SLOPE_FRAMES // 2 + width]
    active = (middle > floor_db + _ACTIVE_OVER_FLOOR_DB) & (middle > speech_db - _ACTIVE_UNDER_SPEECH_DB)
    steepness = slopes[active]
    warped = np.copysign(np.log1p(np.abs(steepness) / 20), steepness)
    groups = np.repeat(_GROUP_OF_BAND, np.count_nonzero(active, axis=1))
    return _histogram(warped, groups, _GROUPS, _SLOPE_EDGES)


def _decays(levels: _Floats, floor_db: _Floats) -> _Counts:
    smooth = _smooth(levels, np.full(_DECAY_SMOOTHING, 1 / _DECAY_SMOOTHING))
    frames = smooth.shape[1]
    falling = np.zeros((_BANDS, frames + 1), dtype=np.int8)
    falling[:, 1:-1] = (np.diff(smooth) < 0) & (smooth[:, 1:] > floor_db + _DECAY_OVER_FLOOR_DB)
    turns = np.diff(falling.ravel())
    # Run k falls from frame starts[k] to frame ends[k], both in flat indices of `smooth` (its rows are one shorter).
    starts, ends = np.flatnonzero(turns == 1), np.flatnonzero(turns == -1)
    rows = starts // (frames + 1)
    starts, ends = starts - rows, ends - rows
    level = smooth.ravel()
    length = ends - starts
    kept = (length >= _DECAY_FRAMES) & (level[starts] - level[ends] > _DECAY_DB)
    starts, ends, length = starts[kept] + 2, ends[kept] + 1, length[kept]
    # Straight lines through all runs at once, from running sums.
    flat = level.astype(np.float64) - float(np.mean(level))
    sums = np.concatenate(([0.0], np.cumsum(flat)))
    ramps = np.concatenate(([0.0], np.cumsum(flat * np.arange(len(flat)))))
    count = (ends - starts).astype(np.float64)
    middle = (starts + ends - 1) / 2
    covariance = (ramps[ends] - ramps[starts]) - middle * (sums[ends] - sums[starts])
    slope = covariance / (count * (count**2 - 1) / 12) / _HOP_S
    fell_db = level[starts] - level[ends - 1]
    long = (length >= _LONG_DECAY_FRAMES) & (fell_db > _LONG_DECAY_DB)
    time_to_60_db = np.log(60 / np.maximum(-slope, 5.0))
    upper = (rows[kept] >= _BANDS // 2).astype(np.int64)
    return np.concatenate(
        [
            _histogram(time_to_60_db, upper, 2, _TIME_EDGES),
            _histogram(time_to_60_db[long], upper[long], 2, _TIME_EDGES),
        ]
    )


def _lags(levels: _Floats, floor_db: _Floats, speech_db: _Floats) -> _Counts:
    counts = np.zeros((_GROUPS, len(_LAGS), len(_LAG_CENTRES)))
    width = levels.shape[1] - max(_LAGS)
    start = levels[:, :width]
    loud = (start > speech_db - 5) & (start > floor_db + 15)
    groups = np.repeat(_GROUP_OF_BAND, np.count_nonzero(loud, axis=1))
    loud_db = start[loud]
    for index, lag in enumerate(_LAGS):
        change = levels[:, lag : lag + width][loud] - loud_db
        counts[:, index] = _histogram(change, groups, _GROUPS, _LAG_EDGES)
    return counts


def _modulation(powers: _Floats, weight: float) -> _Counts:
    envelopes = np.sqrt(powers)
    pieces = np.lib.stride_tricks.sliding_window_view(envelopes, _MODULATION_FRAMES, axis=1)[:, ::_MODULATION_HOP]
    spectra = np.fft.rfft(pieces * np.hamming(_MODULATION_FRAMES).astype(np.float32))
    power: _Counts = np.sum(spectra.real**2 + spectra.imag**2, axis=1, dtype=np.float64)
    groups = np.stack([np.sum(power[group == _GROUP_OF_BAND], axis=0) for group in range(_GROUPS)])
    bands: _Counts = np.stack(
        [np.sum(groups[:, low:high], axis=1) for low, high in pairwise(_MODULATION_EDGES)], axis=1
    )
    bands *= weight / np.sum(bands)
    return bands


def pool(parts: list[DecayStatistics]) -> DecayStatistics:
    """Add up the counts of several windows, at least one."""
    sums = {field.name: sum(getattr(part, field.name) for part in parts) for field in fields(DecayStatistics)}
    return DecayStatistics(**sums)


def _quantiles(counts: _Counts, centres: _Counts, shares: tuple[float, ...], default: float) -> _Counts:
    """Quantiles from histograms, shape (..., bins) to (..., shares); `default` where nothing was counted."""
    cumulated = np.cumsum(counts, axis=-1)
    result = np.full((*counts.shape[:-1], len(shares)), default)
    step = centres[1] - centres[0]
    for row in np.ndindex(*counts.shape[:-1]):
        total = cumulated[row][-1]
        if total > 0:
            edges = np.concatenate(([0.0], cumulated[row])) + np.arange(len(centres) + 1) * (1e-9 * total)
            positions = np.arange(len(centres) + 1) * step + centres[0] - step / 2
            result[row] = np.interp(np.array(shares) * total, edges, positions)
    return result


def features(statistics: DecayStatistics) -> _Counts:
    """Describe a recording by the quantities that reverberation shapes, shape (FEATURE_COUNT,)."""
    falling, rising = statistics.slopes[:, :60], statistics.slopes[:, 60:]
    squares = np.expm1(np.abs(_SLOPE_CENTRES)) ** 2
    fall_power = np.log((falling @ squares[:60] + 1) / (np.sum(falling, axis=1) + 1))
    rise_power = np.log((rising @ squares[60:] + 1) / (np.sum(rising, axis=1) + 1))
    fall_share = (np.sum(falling, axis=1) + 1) / (np.sum(statistics.slopes, axis=1) + 2)
    modulation = statistics.modulation + 1e-12 * np.sum(statistics.modulation)
    parts = (
        _quantiles(falling, _SLOPE_CENTRES[:60], (0.02, 0.05, 0.1, 0.25, 0.5, 0.75), -3.0),
        _quantiles(rising, _SLOPE_CENTRES[60:], (0.25, 0.5, 0.75, 0.9, 0.95), 3.0),
        fall_power,
        fall_power - rise_power,
        fall_share,
        _quantiles(statistics.decays, _TIME_CENTRES, (0.1, 0.25, 0.5, 0.75, 0.9), -1.5),
        np.log(np.sum(statistics.decays, axis=1) / (statistics.weight + 1) + 1e-5),
        _quantiles(statistics.lags, _LAG_CENTRES, (0.02, 0.1, 0.3, 0.6), -20.0),
        np.log(modulation / np.sum(modulation, axis=1, keepdims=True)),
        statistics.ranges_db / max(statistics.weight, 1.0),
        10 * np.log10((statistics.late[1:] + 1e-9) / (statistics.late[0] + 1e-9)),
        np.log([(statistics.seconds + 1) / (statistics.weight + 1)]),
    )
    return np.concatenate([np.ravel(part) for part in parts])


FEATURE_COUNT = _GROUPS * (6 + 5 + 3 + len(_LAGS) * 4 + 8 + 1) + 4 * 6 + 2 * LATE_GROUPS + 1
