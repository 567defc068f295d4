"""How much of a recording is late reverberation, by predicting it from what was heard 48 to 120 ms before.

Speech is hardly predictable over such a time in a narrow band; its own echo is. The prediction is that of
dereverberation by delayed linear prediction, fitted where the speech is weak, for there the echo is all there is.

References
----------
.. [1] T. Nakatani et al., "Speech dereverberation based on variance-normalized delayed linear prediction", IEEE Trans.
   Audio, Speech and Language Processing 18(7), 2010.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples

__all__ = ["LATE_GROUPS", "late_energy"]

_Floats = npt.NDArray[np.float32]
_Complex = npt.NDArray[np.complex64]

_FRAME, _HOP = 512, 128
_DELAY, _TAPS = 6, 10
_LATER_TAPS = 4
_FIRST_BIN, _BIN_STEP, _BINS = 10, 4, 48
LATE_GROUPS = 4
_ROUNDS = 3
_LEAST_POWER, _RIDGE = 1e-4, 1e-3


def late_energy(samples: Samples) -> npt.NDArray[np.float64]:
    """Split the energy of some seconds into what is predictable from long before and the rest.

    Parameters
    ----------
    samples : float32 array, shape (n,)
        16 kHz; some seconds, so that there are many more frames than taps.

    Returns
    -------
    float64 array, shape (3, 4)
        For four groups of bands from 300 Hz to 6.2 kHz: the energy of all, of what comes 48 ms and more after its
        cause, of what comes 80 ms and more after it.
    """
    frames: _Floats = np.lib.stride_tricks.sliding_window_view(samples, _FRAME)[::_HOP] * _window()
    bins = slice(_FIRST_BIN, _FIRST_BIN + _BINS * _BIN_STEP, _BIN_STEP)
    heard: _Complex = np.ascontiguousarray(np.fft.rfft(frames)[:, bins].T)
    reach = _DELAY + _TAPS - 1
    before = np.pad(heard, ((0, 0), (reach, 0)))
    past = np.stack([before[:, reach - lag : before.shape[1] - lag] for lag in range(_DELAY, reach + 1)], axis=1)
    power = heard.real**2 + heard.imag**2
    mean_power = np.mean(power, axis=1, keepdims=True) + np.float32(1e-20)
    dry_power = _smooth(power)
    for _ in range(_ROUNDS):
        weighted = past.conj() / np.maximum(dry_power, _LEAST_POWER * mean_power)[:, None]
        covariance = weighted @ past.swapaxes(1, 2)
        ridge = _RIDGE * np.trace(covariance, axis1=1, axis2=2).real / _TAPS
        covariance += (ridge[:, None, None] + np.float32(1e-20)) * np.eye(_TAPS, dtype=np.float32)
        taps = np.linalg.solve(covariance, weighted @ heard[:, :, None])[:, :, 0]
        late = (taps[:, None, :] @ past)[:, 0]
        dry = heard - late
        dry_power = _smooth(dry.real**2 + dry.imag**2)
    later = (taps[:, None, _LATER_TAPS:] @ past[:, _LATER_TAPS:])[:, 0]
    energies: npt.NDArray[np.float64] = np.stack(
        [np.sum(part.real**2 + part.imag**2, axis=1, dtype=np.float64) for part in (heard, late, later)]
    )
    grouped: npt.NDArray[np.float64] = energies.reshape(3, LATE_GROUPS, -1).sum(axis=2)
    return grouped


def _smooth(powers: _Floats) -> _Floats:
    """Mean over three frames, shape as given: a single frame is often weak by chance where the speech is not."""
    padded = np.pad(powers, ((0, 0), (1, 1)), mode="edge")
    result: _Floats = (padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]) * np.float32(1 / 3)
    return result


@cache
def _window() -> _Floats:
    return np.hanning(_FRAME).astype(np.float32)
