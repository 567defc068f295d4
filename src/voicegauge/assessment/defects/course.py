"""How the level goes through a recording; `pauses` and `passages` read from it what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity
from voicegauge.assessment.frames import BinSums
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

__all__ = ["HOP_S", "Course", "CourseMeter"]

_HOP = 160
HOP_S = _HOP / ANALYSIS_RATE_HZ
"""Distance of the frames of a course."""

_FLOOR = 1e-14
_STEP_SAMPLES = 4096

# Frames this close to speech are neither speech nor pause: decay, breath, and the edges of the speech detector.
_BEFORE_S, _AFTER_S = 0.15, 0.3
_LEAST_PAUSE_S = 0.3


@dataclass(frozen=True)
class Course:
    """The level of one recording, 100 times a second.

    Attributes
    ----------
    levels_db : float array, shape (n,)
        Mean power of each 10 ms, 20 Hz to 8 kHz, in dB re full scale.
    silent : bool array, shape (n,)
        Where not one sample differs from the one before it.
    activity : Activity
    speech, pause : bool array, shape (n,)
        Neither is true in the neighbourhood of speech.
    speech_db : float or None
        Mean power in speech, None without speech.
    noise_db : float or None
        Median level in pauses, digital silence left out; None with less than 0.3 s of them.
    step : float
        Smallest step between samples as recorded: 2 ** -15 in 16-bit audio, 1.0 where nothing moves.
    """

    levels_db: npt.NDArray[np.float64]
    silent: npt.NDArray[np.bool_]
    activity: Activity
    speech: npt.NDArray[np.bool_]
    pause: npt.NDArray[np.bool_]
    speech_db: float | None
    noise_db: float | None
    step: float

    @property
    def duration_s(self) -> float:
        return self.activity.duration_s


class CourseMeter:
    """Collects the course of one recording.

    Parameters
    ----------
    rate_hz : int > 0
        Of the recording itself.
    """

    def __init__(self, rate_hz: int) -> None:
        self._power = BinSums(_HOP)
        self._changes = BinSums(max(1.0, rate_hz * HOP_S))
        self._last: np.float32 | None = None
        self._step = 1.0

    def push_native(self, samples: Samples) -> None:
        """Take the next samples as recorded, shape (n,): the mean of the channels."""
        before = samples[0] if self._last is None else self._last
        differences = np.diff(samples, prepend=before)
        moves = differences != 0
        self._changes.push(moves)
        some = np.abs(differences[:_STEP_SAMPLES])
        self._step = min(self._step, float(np.min(some, initial=1.0, where=moves[:_STEP_SAMPLES])))
        self._last = samples[-1]

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz."""
        self._power.push(np.square(samples, dtype=np.float64))

    def result(self, activity: Activity, *, gain: float) -> Course:
        """Return the course; call it once, after the last samples. `gain` is what `push` got was multiplied with."""
        powers = self._power.values() / _HOP / gain**2
        changes = self._changes.values()
        silent = np.zeros(len(powers), dtype=np.bool_)
        count = min(len(powers), len(changes))
        silent[:count] = changes[:count] == 0
        times_s = (np.arange(len(powers)) + 0.5) * HOP_S
        speech = activity.mask(times_s)
        pause = ~activity.mask(times_s, before_s=_BEFORE_S, after_s=_AFTER_S)
        heard = pause & ~silent
        levels_db = 10 * np.log10(powers + _FLOOR)
        return Course(
            levels_db=levels_db,
            silent=silent,
            activity=activity,
            speech=speech,
            pause=pause,
            speech_db=10 * float(np.log10(np.mean(powers[speech]) + _FLOOR)) if np.any(speech) else None,
            noise_db=float(np.median(levels_db[heard])) if np.count_nonzero(heard) * HOP_S >= _LEAST_PAUSE_S else None,
            step=self._step,
        )
