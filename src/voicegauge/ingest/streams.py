"""What the decoders share."""

from __future__ import annotations

from typing import Protocol

from voicegauge.assessment.recording import Blocks

__all__ = ["DecodingError", "Stream", "block_frames"]

_BLOCK_FRAMES = 65_536
_BLOCK_SAMPLES = 1 << 20


class DecodingError(Exception):
    """The decoder cannot begin, or cannot go on."""


class Stream(Protocol):
    """An open decoder."""

    rate_hz: int
    channels: int

    def blocks(self) -> Blocks:
        """Give what can be decoded, then end, or raise DecodingError."""
        ...


def block_frames(rate_hz: int, channels: int) -> int:
    """Return how many frames are decoded at a time: 1 s, 65,536 frames or 4 MiB, whichever is least."""
    return max(1, min(rate_hz, _BLOCK_FRAMES, _BLOCK_SAMPLES // max(1, channels)))
