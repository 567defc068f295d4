"""How the level of the background noise moves in the course of a recording, under the speech too.

The noise is taken to keep its spectrum and to change its level. In pauses the level can be seen. Under speech it shows
in those cells of the time-frequency plane that speech leaves free: they lie together at one distance from the pause
spectrum, while speech scatters above it. A hidden Markov model over the level, with a random walk whose speed is read
off the pauses, joins both.

References
----------
.. [1] L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech recognition", Proc. IEEE
   77(2), 1989.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.frames import Frames
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples

__all__ = ["CELL_S", "BandMeter", "cell_times_s", "noise_course"]

_WINDOW, _HOP = 512, 256
CELL_S = 2 * _HOP / ANALYSIS_RATE_HZ
"""Duration of a cell: two spectra averaged."""

_FLOOR = 1e-13

_LEVELS_DB = np.arange(-15.0, 16.0)
_SPREAD_OF_LEVELS_DB = 6.0

# Chance per cell that the level moves by 1 dB. Below the first that counts as moving, the noise is taken as steady.
_SPEEDS = (0.0005, 0.005, 0.03, 0.1, 0.3)
_SLOWEST_MOVING = 0.03
_PULL_TO_MEAN = 0.02

# Share of cells that show noise alone: in pauses, and under speech at 15 dB and below and at 30 dB and above.
_CLEAR_IN_PAUSE = 0.85
_CLEAR_IN_SPEECH = ((15.0, 30.0), (0.2, 0.1))
_SPEECH_SPREAD_DB = 50.0
_OUTLIER_DENSITY = 1e-4

# Neighbouring bands and cells are not independent.
_EVIDENCE_WEIGHT = 0.35
_LEAST_SPEECH_EVIDENCE = -4.0

# Noise whose bands move apart by more than this, such as other voices, has no common level to follow.
_WIDEST_BAND_SPREAD_DB = 3.0

_LEAST_PAUSE_CELLS = 6
_CHUNK_CELLS = 4096


def _band_edges() -> npt.NDArray[np.int64]:
    """First bins of the bands: 3 bins wide (94 Hz) at the bottom, 18 (560 Hz) at the top."""
    edges, width = [1], 3.0
    while edges[-1] < _WINDOW // 2:
        edges.append(round(edges[-1] + width))
        width = min(width * 1.09, 18.0)
    if edges[-1] != _WINDOW // 2:
        edges[-1] = _WINDOW // 2
    return np.array(edges)


_EDGES = _band_edges()
# Deviation of the level of a cell of steady noise; the neighbouring bins of a Hann window are correlated.
_STEADY_SPREAD_DB = 4.34 / np.sqrt(np.maximum(1.0, np.diff(_EDGES) * 2 / 1.9))


class BandMeter:
    """Powers of the cells of one recording that is pushed a block at a time."""

    def __init__(self) -> None:
        self._frames = Frames(_WINDOW, _HOP)
        self._window = np.hanning(_WINDOW).astype(np.float32)
        self._scale = 2 / (_WINDOW * float(np.sum(self._window**2)))
        self._odd = np.zeros((0, len(_EDGES) - 1))
        self._cells: list[Samples] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,), 16 kHz."""
        frames = self._frames.push(samples)
        if not len(frames):
            return
        spectrum = np.fft.rfft(frames * self._window, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        bands = np.concatenate([self._odd, np.add.reduceat(power[:, : _EDGES[-1]], _EDGES[:-1], axis=1)])
        pairs = len(bands) // 2
        self._odd = bands[2 * pairs :]
        cells = (bands[: 2 * pairs : 2] + bands[1 : 2 * pairs : 2]) * (self._scale / 2)
        self._cells.append(cells.astype(np.float32))

    def levels_db(self) -> Samples:
        """Return the levels of all cells, shape (cells, bands), in dB."""
        cells = np.concatenate([np.zeros((0, len(_EDGES) - 1), dtype=np.float32), *self._cells])
        return np.asarray(10 * np.log10(cells + np.float32(_FLOOR)), dtype=np.float32)


def cell_times_s(cells: int) -> npt.NDArray[np.float64]:
    """Times of the middles of the first `cells` cells."""
    return (np.arange(cells) * 2 + 1.5) * _HOP / ANALYSIS_RATE_HZ


def noise_course(levels_db: Samples, pause: npt.NDArray[np.bool_], *, snr_db: float) -> npt.NDArray[np.float64] | None:
    """Estimate the power of the noise in each cell, relative to a common reference.

    Parameters
    ----------
    levels_db : float array, shape (cells, bands)
    pause : bool array, shape (cells,)
        Cells without speech.
    snr_db : float
        What the pauses alone say; the louder the speech, the fewer cells it leaves free.

    Returns
    -------
    float array, shape (cells,), or None
        None where the noise is steady, where its bands go their own ways, or with less than 0.2 s of pause.
    """
    if np.count_nonzero(pause) < _LEAST_PAUSE_CELLS:
        return None
    quiet = levels_db[pause].astype(np.float64)
    reference = np.median(quiet, axis=0)
    quiet -= reference
    apart = np.minimum(quiet - np.median(quiet, axis=1, keepdims=True), 0)
    # Downward deviations only, since breaths and clicks stick out upward.
    excess = max(0.0, 2 * float(np.mean(apart**2)) - float(np.mean(_STEADY_SPREAD_DB**2)))
    if excess > _WIDEST_BAND_SPREAD_DB**2:
        return None
    spread_db = np.sqrt(_STEADY_SPREAD_DB**2 + excess)
    clear = np.where(pause, _CLEAR_IN_PAUSE, np.interp(snr_db, *_CLEAR_IN_SPEECH))

    likelihoods = np.empty((len(levels_db), len(_LEVELS_DB)), dtype=np.float32)
    for start in range(0, len(levels_db), _CHUNK_CELLS):
        part = slice(start, start + _CHUNK_CELLS)
        likelihoods[part] = _likelihoods(levels_db[part] - reference, clear[part], pause[part], spread_db)

    speed = _likeliest_speed(likelihoods, pause)
    if speed < _SLOWEST_MOVING:
        return None
    moves = _moves(speed)
    powers = 10 ** (_LEVELS_DB / 10)
    course = np.empty(len(levels_db))
    for start in range(0, len(levels_db), _CHUNK_CELLS):
        part = slice(start, start + _CHUNK_CELLS)
        course[part] = _posteriors(likelihoods[part].astype(np.float64), moves) @ powers
    return course


def _likelihoods(
    levels_db: npt.NDArray[np.floating],
    clear: npt.NDArray[np.float64],
    pause: npt.NDArray[np.bool_],
    spread_db: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """How well each noise level explains each cell, shape (cells, levels), the best 1."""
    distance_db = levels_db[:, :, None] - _LEVELS_DB
    width = spread_db[None, :, None]
    noise = np.exp(-0.5 * (distance_db / width) ** 2) / (width * np.sqrt(2 * np.pi))
    speech = (distance_db >= 0) / _SPEECH_SPREAD_DB + _OUTLIER_DENSITY
    share = clear[:, None, None]
    logarithm = _EVIDENCE_WEIGHT * np.sum(np.log(share * noise + (1 - share) * speech), axis=1)
    logarithm -= np.max(logarithm, axis=1, keepdims=True)
    result: npt.NDArray[np.float64] = np.exp(
        np.where(pause[:, None], logarithm, np.maximum(logarithm, _LEAST_SPEECH_EVIDENCE))
    )
    return result


def _moves(speed: float) -> npt.NDArray[np.float64]:
    """Chances of going from level to level between neighbouring cells."""
    count = len(_LEVELS_DB)
    moves = np.zeros((count, count))
    for level, level_db in enumerate(_LEVELS_DB):
        moves[level, max(level - 1, 0)] += speed / 2
        moves[level, level] += 1 - speed
        moves[level, min(level + 1, count - 1)] += speed / 2
        moves[level, level - int(np.sign(level_db))] += _PULL_TO_MEAN * abs(level_db) * speed
    result: npt.NDArray[np.float64] = moves / np.sum(moves, axis=1, keepdims=True)
    return result


def _start() -> npt.NDArray[np.float64]:
    weights = np.exp(-0.5 * (_LEVELS_DB / _SPREAD_OF_LEVELS_DB) ** 2)
    result: npt.NDArray[np.float64] = weights / np.sum(weights)
    return result


def _likeliest_speed(likelihoods: Samples, pause: npt.NDArray[np.bool_]) -> float:
    """The speed at which the pauses agree best; a faster one must be clearly likelier than a slower."""
    seen = np.flatnonzero(pause)
    steps = np.diff(seen, prepend=seen[0])
    best, best_score = _SPEEDS[0], -np.inf
    for speed in _SPEEDS:
        one = _moves(speed)
        over = {0: np.eye(len(one)), 1: one}
        belief, score = _start(), 0.0
        for cell, step in zip(seen, np.minimum(steps, _CHUNK_CELLS), strict=True):
            if step not in over:
                over[step] = np.linalg.matrix_power(one, step)
            belief = (belief @ over[step]) * likelihoods[cell]
            total = float(np.sum(belief))
            belief /= total
            score += float(np.log(total))
        if score > best_score + 2.0 or speed == _SPEEDS[0]:
            best, best_score = speed, score
    return best


def _posteriors(likelihoods: npt.NDArray[np.float64], moves: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Chance of each level in each cell, given all cells: the forward-backward recursions."""
    forward = np.empty_like(likelihoods)
    belief = _start()
    for cell, likelihood in enumerate(likelihoods):
        belief = (belief @ moves) * likelihood
        belief /= np.sum(belief)
        forward[cell] = belief
    back = np.ones(likelihoods.shape[1])
    for cell in range(len(likelihoods) - 2, -1, -1):
        back = moves @ (likelihoods[cell + 1] * back)
        back /= np.sum(back)
        forward[cell] *= back
    result: npt.NDArray[np.float64] = forward / np.sum(forward, axis=1, keepdims=True)
    return result
