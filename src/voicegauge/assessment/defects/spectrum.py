"""What the long-term spectrum gives away: mains hum, and bandwidth that is missing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity
from voicegauge.assessment.frames import Frames
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, Samples
from voicegauge.assessment.values import Finding, Severity

__all__ = ["TONE_BANDS_HZ", "BandwidthMeter", "SlowSpectrumMeter"]

_Spectrum = npt.NDArray[np.float64]

_HUM_WINDOW, _HUM_HOP = 8_000, 4_000
_HUM_HIGHEST_HZ = 500
_HUM_GROUP_S = 30.0
_HUM_QUANTILE = 0.1
_HARMONICS = 8
_MAINS_HZ = (50.0, 60.0)
_LEAST_PROMINENCE_DB = 9.0
_LEAST_HARMONICS = 4
_CLEAR_FUNDAMENTAL_DB, _CLEAR_HARMONIC_DB = 20.0, 12.0
_LEAST_HUM_DB = -36.0
_HUM_LEAST_S = 1.0

TONE_BANDS_HZ = (125, 250, 500, 1000, 2000, 4000, 7800)
"""Edges of the bands in which the tone of a voice is described."""

_LOWEST_TONE_DB = -60.0

_BAND_HZ = 125.0
_FRAME_S = 0.04
_BAND_GROUP_S = 30.0
_BAND_QUANTILE = 0.95
_VOICE_HZ = (300.0, 3000.0)
_LEAST_RATE_HZ, _WIDE_RATE_HZ = 16_000, 22_000
_LOWEST_EDGE_HZ, _NARROW_HIGHEST_HZ, _CLIFF_HIGHEST_HZ = 2_500.0, 6_300.0, 9_000.0
_CLIFF_DB, _CLIFF_BANDS, _FAINT_DB, _EMPTY_DB = 18.0, 6, 60.0, 38.0
_UNUSABLE_HZ = 7_000.0


class _Groups:
    """A low or high quantile of every column, over groups of rows that come one after another."""

    def __init__(self, rows: int, quantile: float) -> None:
        self._size = rows
        self._quantile = quantile
        self._rows: list[npt.NDArray[np.float32]] = []
        self._count = 0
        self.quantiles: list[_Spectrum] = []
        self.sizes: list[int] = []

    def push(self, rows: npt.NDArray[np.float32]) -> None:
        self._rows.append(rows)
        self._count += len(rows)
        # A group is closed when the next one is full as well, so that the last group is never a short one.
        while self._count >= 2 * self._size:
            self._close(self._size)

    def finish(self) -> None:
        if self._count:
            self._close(self._count)

    def _close(self, size: int) -> None:
        rows = np.concatenate(self._rows)
        self._rows, self._count = [rows[size:]], len(rows) - size
        # A sorted place and not an interpolated one: half as much work for a figure that is coarse anyway.
        place = min(size - 1, round(self._quantile * (size - 1)))
        self.quantiles.append(np.partition(rows[:size], place, axis=0)[place].astype(np.float64))
        self.sizes.append(size)


class SlowSpectrumMeter:
    """Finds hum of the mains, and tells the tone of the voice, from spectra of half a second.

    Hum is a row of harmonics of 50 or 60 Hz that is always there: in the quietest tenth of the windows of every half
    minute, at least four of the first eight harmonics stand 9 dB out, or the first 20 dB and the second or third 12 dB.
    Hum that is more than 36 dB below the speech hardly matters and is not reported. Needs 1 s. Fans and voices are at
    other frequencies or move.
    """

    def __init__(self) -> None:
        self._frames = Frames(_HUM_WINDOW, _HUM_HOP)
        self._taper = np.hanning(_HUM_WINDOW).astype(np.float32)
        self._highest = round(_HUM_HIGHEST_HZ * _HUM_WINDOW / ANALYSIS_RATE_HZ)
        self._groups = _Groups(round(_HUM_GROUP_S * ANALYSIS_RATE_HZ / _HUM_HOP), _HUM_QUANTILE)
        self._tone_edges = np.round(np.array(TONE_BANDS_HZ) * _HUM_WINDOW / ANALYSIS_RATE_HZ).astype(np.int64)
        self._tones: list[npt.NDArray[np.float32]] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,), 16 kHz."""
        frames = self._frames.push(samples)
        if len(frames):
            spectra = np.fft.rfft(frames * self._taper)[:, : self._tone_edges[-1]]
            powers = spectra.real**2 + spectra.imag**2
            self._groups.push(powers[:, : self._highest].astype(np.float32))
            self._tones.append(np.add.reduceat(powers, self._tone_edges[:-1], axis=1).astype(np.float32))

    def tone_db(self, activity: Activity) -> npt.NDArray[np.float64] | None:
        """Return the level of the voice in each band of `TONE_BANDS_HZ` over that in all, None without speech."""
        powers = np.concatenate([np.zeros((0, len(TONE_BANDS_HZ) - 1), dtype=np.float32), *self._tones])
        middles_s = (np.arange(len(powers)) * _HUM_HOP + _HUM_WINDOW / 2) / ANALYSIS_RATE_HZ
        spoken = powers[activity.mask(middles_s)].astype(np.float64)
        total = np.sum(spoken, axis=0)
        if not np.sum(total) > 0:
            return None
        tone_db: npt.NDArray[np.float64] = np.maximum(10 * np.log10(total / np.sum(total) + 1e-12), _LOWEST_TONE_DB)
        return tone_db

    def findings(self, *, gain: float, duration_s: float, speech_db: float | None) -> list[Finding]:
        """Return what was found; call it once, after the last samples.

        Parameters
        ----------
        gain : float > 0
            What the samples were multiplied with.
        duration_s : float
        speech_db : float or None
            Mean power of the speech, re full scale.
        """
        self._groups.finish()
        if duration_s < _HUM_LEAST_S:
            return []
        found: list[Finding] = []
        start = 0
        open_: tuple[float, int, list[float]] | None = None
        hop_s = _HUM_HOP / ANALYSIS_RATE_HZ
        for quantile, size in zip(
            [*self._groups.quantiles, np.zeros(self._highest)], [*self._groups.sizes, 0], strict=True
        ):
            hum = _hum(quantile)
            if open_ is not None and (hum is None or hum[0] != open_[0]):
                mains_hz, first, powers = open_
                level_db = 10 * float(np.log10(np.mean(powers))) - 20 * float(np.log10(gain))
                if speech_db is None or level_db >= speech_db + _LEAST_HUM_DB:
                    found.append(
                        finding(
                            "hum",
                            start_s=first * hop_s,
                            end_s=min(start * hop_s, duration_s) if size else duration_s,
                            details={"frequency_hz": mains_hz, "level_db": level_db},
                        )
                    )
                open_ = None
            if hum is not None:
                open_ = (hum[0], open_[1] if open_ else start, [*(open_[2] if open_ else []), hum[1]])
            start += size
        return found


def _hum(power: _Spectrum) -> tuple[float, float] | None:
    """Frequency of the mains and power of all harmonics, or None where there is no hum."""
    best: tuple[int, float, float] | None = None
    step_hz = ANALYSIS_RATE_HZ / _HUM_WINDOW
    window_power = 3 / 16 * _HUM_WINDOW**2
    for mains_hz in _MAINS_HZ:
        prominences_db, total = [], 0.0
        for harmonic in range(1, _HARMONICS + 1):
            centre = round(harmonic * mains_hz / step_hz)
            if centre + 12 > len(power):
                break
            peak = float(np.max(power[centre - 1 : centre + 2]))
            sides = np.concatenate([power[centre - 11 : centre - 4], power[centre + 5 : centre + 12]])
            floor = float(np.median(sides))
            prominence_db = 10 * float(np.log10((peak + 1e-20) / (floor + 1e-20)))
            prominences_db.append(prominence_db)
            if prominence_db >= _LEAST_PROMINENCE_DB:
                total += float(np.sum(power[centre - 2 : centre + 3])) / window_power
        count = sum(prominence_db >= _LEAST_PROMINENCE_DB for prominence_db in prominences_db)
        # Where somebody speaks all the time, only the harmonics below the voice show.
        below_voice = prominences_db[0] >= _CLEAR_FUNDAMENTAL_DB and max(prominences_db[1:3]) >= _CLEAR_HARMONIC_DB
        if (count >= _LEAST_HARMONICS or below_voice) and (best is None or count > best[0]):
            best = count, mains_hz, total
    return None if best is None else (best[1], best[2])


class BandwidthMeter:
    """Finds sound that lacks what its sample rate could hold: telephone sound, or an upsampled file.

    Reported is sound that ends in a cliff with nothing above it: below 6.3 kHz, or below 9 kHz where the sample rate
    is 22 kHz and more. A voice that only gets dull towards the top is not, nor is a file of 8 kHz: it promises no more.
    Noise added after the conversion hides the cliff. Needs 1 s.

    Parameters
    ----------
    rate_hz : int > 0
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        length = 1 << round(np.log2(max(64.0, _FRAME_S * rate_hz)))
        self._frames = Frames(length, length)
        self._taper = np.hanning(length).astype(np.float32)
        bins = max(1, round(_BAND_HZ * length / rate_hz))
        self._band_hz = bins * rate_hz / length
        self._edges = np.arange(0, length // 2 + 1 - bins, bins)
        self._last = int(self._edges[-1]) + bins
        self._groups = _Groups(round(_BAND_GROUP_S * rate_hz / length), _BAND_QUANTILE)

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,): the mean of the channels."""
        frames = self._frames.push(samples)
        if len(frames):
            spectra = np.fft.rfft(frames * self._taper)
            powers = spectra.real[:, : self._last] ** 2 + spectra.imag[:, : self._last] ** 2
            self._groups.push(np.add.reduceat(powers, self._edges, axis=1).astype(np.float32))

    def findings(self, *, duration_s: float) -> list[Finding]:
        """Return what was found; call it once, after the last samples."""
        self._groups.finish()
        if self._rate_hz < _LEAST_RATE_HZ or not self._groups.quantiles or duration_s < 1.0:
            return []
        levels_db = np.median(10 * np.log10(np.array(self._groups.quantiles) + 1e-14), axis=0)
        edge_hz = self._edge_hz(levels_db, _CLIFF_HIGHEST_HZ if self._rate_hz >= _WIDE_RATE_HZ else _NARROW_HIGHEST_HZ)
        if edge_hz is None:
            return []
        severity = Severity.REJECT if edge_hz < _UNUSABLE_HZ else Severity.YOUR_CALL
        return [finding("low_bandwidth", severity=severity, details={"bandwidth_hz": edge_hz})]

    def _edge_hz(self, levels_db: _Spectrum, highest_hz: float) -> float | None:
        """Where the spectrum falls steeply, with nothing above it; None where it does not below `highest_hz`."""
        above_db = np.maximum.accumulate(levels_db[::-1])[::-1]
        below_db = np.convolve(levels_db, np.full(_CLIFF_BANDS, 1 / _CLIFF_BANDS), "full")[: len(levels_db)]
        centres_hz = (np.arange(len(levels_db)) + 0.5) * self._band_hz
        behind = np.arange(len(levels_db)) + _CLIFF_BANDS
        inside = (centres_hz > _LOWEST_EDGE_HZ) & (centres_hz < highest_hz) & (behind < len(levels_db))
        falls_db = np.where(inside, below_db - above_db[np.minimum(behind, len(levels_db) - 1)], 0.0)
        # Faint sound that ends in digital silence falls as much, and a voice may fall steeply to its own hiss.
        voice_db = float(np.max(levels_db[(centres_hz > _VOICE_HZ[0]) & (centres_hz < _VOICE_HZ[1])], initial=-np.inf))
        falls_db[below_db < voice_db - _FAINT_DB] = 0.0
        falls_db[above_db[np.minimum(behind, len(levels_db) - 1)] > voice_db - _EMPTY_DB] = 0.0
        if not np.any(falls_db >= _CLIFF_DB):
            return None
        last = int(np.flatnonzero(falls_db >= _CLIFF_DB)[-1])
        near = np.arange(max(1, last - _CLIFF_BANDS), last + 1)
        steepest = int(near[np.argmax(levels_db[near - 1] - levels_db[near + 2])])
        return float(centres_hz[steepest] + self._band_hz / 2)
