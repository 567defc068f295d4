"""What is wrong with the channels as such: offsets, silent and inverted ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.defects.chunks import Chunk
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.values import Finding

__all__ = ["ChannelMeter"]

_SHORTEST_S = 0.5
_LEAST_OFFSET, _LEAST_RELATIVE_OFFSET = 0.005, 0.05
_MEDIAN_STEP = 7
_DEAD_DB = -50.0
_LEAST_RMS = 1e-4
_INVERTED = -0.9


class ChannelMeter:
    """Finds a constant offset, channels without sound beside one with sound, and channels of opposite polarity.

    A recording of less than 0.5 s gives no findings.

    Parameters
    ----------
    rate_hz : int > 0
    channels : int >= 1
    """

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate_hz = rate_hz
        self._samples = 0
        self._sums = np.zeros(channels)
        self._medians: list[npt.NDArray[np.float32]] = []
        self._products = np.zeros((channels, channels))

    def push(self, chunk: Chunk) -> None:
        """Take the next piece of a recording."""
        own = chunk.samples[chunk.before : chunk.before + chunk.own]
        self._samples += len(own)
        self._sums += np.sum(own, axis=0, dtype=np.float64)
        self._medians.append(np.median(own[::_MEDIAN_STEP], axis=0))
        if own.shape[1] == 1:
            self._products[0, 0] += float(np.dot(own[:, 0], own[:, 0]))
        else:
            self._products += own.T @ own

    def findings(self) -> list[Finding]:
        """Return what was found; call it once, after the last piece."""
        if self._samples < _SHORTEST_S * self._rate_hz:
            return []
        means = self._sums / self._samples
        covariance = self._products / self._samples - np.outer(means, means)
        rms = np.sqrt(np.maximum(np.diagonal(covariance), 0))
        found = []
        # Speech is lopsided, the more when it is clipped, and moves the mean; it hardly moves the median.
        medians = np.median(np.array(self._medians), axis=0)
        offsets = np.where(means * medians > 0, np.sign(means) * np.minimum(np.abs(means), np.abs(medians)), 0.0)
        widest = int(np.argmax(np.abs(offsets)))
        offset = float(offsets[widest])
        if abs(offset) > max(_LEAST_OFFSET, _LEAST_RELATIVE_OFFSET * rms[widest]):
            found.append(finding("dc_offset", details={"percent_of_full_scale": 100 * offset}))
        loudest = int(np.argmax(rms))
        if rms[loudest] < _LEAST_RMS:
            return found
        dead = rms < rms[loudest] * 10 ** (_DEAD_DB / 20)
        if np.any(dead):
            found.append(
                finding("dead_channel", details={"channel": int(np.argmax(dead)) + 1, "count": int(np.sum(dead))})
            )
        correlation = covariance[loudest] / np.maximum(rms[loudest] * rms, 1e-12)
        inverted = ~dead & (correlation < _INVERTED)
        if np.any(inverted):
            found.append(
                finding(
                    "inverted_channel",
                    details={
                        "channel": int(np.argmax(inverted)) + 1,
                        "correlation": float(np.min(correlation[inverted])),
                    },
                )
            )
        return found
