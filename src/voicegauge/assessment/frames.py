"""Cutting a signal that comes in blocks into frames and bins, whatever the length of the blocks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples

__all__ = ["BinSums", "Frames", "Picker"]


class BinSums:
    """Sums over consecutive bins of equal, possibly fractional, length.

    Parameters
    ----------
    length : float >= 1
        In samples; bin i begins at sample round(i * length).
    """

    def __init__(self, length: float) -> None:
        self._length = length
        self._sums: list[npt.NDArray[np.float64]] = []
        self._bins = 0
        self._taken = 0
        self._open_sum = 0.0

    def push(self, values: npt.NDArray[np.floating]) -> None:
        """Take the next values, shape (n,), any n."""
        end = self._taken + len(values)
        ends = np.round(np.arange(self._bins + 1, int(end / self._length) + 2) * self._length).astype(np.int64)
        ends = ends[ends <= end]
        start = 0
        if len(ends):
            edges = np.concatenate(([0], ends - self._taken))
            sums = np.add.reduceat(values[: edges[-1]], edges[:-1], dtype=np.float64)
            sums[0] += self._open_sum
            self._open_sum = 0.0
            self._sums.append(sums)
            self._bins += len(ends)
            start = int(edges[-1])
        self._open_sum += float(np.sum(values[start:], dtype=np.float64))
        self._taken = end

    def values(self) -> npt.NDArray[np.float64]:
        """Return the sums of all complete bins, shape (bins,)."""
        return np.concatenate([np.zeros(0), *self._sums])


class Picker:
    """Keeps every `step`-th sample of a signal, beginning with number `first`."""

    def __init__(self, step: int, first: int) -> None:
        self._step = step
        self._next = first
        self._picked: list[Samples] = []

    def push(self, samples: Samples) -> None:
        """Take the next samples, shape (n,), any n."""
        picked = samples[self._next :: self._step].copy()
        self._next += len(picked) * self._step - len(samples)
        self._picked.append(picked)

    def values(self) -> Samples:
        """Return what was kept, shape (k,)."""
        return np.concatenate([np.zeros(0, dtype=np.float32), *self._picked])


class Frames:
    """Overlapping frames of a signal.

    Parameters
    ----------
    length, hop : int >= 1
        In samples.
    """

    def __init__(self, length: int, hop: int) -> None:
        self._length = length
        self._hop = hop
        self._rest = np.zeros(0, dtype=np.float32)

    def push(self, samples: Samples) -> Samples:
        """Take the next samples, shape (n,), any n; return the frames they complete, shape (frames, length)."""
        signal = np.concatenate([self._rest, samples])
        count = max(0, (len(signal) - self._length) // self._hop + 1)
        self._rest = signal[count * self._hop :]
        if not count:
            return np.zeros((0, self._length), dtype=np.float32)
        return np.lib.stride_tricks.sliding_window_view(signal, self._length)[:: self._hop][:count]
