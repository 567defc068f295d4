"""Tops of the waveform that were cut off."""

from __future__ import annotations

import numpy as np

from voicegauge.assessment.defects.chunks import Chunk, Spans, runs
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.recording import Samples
from voicegauge.assessment.values import Finding

__all__ = ["ClippingMeter"]

_JOINED_S = 0.5
_LOWEST_PEAK = 0.02

# Of the samples in the uppermost 2 %, a sine has 32 % in the uppermost 0.2 % and speech fewer, since its peaks differ.
_TOP, _NEAR_TOP = 0.998, 0.98
_LEAST_SHARE = 0.5
_LEAST_SAMPLES = 8
_LEAST_RUN = 2
_LEAST_RUNS_IN_PIECE = 2
_LEAST_RUNS = 5

# With steps coarser than this part of the peak, as in 8-bit audio, samples pile up at the top by themselves.
_COARSEST_STEP = 0.001
_STEPS = 2048


class ClippingMeter:
    """Finds flat tops: many samples at the very peak of a second of sound, and hardly any just below it.

    Works at any level, so clipping is found after the gain was turned down too, but not after lossy coding or filtering
    has rounded the tops. Both polarities are examined apart. Fewer than five flat tops in all are not reported, and
    steps as coarse as those of 8-bit audio are not examined.

    Parameters
    ----------
    rate_hz : int > 0
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._spans = Spans(round(_JOINED_S * rate_hz))

    def push(self, chunk: Chunk) -> None:
        """Take the next piece of a recording."""
        own = chunk.samples[chunk.before : chunk.before + chunk.own]
        events: list[tuple[int, int]] = []
        for channel in own.T:
            # An offset would bring quiet sound close to its own peak.
            samples = channel - np.mean(channel, dtype=np.float64).astype(np.float32)
            events += _flat_tops(samples)
            events += _flat_tops(-samples)
        for start, end in sorted(events):
            self._spans.add(chunk.first + start, chunk.first + end)

    def findings(self) -> list[Finding]:
        """Return what was found; call it once, after the last piece."""
        if self._spans.count < _LEAST_RUNS:
            return []
        return [
            finding(
                "clipping",
                start_s=span.start / self._rate_hz,
                end_s=span.end / self._rate_hz,
                affected_s=span.affected / self._rate_hz,
                details={"count": span.count},
            )
            for span in self._spans.spans
        ]


def _flat_tops(samples: Samples) -> list[tuple[int, int]]:
    peak = np.max(samples, initial=0.0)
    if peak < _LOWEST_PEAK:
        return []
    near = np.flatnonzero(samples >= _NEAR_TOP * peak)
    values = samples[near]
    top = values >= _TOP * peak
    count = int(np.count_nonzero(top))
    if count < _LEAST_SAMPLES or count < _LEAST_SHARE * len(near):
        return []
    steps = np.abs(np.diff(samples[max(0, near[0] - _STEPS) : near[0] + _STEPS]))
    if np.min(steps[steps > 0], initial=peak) > _COARSEST_STEP * peak:
        return []
    mask = np.zeros(len(samples), dtype=np.bool_)
    mask[near[top]] = True
    starts, ends = runs(mask)
    long = ends - starts >= _LEAST_RUN
    if np.count_nonzero(long) < _LEAST_RUNS_IN_PIECE:
        return []
    return list(zip(starts[long].tolist(), ends[long].tolist(), strict=True))
