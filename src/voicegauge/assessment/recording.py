"""What is assessed: a named stream of samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.values import Finding

__all__ = ["ANALYSIS_RATE_HZ", "Blocks", "Recording", "Samples", "recording_from_array"]

Samples: TypeAlias = npt.NDArray[np.float32]
"""Float32 samples, full scale 1.0; shape (n,) for one channel, (n, channels) in a recording's blocks."""

Blocks: TypeAlias = Iterator[Samples]

ANALYSIS_RATE_HZ = 16_000
"""Every measurement but loudness and true peak is made at this rate, on the mean of the channels."""


@dataclass(frozen=True)
class Recording:
    """One take, readable as often as needed, a block at a time.

    Memory is bounded by the block, not by the recording, so three hours cost no more than three minutes.

    Attributes
    ----------
    name : str
        How the result names it: the path inside the folder or archive, with forward slashes.
    rate_hz : int > 0
    channels : int > 0
    open_blocks : callable
        Starts a fresh pass over the samples: an iterator of float32 arrays of shape (n, channels), n >= 1, of any
        length, full scale 1.0. May raise :class:`~voicegauge.errors.RecordingError` in the middle of a damaged file.
    transcript : str or None
        What was read aloud, where it is known.
    findings : tuple of Finding
        What was noticed while the file was opened, such as a missing end.
    """

    name: str
    rate_hz: int
    channels: int
    open_blocks: Callable[[], Blocks]
    transcript: str | None = None
    findings: tuple[Finding, ...] = ()


def recording_from_array(
    samples: npt.NDArray[np.floating], rate_hz: int, *, name: str = "recording", transcript: str | None = None
) -> Recording:
    """Wrap samples that are already in memory.

    Parameters
    ----------
    samples : float array, shape (n,) or (n, channels), full scale 1.0
    rate_hz : int > 0
    """
    if samples.ndim not in (1, 2):
        raise ValueError(f"samples must have shape (n,) or (n, channels), not {samples.shape}")
    if rate_hz <= 0:
        raise ValueError(f"rate_hz must be positive, not {rate_hz}")
    table = np.ascontiguousarray(samples if samples.ndim == 2 else samples[:, None], dtype=np.float32)

    def open_blocks() -> Blocks:
        for start in range(0, len(table), rate_hz):
            yield table[start : start + rate_hz]

    return Recording(name, rate_hz, table.shape[1], open_blocks, transcript)
