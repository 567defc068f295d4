"""Where there is speech.

References
----------
.. [1] Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", 2024,
   https://github.com/snakers4/silero-vad
.. [2] ITU-T Rec. P.56, "Objective measurement of active speech level", method B, 2011.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.filters import Kernel, StreamFilter
from voicegauge.assessment.frames import BinSums, Picker
from voicegauge.assessment.ports import VoiceActivityNetwork
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

__all__ = [
    "FRAME_S",
    "ActivePart",
    "Activity",
    "ActivityMeter",
    "Segment",
    "active_part",
    "segments_from_probabilities",
]

FRAME_S = 0.032
"""Hop of the voice activity network."""

_ONSET, _OFFSET = 0.5, 0.35
_SHORTEST_GAP_S = 0.1
_SHORTEST_SPEECH_S = 0.1

_ENVELOPE_TIME_CONSTANT_S = 0.03
_ENVELOPE_HOP = 160
_HANGOVER_S = 0.2
_MARGIN_DB = 15.9

# Outside speech widened by this much nothing counts as active, however loud it is.
_BEFORE_S, _AFTER_S = 0.2, 0.5

# The noise is measured outside speech widened by this much, where there is enough of that; a low percentile, for what
# the network misses of the speech is there too.
_PAUSE_BEFORE_S, _PAUSE_AFTER_S = 0.1, 0.3
_LEAST_PAUSE_S = 0.3
_NOISE_PERCENTILE = 25.0
_NOISE_MARGIN = 2.0


@dataclass(frozen=True)
class Segment:
    """A stretch of time, in seconds from the first sample."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Activity:
    """The speech of one recording.

    Attributes
    ----------
    duration_s : float
    segments : tuple of Segment
        Speech, in order, not overlapping.
    active_s : float
        Active speech time in the sense of ITU-T P.56: speech with hang-over, pauses over 0.2 s left out. The noise
        heard in the pauses is subtracted first.
    """

    duration_s: float
    segments: tuple[Segment, ...]
    active_s: float

    @property
    def speech_s(self) -> float:
        """Seconds inside segments."""
        return sum(segment.end_s - segment.start_s for segment in self.segments)

    def mask(
        self, times_s: npt.NDArray[np.floating], *, before_s: float = 0.0, after_s: float = 0.0
    ) -> npt.NDArray[np.bool_]:
        """Tell for each time whether it lies in speech, with every segment widened by `before_s` and `after_s`.

        Parameters
        ----------
        times_s : float array, shape (n,), ascending
        """
        inside = np.zeros(len(times_s), dtype=np.bool_)
        for segment in self.segments:
            first, last = np.searchsorted(times_s, (segment.start_s - before_s, segment.end_s + after_s))
            inside[first:last] = True
        return inside


@dataclass(frozen=True)
class ActivePart:
    """The speech level of ITU-T P.56 and the share of the time at which it is reached.

    Attributes
    ----------
    level_db : float
        Active level: mean power while active, re the unit of the powers given.
    active : float
        Active time, in frames.
    """

    level_db: float
    active: float


def active_part(
    envelope: npt.NDArray[np.floating], *, total: float, hop_s: float, step_db: float = 1.0
) -> ActivePart | None:
    """Find the active level of speech from the envelope of its power (ITU-T P.56, method B).

    For every threshold, the time above it, with a hang-over of 0.2 s, gives a level; the level taken is the one that
    lies 15.9 dB above its own threshold.

    Parameters
    ----------
    envelope : float array, shape (frames,), >= 0
        Smoothed power of the speech.
    total : float
        Sum of the power over all frames, unsmoothed.
    hop_s : float
        Distance of the frames.
    step_db : float
        Distance of the thresholds, between which is interpolated.

    Returns
    -------
    ActivePart or None
        None where there is no power.
    """
    highest = float(np.max(envelope, initial=0.0))
    if highest <= 0 or total <= 0:
        return None
    hangover = round(_HANGOVER_S / hop_s)
    frames = np.arange(len(envelope))
    previous: tuple[float, float, float] | None = None
    # Speech reaches its own active level, so the threshold lies below the highest envelope by less than 60 dB.
    for threshold_db in np.arange(10 * np.log10(highest) - 60, 10 * np.log10(highest), step_db):
        above = envelope >= 10 ** (threshold_db / 10)
        last = np.maximum.accumulate(np.where(above, frames, -hangover - 1))
        active = float(np.count_nonzero(frames - last <= hangover))
        level_db = 10 * np.log10(total / active)
        distance_db = level_db - threshold_db
        if distance_db <= _MARGIN_DB:
            if previous is None:
                return ActivePart(level_db, active)
            level0_db, distance0_db, active0 = previous
            weight = (distance0_db - _MARGIN_DB) / (distance0_db - distance_db)
            return ActivePart(level0_db + weight * (level_db - level0_db), active0 + weight * (active - active0))
        previous = level_db, distance_db, active
    return ActivePart(previous[0], previous[2]) if previous else None


def segments_from_probabilities(probabilities: npt.NDArray[np.floating]) -> tuple[Segment, ...]:
    """Turn speech probabilities at a hop of 32 ms into segments.

    Speech begins at a probability of 0.5 and ends below 0.35; gaps under 0.1 s are bridged, and what then is shorter
    than 0.1 s is dropped.
    """
    merged: list[Segment] = []
    for start, end in _runs(probabilities):
        segment = Segment(start * FRAME_S, end * FRAME_S)
        if merged and segment.start_s - merged[-1].end_s < _SHORTEST_GAP_S:
            merged[-1] = Segment(merged[-1].start_s, segment.end_s)
        else:
            merged.append(segment)
    return tuple(segment for segment in merged if segment.end_s - segment.start_s >= _SHORTEST_SPEECH_S)


def _runs(probabilities: npt.NDArray[np.floating]) -> Iterator[tuple[int, int]]:
    """First frame and end of every run that begins at the onset and lasts until below the offset probability."""
    onsets = np.flatnonzero(probabilities >= _ONSET)
    below = np.append(np.flatnonzero(probabilities < _OFFSET), len(probabilities))
    end = 0
    for start in onsets:
        if start >= end:
            end = int(below[np.searchsorted(below, start)])
            yield int(start), end


class ActivityMeter:
    """Finds the speech of one recording that is pushed a block at a time.

    Parameters
    ----------
    network : VoiceActivityNetwork
    """

    def __init__(self, network: VoiceActivityNetwork) -> None:
        self._stream = network.open_stream()
        self._probabilities: list[npt.NDArray[np.float32]] = []
        self._smoothing = StreamFilter(_envelope_kernel())
        self._envelope = Picker(_ENVELOPE_HOP, _ENVELOPE_HOP // 2)
        self._power = BinSums(_ENVELOPE_HOP)
        self._samples = 0

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz, scaled to a peak near 0.5."""
        self._samples += len(samples)
        self._probabilities.append(self._stream.push(samples))
        self._envelope.push(self._smoothing.push(np.abs(samples)))
        self._power.push(np.square(samples, dtype=np.float64))

    def result(self) -> Activity:
        """Return where there was speech; call it once, after the last block."""
        self._probabilities.append(self._stream.finish())
        segments = segments_from_probabilities(np.concatenate(self._probabilities))
        self._envelope.push(self._smoothing.finish())
        power = self._power.values() / _ENVELOPE_HOP
        envelope = self._envelope.values()[: len(power)]
        duration_s = self._samples / ANALYSIS_RATE_HZ
        segments = tuple(Segment(s.start_s, min(s.end_s, duration_s)) for s in segments if s.start_s < duration_s)
        activity = Activity(duration_s, segments, 0.0)
        hop_s = _ENVELOPE_HOP / ANALYSIS_RATE_HZ
        times_s = (np.arange(len(envelope)) + 0.5) * hop_s
        near = activity.mask(times_s, before_s=_BEFORE_S, after_s=_AFTER_S)
        squared = np.square(envelope, dtype=np.float64)
        paused = ~activity.mask(times_s, before_s=_PAUSE_BEFORE_S, after_s=_PAUSE_AFTER_S) & (squared > 0)
        total = float(np.sum(power[near]))
        if np.count_nonzero(paused) * hop_s >= _LEAST_PAUSE_S:
            # P.56 knows no noise; what is heard in pauses is taken from the speech, or pauses would count as active.
            squared = np.maximum(squared - _NOISE_MARGIN * np.percentile(squared[paused], _NOISE_PERCENTILE), 0)
            total -= float(np.percentile(power[paused], _NOISE_PERCENTILE)) * np.count_nonzero(near)
        part = active_part(np.where(near, squared, 0), total=total, hop_s=hop_s, step_db=3.0)
        return Activity(duration_s, segments, min(part.active * hop_s, duration_s) if part else 0.0)


def _envelope_kernel() -> Kernel:
    """Two first-order low-passes of 0.03 s in a row, as in P.56."""
    decay = np.exp(-1 / (ANALYSIS_RATE_HZ * _ENVELOPE_TIME_CONSTANT_S))
    times = np.arange(round(16 * _ENVELOPE_TIME_CONSTANT_S * ANALYSIS_RATE_HZ))
    return Kernel((1 - decay) ** 2 * (times + 1) * decay**times)
