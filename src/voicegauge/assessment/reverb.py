"""How reverberant a recording is: the clarity C50.

References
----------
.. [1] ISO 3382-1:2009, "Measurement of room acoustic parameters", for C50.
.. [2] J. Y. C. Wen, E. A. P. Habets and P. A. Naylor, "Blind estimation of reverberation time based on the distribution
   of signal decay rates", ICASSP 2008.
.. [3] T. de M. Prego et al., "A blind algorithm for reverberation-time estimation using subband decomposition of speech
   signals", J. Acoust. Soc. Am. 131(4), 2012.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from voicegauge.assessment import reverb_regressor
from voicegauge.assessment.activity import Activity
from voicegauge.assessment.decay import DecayWindow, DecayWindows, features, pool
from voicegauge.assessment.definitions import DEFINITIONS, Case
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples
from voicegauge.assessment.values import Measurement, Property, Reason, Unit

__all__ = ["ReverbMeter", "ReverbPassage"]

_LEAST_SPEECH_S = DEFINITIONS[Property.REVERB].evidence[Case.ALWAYS].speech_s
_LEAST_SPEECH_OF_WINDOW_S = 1.0
_LEAST_SPEECH_OF_PASSAGE_S = 4.0
_LEAST_DECAYS = 20


@dataclass(frozen=True)
class ReverbPassage:
    """The clarity of a part of a recording, about 10 s long."""

    start_s: float
    end_s: float
    c50_db: float


class ReverbMeter:
    """Measures the clarity C50 of one recording that is pushed a block at a time.

    C50, in dB, is the energy of the room's impulse response in its first 50 ms over all that comes later, from 88 Hz up
    (the lower edge of the lowest octave band of [1]_). It is estimated from how speech dies away in 20 bands, by a
    regression fitted on dry speech in simulated rooms. Higher is drier: a living room far from the microphone gives 5,
    a treated booth 30 and more; from 35 on there is nothing left to hear or to measure. Needs 2 s of speech with 20
    places where a band dies away; with less, the value is None and the reason NO_SPEECH or NOT_ENOUGH_SPEECH.
    """

    def __init__(self) -> None:
        self._windows = DecayWindows()

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz."""
        self._windows.push(samples)

    def result(self, activity: Activity) -> Measurement:
        """Return C50; call it once, after the last block."""
        windows = self._all
        if not activity.segments:
            return Measurement(None, Unit.DB, Reason.NO_SPEECH)
        speech_s = activity.speech_s
        parts = [window.statistics for window in _with_speech(windows, activity, _LEAST_SPEECH_OF_WINDOW_S)]
        if speech_s < _LEAST_SPEECH_S or not parts:
            return Measurement(None, Unit.DB, Reason.NOT_ENOUGH_SPEECH)
        together = pool(parts)
        if together.decay_count < _LEAST_DECAYS:
            return Measurement(None, Unit.DB, Reason.NOT_ENOUGH_SPEECH)
        c50_db = reverb_regressor.predict_c50_db(features(together))
        return Measurement(c50_db, Unit.DB, weight_s=speech_s)

    def passages(self, activity: Activity) -> list[ReverbPassage]:
        """Return C50 of each stretch of 10 s with 4 s of speech and more, after the last block."""
        return [
            ReverbPassage(
                window.start / ANALYSIS_RATE_HZ,
                window.end / ANALYSIS_RATE_HZ,
                reverb_regressor.predict_c50_db(features(window.statistics)),
            )
            for window, spoken_s in _spoken(self._all, activity)
            if spoken_s >= _LEAST_SPEECH_OF_PASSAGE_S and window.statistics.decay_count >= _LEAST_DECAYS
        ]

    @cached_property
    def _all(self) -> list[DecayWindow]:
        return self._windows.finish()


def _with_speech(windows: list[DecayWindow], activity: Activity, least_s: float) -> list[DecayWindow]:
    """The windows with enough speech in them or, where none has, the one with most."""
    spoken = list(_spoken(windows, activity))
    enough_s = min(least_s, max((spoken_s for _, spoken_s in spoken), default=0.0))
    return [window for window, spoken_s in spoken if 0 < spoken_s >= enough_s]


def _spoken(windows: list[DecayWindow], activity: Activity) -> Iterable[tuple[DecayWindow, float]]:
    """The windows, each with the seconds of speech in it."""
    if not activity.segments:
        return []
    edges_s = np.array([(window.start, window.end) for window in windows]).reshape(-1, 2) / ANALYSIS_RATE_HZ
    return zip(windows, np.diff(_speech_until(edges_s, activity), axis=1)[:, 0].tolist(), strict=True)


def _speech_until(times_s: npt.NDArray[np.float64], activity: Activity) -> npt.NDArray[np.float64]:
    """Seconds of speech before each time, shape as given."""
    bounds = np.array([(segment.start_s, segment.end_s) for segment in activity.segments]).ravel()
    spoken = np.zeros(len(bounds))
    spoken[1::2] = np.diff(bounds)[::2]
    result: npt.NDArray[np.float64] = np.interp(times_s, bounds, np.cumsum(spoken))
    return result
