"""Uploads that are real and small, so that a verdict costs little."""

from __future__ import annotations

import io
import zipfile
from functools import cache
from pathlib import Path

import soundfile

SAMPLE = Path(__file__).parents[2] / "samples" / "en" / "clean" / "hills.flac"


@cache
def small_upload(seconds: float = 2.0, recordings: int = 1) -> bytes:
    """Return a zip of so many recordings, each the beginning of a sample."""
    samples, rate_hz = soundfile.read(SAMPLE, frames=int(seconds * soundfile.info(SAMPLE).samplerate))
    take = io.BytesIO()
    soundfile.write(take, samples, rate_hz, format="FLAC")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(recordings):
            packed.writestr(f"take-{number}.flac", take.getvalue())
    return archive.getvalue()
