"""Grouping small recordings, so that a chunk of a job is worth seconds of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Chunk", "group"]


@dataclass(frozen=True)
class Chunk:
    """Neighbouring recordings that are measured as one task."""

    names: tuple[str, ...]
    cpu_s: float


def group(recordings: Sequence[tuple[str, float]], *, target_cpu_s: float) -> list[Chunk]:
    """Cut recordings, each a name and its processor seconds, into chunks of up to `target_cpu_s`, in order.

    A chunk grows beyond the target only where a single recording does.
    """
    chunks: list[Chunk] = []
    names: list[str] = []
    cpu_s = 0.0
    for name, recording_cpu_s in recordings:
        if names and cpu_s + recording_cpu_s > target_cpu_s:
            chunks.append(Chunk(tuple(names), cpu_s))
            names, cpu_s = [], 0.0
        names.append(name)
        cpu_s += recording_cpu_s
    if names:
        chunks.append(Chunk(tuple(names), cpu_s))
    return chunks
