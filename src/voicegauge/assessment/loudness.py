"""How loud a recording is, and how close it comes to full scale.

References
----------
.. [1] ITU-R Rec. BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", 2015.
.. [2] EBU R 128, "Loudness normalisation and permitted maximum level of audio signals", 2020.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.definitions import DEFINITIONS, Case
from voicegauge.assessment.filters import StreamFilter, k_weighting
from voicegauge.assessment.frames import BinSums
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.values import Measurement, Property, Reason, Unit

__all__ = ["LoudnessMeter", "TruePeakMeter"]

_STEP_S = 0.1
_STEPS_PER_BLOCK = round(DEFINITIONS[Property.LOUDNESS].evidence[Case.ALWAYS].recording_s / _STEP_S)
_OFFSET_DB = -0.691
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0

_REACH = 16
_CHUNK = 512


class LoudnessMeter:
    """Integrated loudness of one recording that is pushed a block at a time, in LUFS.

    BS.1770-4: K-weighting, blocks of 400 ms overlapping by 75 %, gates at -70 LUFS and 10 LU below the mean. One
    channel is measured, so a mono file and the same file on two equal channels are equally loud. Speech for voice
    training lies near -27 to -16 LUFS. Less than 400 ms gives no value and `TOO_SHORT`; no block over -70 LUFS gives
    `SILENT`.

    Parameters
    ----------
    rate_hz : int > 0
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._weighting = StreamFilter(k_weighting(rate_hz))
        self._steps = BinSums(max(1.0, rate_hz * _STEP_S))

    def push(self, samples: Samples) -> None:
        """Take the next samples: shape (n,), the mean of the channels, full scale 1.0."""
        self._add(self._weighting.push(samples))

    def result(self, *, true_peak_dbtp: float | None) -> Measurement:
        """Return the loudness, with the true peak among its details; call it once, after the last block."""
        self._add(self._weighting.finish())
        details = {"true_peak_dbtp": true_peak_dbtp}
        steps = self._steps.values()
        if len(steps) < _STEPS_PER_BLOCK:
            return Measurement(None, Unit.LUFS, Reason.TOO_SHORT, details=details)
        blocks = np.convolve(steps, np.ones(_STEPS_PER_BLOCK), "valid") / (_STEPS_PER_BLOCK * _STEP_S * self._rate_hz)
        loud = blocks[blocks > _power(_ABSOLUTE_GATE_LUFS)]
        if not len(loud):
            return Measurement(None, Unit.LUFS, Reason.SILENT, details=details)
        gated = loud[loud > np.mean(loud) * 10 ** (_RELATIVE_GATE_LU / 10)]
        value = _OFFSET_DB + 10 * np.log10(np.mean(gated))
        return Measurement(float(value), Unit.LUFS, weight_s=len(steps) * _STEP_S, details=details)

    def _add(self, weighted: Samples) -> None:
        self._steps.push(np.square(weighted, dtype=np.float64))


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_DB) / 10))


class TruePeakMeter:
    """The highest level the waveform reaches between its samples, over all channels, in dB re full scale (dBTP).

    Interpolated by a windowed sinc to at least 192 kHz, as BS.1770-4 Annex 2 does. Stretches that are too quiet to
    raise the maximum are skipped, so the cost is small and the result the same.

    Parameters
    ----------
    rate_hz : int > 0
    channels : int > 0
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._phases = _interpolation_phases(4 if rate_hz < 96_000 else 2)
        self._largest_gain = float(np.max(np.sum(np.abs(self._phases), axis=1), initial=1.0))
        self._rest = np.zeros((2 * _REACH, channels))
        self._peak = 0.0

    def push(self, samples: Samples) -> None:
        """Take the next samples: shape (n, channels), full scale 1.0."""
        signal = np.concatenate([self._rest, samples])
        whole = (len(signal) - 2 * _REACH) // _CHUNK * _CHUNK
        self._measure(signal[: whole + 2 * _REACH])
        self._rest = signal[whole:]

    def result(self) -> float | None:
        """Return the true peak, None when all samples were zero; call it once, after the last block."""
        self._measure(np.concatenate([self._rest, np.zeros((2 * _REACH, self._rest.shape[1]))]))
        return 20 * float(np.log10(self._peak)) if self._peak > 0 else None

    def _measure(self, signal: npt.NDArray[np.float64]) -> None:
        """Interpolate the samples that have `_REACH` neighbours on both sides, chunk by chunk, loudest first."""
        if len(signal) <= 2 * _REACH:
            return
        magnitude = np.max(np.abs(signal), axis=1)
        self._peak = max(self._peak, float(np.max(magnitude)))
        starts = np.arange(0, len(signal) - 2 * _REACH, _CHUNK)
        bounds = np.maximum(np.maximum.reduceat(magnitude, starts), _next_maxima(magnitude, starts))
        for index in np.argsort(-bounds):
            if bounds[index] * self._largest_gain <= self._peak:
                break
            piece = signal[starts[index] : starts[index] + _CHUNK + 2 * _REACH]
            for channel in piece.T:
                for phase in self._phases:
                    self._peak = max(self._peak, float(np.max(np.abs(np.convolve(channel, phase, "valid")))))


def _next_maxima(magnitude: npt.NDArray[np.float64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The largest of the neighbours behind each chunk, which its interpolation also reaches."""
    return np.array([np.max(magnitude[start + _CHUNK : start + _CHUNK + 2 * _REACH], initial=0.0) for start in starts])


def _interpolation_phases(factor: int) -> npt.NDArray[np.float64]:
    """Rows of a Kaiser-windowed sinc, one for each new sample between two old ones; each has unit gain at 0 Hz."""
    shifts = np.arange(1, factor)[:, None] / factor
    times = np.arange(-_REACH, _REACH)[None, :] + shifts
    taps = np.sinc(times) * np.i0(8.0 * np.sqrt(np.maximum(0.0, 1 - (times / _REACH) ** 2))) / np.i0(8.0)
    result: npt.NDArray[np.float64] = taps / np.sum(taps, axis=1, keepdims=True)
    return result
