"""Pieces of fixed length, whatever the blocks, and spans of time that are kept short."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples

__all__ = ["Chunk", "Chunks", "Span", "Spans", "runs"]


@dataclass(frozen=True)
class Chunk:
    """A piece of the recording with what lies around it.

    Attributes
    ----------
    samples : float32 array, shape (before + own + after, channels)
    first : int
        Number of the piece's own first sample in the recording.
    before, own, after : int
        How many samples lie before the piece, in it and behind it; fewer around the ends of the recording.
    """

    samples: Samples
    first: int
    before: int
    own: int
    after: int


class Chunks:
    """Cuts a recording that comes in blocks of any length into pieces of one length, so that results are the same.

    Parameters
    ----------
    length : int >= 1
        Of each piece but the last, in samples.
    margin : int >= 0
        How many samples around each piece are handed out with it.
    channels : int >= 1
    """

    def __init__(self, length: int, margin: int, channels: int) -> None:
        self._length = length
        self._margin = margin
        self._held: list[Samples] = [np.zeros((0, channels), dtype=np.float32)]
        self._held_samples = 0
        self._before = 0
        self._first = 0

    def push(self, block: Samples) -> Iterator[Chunk]:
        """Take the next samples, shape (n, channels); give the pieces that are complete with their margins."""
        self._held.append(block)
        self._held_samples += len(block)
        while self._held_samples >= self._before + self._length + self._margin:
            yield self._next(self._length)

    def finish(self) -> Iterator[Chunk]:
        """Give the pieces that are left."""
        while self._held_samples > self._before:
            yield self._next(min(self._length, self._held_samples - self._before))

    def _next(self, own: int) -> Chunk:
        signal = self._held[0] if len(self._held) == 1 else np.concatenate(self._held)
        end = min(self._before + own + self._margin, len(signal))
        chunk = Chunk(signal[:end], self._first, self._before, own, end - self._before - own)
        dropped = max(0, self._before + own - self._margin)
        self._held, self._held_samples = [signal[dropped:]], len(signal) - dropped
        self._before += own - dropped
        self._first += own
        return chunk


def runs(mask: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the starts and ends (exclusive) of the runs of True, shape (n,) each."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return edges[::2], edges[1::2]


@dataclass
class Span:
    """Events that lie close together.

    Attributes
    ----------
    start, end : int
        In samples; `end` is exclusive.
    count : int
        How many events.
    affected : int
        Samples inside events.
    """

    start: int
    end: int
    count: int
    affected: int


class Spans:
    """Joins events that lie close together while they come, so that thousands of them stay a few.

    Parameters
    ----------
    gap : int
        Events that are at most this many samples apart are joined.
    """

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self.spans: list[Span] = []

    def add(self, start: int, end: int) -> None:
        """Take the next event; events come in the order of their starts, but for those within one chunk."""
        if self.spans and start - self.spans[-1].end <= self._gap:
            last = self.spans[-1]
            last.start = min(last.start, start)
            last.affected += max(0, end - max(start, last.end)) if start < last.end else end - start
            last.end = max(last.end, end)
            last.count += 1
        else:
            self.spans.append(Span(start, end, 1, end - start))

    @property
    def count(self) -> int:
        """How many events there were."""
        return sum(span.count for span in self.spans)
