"""Speech power over noise power.

References
----------
.. [1] ITU-T Rec. P.56, "Objective measurement of active speech level", method B, 2011.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity, active_part
from voicegauge.assessment.definitions import DEFINITIONS, Case
from voicegauge.assessment.frames import BinSums
from voicegauge.assessment.noise import BandMeter, cell_times_s, noise_course
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples
from voicegauge.assessment.values import Measurement, Property, Reason, Unit

__all__ = ["SnrMeter"]

_HOP = 160
_HOP_S = _HOP / ANALYSIS_RATE_HZ

_NEEDED = DEFINITIONS[Property.SNR].evidence
_SHORTEST_SPEECH_S = _NEEDED[Case.PAUSES].speech_s
_SHORTEST_PAUSE_S = _NEEDED[Case.PAUSES].pause_s
_SHORTEST_SPEECH_WITHOUT_PAUSE_S = _NEEDED[Case.NO_PAUSES].speech_s
_LOWEST_DB, _HIGHEST_DB = -10.0, 80.0

# Pauses begin this long after speech and end this long before it, so that no decay or breath counts as noise.
_AFTER_S, _BEFORE_S = 0.2, 0.1

# Power of the second difference, which the ringing of the 20 Hz high-pass hardly has, below which there is no sound but
# digital silence; re full scale, with the recording scaled to a peak of 0.5.
_DIGITAL_SILENCE = 3e-12

# Frames that stand out of the noise by this many of its own spreads are clicks and breaths.
_OUTLIER_SPREADS, _LEAST_OUTLIER_DB = 2.5, 3.0


class SnrMeter:
    """Ratio of the active speech level to the mean noise power of one recording, 20 Hz to 8 kHz, in dB.

    The noise is measured in the pauses, followed under the speech where it moves, and subtracted from the power of the
    speech before its active level is taken as in P.56. Higher is better: a treated studio gives 40 dB and more, a fan
    beside the microphone 20. Values are kept within -10 to 80 dB. Digital silence, as a noise gate leaves it, is no
    noise and is left out.

    Needs speech (else `NO_SPEECH`), of 0.5 s and more (else `NOT_ENOUGH_SPEECH`). With under 0.3 s of pause the noise
    is taken from the quietest moments, which is less certain and takes 2 s of speech (else `NOT_ENOUGH_PAUSE`).
    `details` holds `pause_s`, the seconds of pause the noise was measured in.
    """

    def __init__(self) -> None:
        self._power = BinSums(_HOP)
        self._roughness = BinSums(_HOP)
        self._last_two = np.zeros(2, dtype=np.float32)
        self._bands = BandMeter()

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): 16 kHz, high-passed at 20 Hz, scaled to a peak near 0.5."""
        self._power.push(np.square(samples, dtype=np.float64))
        joined = np.concatenate([self._last_two, samples])
        self._roughness.push(np.square(np.diff(joined, 2), dtype=np.float64))
        self._last_two = joined[-2:]
        self._bands.push(samples)

    def result(self, activity: Activity) -> Measurement:
        """Return the ratio; call it once, after the last block."""
        if not activity.segments:
            return Measurement(None, Unit.DB, Reason.NO_SPEECH)
        bins = self._power.values() / _HOP
        power = (bins[1:] + bins[:-1]) / 2
        times_s = np.arange(1, len(power) + 1) * _HOP_S
        sound = _frames_of_sound(self._roughness.values() / _HOP)
        speech = activity.mask(times_s, before_s=_BEFORE_S, after_s=_AFTER_S)
        pause = ~speech & sound
        pause_s = np.count_nonzero(pause) * _HOP_S
        if activity.speech_s < _SHORTEST_SPEECH_S or not np.any(speech & sound):
            return Measurement(None, Unit.DB, Reason.NOT_ENOUGH_SPEECH)
        if pause_s < _SHORTEST_PAUSE_S:
            if activity.speech_s < _SHORTEST_SPEECH_WITHOUT_PAUSE_S:
                return Measurement(None, Unit.DB, Reason.NOT_ENOUGH_PAUSE)
            value = _ratio_without_pauses(power, sound, speech)
        else:
            steady = np.full(len(power), _steady_power(power[pause]))
            value = _ratio_db(power, steady, speech)
            levels_db = self._bands.levels_db()
            cells_s = cell_times_s(len(levels_db))
            nearest = np.minimum((cells_s / _HOP_S).astype(int), len(power) - 1)
            course = noise_course(levels_db, pause[nearest], snr_db=value)
            if course is not None:
                moving = np.interp(times_s, cells_s, course)
                moving *= _steady_power(power[pause] / moving[pause])
                value = _ratio_db(power, moving, speech)
        limited = float(np.clip(value, _LOWEST_DB, _HIGHEST_DB))
        return Measurement(limited, Unit.DB, weight_s=activity.duration_s, details={"pause_s": pause_s})


def _frames_of_sound(roughness: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Frames of two bins that hold no digital silence and do not touch any."""
    silent = np.pad(roughness <= _DIGITAL_SILENCE, 1)
    near_silence = silent[:-2] | silent[1:-1] | silent[2:]
    return ~(near_silence[1:] | near_silence[:-1])


def _steady_power(power: npt.NDArray[np.float64]) -> float:
    """Mean power of noise that may hold clicks and breaths, which are left out.

    Noise is about as wide below its median as above, so what is wide above only is something else.
    """
    levels_db = 10 * np.log10(power)
    median_db = float(np.median(levels_db))
    spread_db = median_db - float(np.quantile(levels_db, 0.16))
    limit_db = median_db + max(_OUTLIER_SPREADS * spread_db, _LEAST_OUTLIER_DB)
    return float(np.mean(power[levels_db <= limit_db]))


def _ratio_db(power: npt.NDArray[np.float64], noise: npt.NDArray[np.float64], speech: npt.NDArray[np.bool_]) -> float:
    """Active level of what the speech frames hold above the noise, over the mean of the noise."""
    above = np.where(speech, power - noise, 0.0)
    envelope = np.convolve(np.maximum(above, 0), np.full(5, 0.2), "same")
    part = active_part(envelope, total=float(np.sum(above)), hop_s=_HOP_S)
    return part.level_db - 10 * float(np.log10(np.mean(noise))) if part else _LOWEST_DB


def _ratio_without_pauses(
    power: npt.NDArray[np.float64], sound: npt.NDArray[np.bool_], speech: npt.NDArray[np.bool_]
) -> float:
    """Estimate from the quietest moments, by what kind of noise their distribution shows.

    Behind clear speech the quietest hundredth is noise, and the quietest tenth lies far below the quietest third, which
    is speech. Where other voices fill the pauses the tenth and the third are both noise, a little below its mean, and
    the hundredth is far below it.
    """

    def ratio_db(noise: float) -> float:
        return _ratio_db(power, np.full(len(power), noise), speech)

    ordered = np.sort(power[sound])
    hundredth = ratio_db(1.12 * float(np.mean(ordered[: max(3, len(ordered) // 100)])))
    tenth = ratio_db(float(np.quantile(ordered, 0.1)))
    third = ratio_db(float(np.quantile(ordered, 0.35)))
    among_voices = tenth - 3.5 * float(np.clip((hundredth - tenth - 2) / 8, 0, 1))
    clear = float(np.clip((tenth - third - 7) / 4, 0, 1) * np.clip((tenth - 9) / 2, 0, 1))
    return (1 - clear) * among_voices + clear * hundredth
