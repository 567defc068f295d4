"""Breaks in the waveform: samples that are missing, and clicks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.defects.chunks import Chunk, Spans, runs
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.values import Finding

__all__ = ["MARGIN_S", "InterruptionMeter"]

MARGIN_S = 0.33
"""How much of the recording this meter needs to see around a piece."""

_JOINED_S = 1.0

# One step of 16-bit audio.
_NOTHING = 3.1e-5
_SHORTEST_DROPOUT_S, _LONGEST_DROPOUT_S = 0.0015, 0.3
_LEAST_ZEROS = 12
_AROUND_S = 0.005
_LEAST_RMS_AROUND = 1e-3
# The sound on both sides of a dropout is at most this much weaker than in the second around it.
_LEAST_RELATIVE_RMS = 0.1
# Coarse steps, as of 8-bit audio, leave zeros in any quiet sound.
_LEAST_STEPS_AROUND = 6.0

_BIN_S = 0.0005
_NEAR_BINS, _FAR_BINS = 3, 40
_LEAST_RATIO = 8.0
_LEAST_JUMP = 0.004
_LEAST_RELATIVE_JUMP = 0.5
_CLICK_SAMPLES = 3
_LEAST_CONCENTRATION = 0.9
_QUIET_AROUND_CLICK_S = 0.0015


class InterruptionMeter:
    """Finds dropouts and clicks.

    A dropout is 1.5 to 300 ms of digital silence that begins or ends in the middle of sound. A click is a jump or a
    spike of a few samples that stands out of the 20 ms before and after it; clicks that ring on, such as those of lips,
    are none, nor is what hides in a hissing consonant. At 16 kHz only strong clicks can be told from speech.

    Parameters
    ----------
    rate_hz : int > 0
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._dropouts = Spans(round(_JOINED_S * rate_hz))
        self._clicks: list[tuple[int, float]] = []

    def push(self, chunk: Chunk) -> None:
        """Take the next piece of a recording, with `MARGIN_S` around it."""
        dropouts: list[tuple[int, int]] = []
        clicks: list[tuple[int, float]] = []
        for channel in chunk.samples.T:
            samples = np.ascontiguousarray(channel)
            holes = _holes(samples, self._rate_hz)
            dropouts += [hole for hole in holes if chunk.before <= hole[0] < chunk.before + chunk.own]
            clicks += self._find_clicks(samples, chunk, holes)
        offset = chunk.first - chunk.before
        for start, end in sorted(dropouts):
            self._dropouts.add(start + offset, end + offset)
        self._clicks += [(at + offset, jump) for at, jump in sorted(clicks)]

    def findings(self, *, speech_rms: float) -> list[Finding]:
        """Return what was found; call it once, after the last piece.

        Parameters
        ----------
        speech_rms : float
            How loud the speech is, or the sound where there is none: what is far weaker is no click.
        """
        clicks = Spans(round(_JOINED_S * self._rate_hz))
        for at, jump in self._clicks:
            if jump >= _LEAST_RELATIVE_JUMP * speech_rms:
                clicks.add(at, at + 1)
        return [
            finding(
                kind,
                start_s=span.start / self._rate_hz,
                end_s=span.end / self._rate_hz,
                affected_s=span.affected / self._rate_hz,
                details={"count": span.count},
            )
            for kind, spans in (("dropouts", self._dropouts), ("clicks", clicks))
            for span in spans.spans
        ]

    def _find_clicks(self, samples: Samples, chunk: Chunk, holes: Sequence[tuple[int, int]]) -> list[tuple[int, float]]:
        """Return place and size of the clicks in the piece's own samples."""
        length = max(4, round(_BIN_S * self._rate_hz))
        margin = (_FAR_BINS + 1) * length
        start = max(0, chunk.before - margin)
        end = min(len(samples), chunk.before + chunk.own + margin)
        jumps = np.abs(np.diff(samples[start:end], 2))
        bins = len(jumps) // length
        if bins <= 2 * _FAR_BINS:
            return []
        peaks = np.max(jumps[: bins * length].reshape(bins, length), axis=1)
        strong = np.flatnonzero(peaks >= _LEAST_JUMP)
        strong = strong[(strong >= _FAR_BINS) & (strong < bins - _FAR_BINS)]
        around = np.array([*range(-_FAR_BINS, -_NEAR_BINS + 1), *range(_NEAR_BINS, _FAR_BINS + 1)])
        # The nearest neighbours rule out most bins at little cost.
        nearest = np.maximum(peaks[strong - _NEAR_BINS], peaks[strong + _NEAR_BINS])
        strong = strong[peaks[strong] >= _LEAST_RATIO * nearest]
        found = strong[peaks[strong] >= _LEAST_RATIO * np.max(peaks[strong[:, None] + around], axis=1, initial=0.0)]
        clicks = []
        reach = round(_QUIET_AROUND_CLICK_S * self._rate_hz)
        for index in found:
            centre = index * length + int(np.argmax(jumps[index * length : (index + 1) * length]))
            near = jumps[max(0, centre - reach) : centre + reach + 1].astype(np.float64) ** 2
            middle = min(centre, reach)
            core = near[max(0, middle - _CLICK_SAMPLES) : middle + _CLICK_SAMPLES + 1]
            at = start + centre + 1
            if (
                np.max(near) == near[middle]
                and np.sum(core) >= _LEAST_CONCENTRATION * np.sum(near)
                and chunk.before <= at < chunk.before + chunk.own
                and not any(first - reach <= at <= last + reach for first, last in holes)
            ):
                clicks.append((at, float(jumps[centre])))
        return clicks


def _holes(samples: Samples, rate_hz: int) -> list[tuple[int, int]]:
    """Starts and ends of stretches of digital silence with sound right before and behind them."""
    nothing = np.abs(samples) <= _NOTHING
    if not np.any(nothing):
        return []
    starts, ends = runs(nothing)
    lengths = ends - starts
    reach = round(_AROUND_S * rate_hz)
    fits = (
        (lengths >= max(_LEAST_ZEROS, round(_SHORTEST_DROPOUT_S * rate_hz)))
        & (lengths <= round(_LONGEST_DROPOUT_S * rate_hz))
        & (starts >= reach)
        & (ends <= len(samples) - reach)
    )
    result = []
    for start, end in zip(starts[fits].tolist(), ends[fits].tolist(), strict=True):
        before, behind = _rms(samples[start - reach : start]), _rms(samples[end : end + reach])
        around = samples[max(0, start - rate_hz // 2) : end + rate_hz // 2]
        heights = np.abs(around)
        step = float(np.min(heights[heights > _NOTHING], initial=1.0))
        least = max(_LEAST_RMS_AROUND, _LEAST_RELATIVE_RMS * _rms(around), _LEAST_STEPS_AROUND * step)
        if min(before, behind) >= least:
            result.append((start, end))
    return result


def _rms(samples: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))
