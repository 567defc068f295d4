"""How fast is spoken, over the time in which there is speech.

With a transcript the characters or words in it are counted. Without one, syllables are: the envelopes of seven
frequency bands are correlated over time and between bands, which leaves a hill for every vowel, and the smoothing that
parts one hill from the next is matched to the rate found.

References
----------
.. [1] D. Wang and S. Narayanan, "Robust speech rate estimation for spontaneous speech", IEEE Trans. Audio, Speech and
   Language Processing 15(8), 2007.
.. [2] ITU-T Rec. P.56, "Objective measurement of active speech level", 2011.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.definitions import DEFINITIONS, Case
from voicegauge.assessment.frames import Frames
from voicegauge.assessment.peaks import find_peaks
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Language, Measurement, Property, Reason

if TYPE_CHECKING:
    from voicegauge.assessment.text import SpokenText

__all__ = ["RatePassage", "SpeakingRateMeter"]

_Floats = npt.NDArray[np.float32]

_NEEDED = DEFINITIONS[Property.SPEAKING_RATE].evidence
_SYLLABLES_PER_WORD = 1.32

_PASSAGE_S = 12.0

_HOP = 160
_CURVE_RATE_HZ = ANALYSIS_RATE_HZ / _HOP

_ENVELOPE_FRAME = 512
_BAND_EDGES_HZ = (300, 500, 750, 1050, 1400, 1850, 2400, 3100)
_STRONGEST = 4
_CORRELATED = 5

_PITCH_FRAME, _PITCH_SPECTRUM = 640, 1024
_PITCH_LOWEST_HZ, _PITCH_HIGHEST_HZ = 70, 400
_PITCH_SPECTRUM_HZ = (70, 2000)

_FIRST_CUTOFF_HZ, _LOWEST_CUTOFF_HZ, _HIGHEST_CUTOFF_HZ = 11.0, 5.0, 18.0
_CUTOFF_PER_RATE = 3.2
_ROUNDS = 5
_LOCAL_MEAN_S = 1.5
_LEAST_PROMINENCE, _LEAST_HEIGHT, _LEAST_PERIODICITY = 0.05, 0.12, 0.45
_BRIDGED_S = 0.15
# Syllables per second from hills per second, fitted on recordings with known text.
_RATE_SLOPE, _RATE_OFFSET, _LOWEST_RATE = 1.23, -0.66, 0.5


def _spoken(transcript: str, language: Language) -> SpokenText:
    # Its patterns take a while to compile, and most recordings come without a transcript.
    from voicegauge.assessment.text import count_spoken

    return count_spoken(transcript, language)


class SpeakingRateMeter:
    """Measures the speaking rate of one recording that is pushed a block at a time.

    The value is in characters per minute for Chinese, words per minute for English, over the active speech time of
    ITU-T P.56; pauses over 0.2 s do not count. In Chinese a character is a syllable; in English without a transcript
    1.32 syllables are taken for a word. `weight_s` is the active time, so a weighted mean over recordings is all units
    over all time. With a transcript the value needs 1 s of active speech, without one 3 s; below that it is None and
    the reason NO_SPEECH or NOT_ENOUGH_SPEECH. A transcript in which nothing is spoken counts as none.

    `details` holds `syllables_per_min`, `units` (characters or words counted or estimated) and `from_transcript` (1 or
    0).

    Parameters
    ----------
    language : {"CN", "EN"}
    transcript : str or None
    """

    def __init__(self, language: Language, transcript: str | None) -> None:
        self._language: Language = language
        self._spoken = _spoken(transcript, language) if transcript else None
        if self._spoken is not None and self._spoken.units == 0:
            self._spoken = None
        self._curves = None if self._spoken else _Curves()

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz."""
        if self._curves is not None:
            self._curves.push(samples)

    def result(self, activity: Activity) -> Measurement:
        """Return the rate; call it once, after the last block."""
        unit = unit_of(Property.SPEAKING_RATE, self._language)
        active_s = activity.active_s
        if not activity.segments:
            return Measurement(None, unit, Reason.NO_SPEECH)
        if active_s < _NEEDED[Case.BLIND if self._spoken is None else Case.TRANSCRIPT].speech_s:
            return Measurement(None, unit, Reason.NOT_ENOUGH_SPEECH)
        if self._spoken is not None:
            units, syllables = float(self._spoken.units), float(self._spoken.syllables)
        elif self._curves is not None:
            syllables = self._curves.syllables(activity)
            units = syllables if self._language == "CN" else syllables / _SYLLABLES_PER_WORD
        per_min = 60 / active_s
        details: dict[str, float | None] = {
            "syllables_per_min": syllables * per_min,
            "units": units,
            "from_transcript": float(self._spoken is not None),
        }
        return Measurement(units * per_min, unit, weight_s=active_s, details=details)

    def passages(self, activity: Activity) -> tuple[RatePassage, ...]:
        """Return the rate in passages of 12 s of speech that overlap by half; none where a transcript was counted."""
        return () if self._curves is None else self._curves.passages(activity)


@dataclass(frozen=True)
class RatePassage:
    """The speaking rate in a part of a recording, only good for being compared with other parts of it."""

    start_s: float
    end_s: float
    syllables_per_s: float


class _Curves:
    """How much of a vowel, and how periodic, the signal is, 100 times a second."""

    def __init__(self) -> None:
        self._envelope_frames = Frames(_ENVELOPE_FRAME, _HOP)
        self._pitch_frames = Frames(_PITCH_FRAME, _HOP)
        # Frame i is centred on sample i * hop, as far as the frames' lengths allow.
        self._envelope_frames.push(np.zeros((_ENVELOPE_FRAME - _HOP) // 2, dtype=np.float32))
        self._pitch_frames.push(np.zeros((_PITCH_FRAME - _HOP) // 2, dtype=np.float32))
        self._recent = np.zeros((_CORRELATED - 1, len(_BAND_EDGES_HZ) - 1), dtype=np.float32)
        self._vowel: list[_Floats] = []
        self._periodicity: list[_Floats] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,), any n."""
        envelopes = np.concatenate([self._recent, _band_envelopes(self._envelope_frames.push(samples))])
        self._recent = envelopes[len(envelopes) - len(self._recent) :]
        self._vowel.append(_correlate(envelopes))
        self._periodicity.append(_periodicity(self._pitch_frames.push(samples)))

    def syllables(self, activity: Activity) -> float:
        """Estimate how many syllables are spoken."""
        vowel, periodicity = self._whole()
        return _syllables(vowel, periodicity, activity)

    def passages(self, activity: Activity) -> tuple[RatePassage, ...]:
        """Estimate the rate in overlapping passages."""
        vowel, periodicity = self._whole()
        spoken = np.flatnonzero(activity.mask((np.arange(len(vowel)) + 0.5) / _CURVE_RATE_HZ))
        size = round(_PASSAGE_S * _CURVE_RATE_HZ)
        passages = []
        for first in range(0, len(spoken) - size + 1, size // 2):
            start, end = int(spoken[first]), int(spoken[first + size - 1]) + 1
            start_s, end_s = start / _CURVE_RATE_HZ, end / _CURVE_RATE_HZ
            segments = tuple(
                Segment(max(segment.start_s, start_s) - start_s, min(segment.end_s, end_s) - start_s)
                for segment in activity.segments
                if segment.end_s > start_s and segment.start_s < end_s
            )
            part = Activity(end_s - start_s, segments, _PASSAGE_S)
            syllables = _syllables(vowel[start:end], periodicity[start:end], part)
            passages.append(RatePassage(start_s, end_s, syllables / _PASSAGE_S))
        return tuple(passages)

    def _whole(self) -> tuple[_Floats, _Floats]:
        vowel = np.concatenate(self._vowel)[_CORRELATED // 2 :]
        periodicity = np.concatenate(self._periodicity)
        frames = min(len(vowel), len(periodicity))
        return vowel[:frames], periodicity[:frames]


def _syllables(vowel: _Floats, periodicity: _Floats, activity: Activity) -> float:
    """Count the hills of one curve where the other is high, at the smoothness that fits the rate found."""
    times_s = (np.arange(len(vowel)) + 0.5) / _CURVE_RATE_HZ
    inside = activity.mask(times_s, before_s=_BRIDGED_S, after_s=_BRIDGED_S)
    near = np.maximum.reduce([np.roll(periodicity, shift) for shift in (-2, -1, 0, 1, 2)])
    allowed = inside & (near > _LEAST_PERIODICITY)
    smoother = _Smoother(vowel, inside)
    rate = smoother.hills(_FIRST_CUTOFF_HZ, allowed) / activity.active_s
    for _ in range(_ROUNDS):
        cutoff_hz = float(np.clip(_CUTOFF_PER_RATE * rate, _LOWEST_CUTOFF_HZ, _HIGHEST_CUTOFF_HZ))
        rate = (rate + smoother.hills(cutoff_hz, allowed) / activity.active_s) / 2
    return max(_LOWEST_RATE, _RATE_SLOPE * rate + _RATE_OFFSET) * activity.active_s


def _band_envelopes(frames: Samples) -> _Floats:
    """Amplitude in each band, shape (frames, bands)."""
    spectra = np.fft.rfft(frames * np.hanning(_ENVELOPE_FRAME).astype(np.float32))
    edges = np.round(np.array(_BAND_EDGES_HZ) * _ENVELOPE_FRAME / ANALYSIS_RATE_HZ).astype(np.int64)
    powers = spectra.real[:, : edges[-1]] ** 2 + spectra.imag[:, : edges[-1]] ** 2
    result: _Floats = np.sqrt(np.add.reduceat(powers, edges[:-1], axis=1))
    return result


def _correlate(envelopes: _Floats) -> _Floats:
    """Correlate envelopes over five frames and between the four strongest bands, shape (frames - 4,)."""
    count = len(envelopes) - _CORRELATED + 1
    weights = np.exp(-0.5 * ((np.arange(_CORRELATED) - (_CORRELATED - 1) / 2) / 1.5) ** 2).astype(np.float32)
    weights /= weights.sum()
    shifted = np.stack([weight * envelopes[shift : shift + count] for shift, weight in enumerate(weights)])
    over_time = np.sqrt(_pair_products(shifted))
    strongest = np.sort(over_time, axis=1)[:, -_STRONGEST:]
    pairs = _STRONGEST * (_STRONGEST - 1) / 2
    result: _Floats = np.sqrt(_pair_products(np.moveaxis(strongest, 1, 0)) / np.float32(pairs))
    return result


def _pair_products(factors: _Floats) -> _Floats:
    """Sum of the products of all pairs along the first axis, for factors >= 0."""
    result: _Floats = np.maximum(np.sum(factors, axis=0) ** 2 - np.sum(factors**2, axis=0), 0) / 2
    return result


def _periodicity(frames: Samples) -> _Floats:
    """Highest normalised autocorrelation at the lags of voices, shape (frames,), at most about 1."""
    spectra = np.fft.rfft(frames, _PITCH_SPECTRUM)
    lowest, highest = (round(edge * _PITCH_SPECTRUM / ANALYSIS_RATE_HZ) for edge in _PITCH_SPECTRUM_HZ)
    powers = spectra.real[:, : highest + 1] ** 2 + spectra.imag[:, : highest + 1] ** 2
    powers[:, :lowest] = 0
    # The band ends at an eighth of the rate, so a quarter of the rate is enough for its autocorrelation.
    correlation = np.fft.irfft(powers, _PITCH_SPECTRUM // 4)
    lag_rate_hz = ANALYSIS_RATE_HZ / 4
    lags = np.arange(int(lag_rate_hz / _PITCH_HIGHEST_HZ), int(lag_rate_hz / _PITCH_LOWEST_HZ) + 1)
    overlap = (1 - lags / lag_rate_hz * ANALYSIS_RATE_HZ / _PITCH_FRAME).astype(np.float32)
    energy = correlation[:, :1] + np.float32(1e-12)
    result: _Floats = np.max(correlation[:, lags] / (overlap * energy), axis=1)
    return result


class _Smoother:
    """Counts the hills of a curve at different smoothness.

    Parameters
    ----------
    curve : float32 array, shape (n,)
    inside : bool array, shape (n,)
        Where there is speech.
    """

    def __init__(self, curve: _Floats, inside: npt.NDArray[np.bool_]) -> None:
        self._length = len(curve)
        self._inside = inside
        self._size = 1 << (self._length + round(3 * _CURVE_RATE_HZ)).bit_length()
        self._spectrum = np.fft.rfft(curve.astype(np.float64), self._size)
        self._angles = np.tan(np.minimum(np.pi * np.arange(self._size // 2 + 1) / self._size, np.pi / 2 - 1e-6))
        taper = np.hanning(round(_LOCAL_MEAN_S * _CURVE_RATE_HZ) + 1)
        centred = np.zeros(self._size)
        centred[: len(taper)] = taper / taper.sum()
        self._local_mean = np.fft.rfft(np.roll(centred, -(len(taper) // 2)))

    def hills(self, cutoff_hz: float, allowed: npt.NDArray[np.bool_]) -> int:
        """Count the hills that stand out after a low-pass (second order, forwards and backwards) and are allowed."""
        edge = np.tan(np.pi * cutoff_hz / _CURVE_RATE_HZ)
        smooth_spectrum = self._spectrum / (1 + (self._angles / edge) ** 4)
        smooth = np.maximum(np.fft.irfft(smooth_spectrum, self._size)[: self._length], 0)
        local = np.fft.irfft(smooth_spectrum * self._local_mean, self._size)[: self._length]
        high = float(np.quantile(smooth[self._inside], 0.95)) if np.any(self._inside) else 0.0
        if high <= 0:
            return 0
        curve = smooth / (0.3 * high + 0.7 * np.maximum(1.6 * local, 0.15 * high))
        peaks = find_peaks(curve, prominence=_LEAST_PROMINENCE, distance=0.5 / cutoff_hz * _CURVE_RATE_HZ)
        return int(np.count_nonzero(allowed[peaks] & (curve[peaks] > _LEAST_HEIGHT)))
