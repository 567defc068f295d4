"""Uploads that are real and small, so that a verdict costs little."""

from __future__ import annotations

import io
import os
import zipfile
from functools import cache
from pathlib import Path

import soundfile

SAMPLE = Path(__file__).parents[2] / "samples" / "en" / "clean" / "hills.flac"
SECONDS = 2.0


@cache
def small_upload(recordings: int = 1, *, padding_bytes: int = 0) -> bytes:
    """Return a zip of so many recordings of 2 s, and of a file that is nothing but large where that is wanted."""
    samples, rate_hz = soundfile.read(SAMPLE, frames=int(SECONDS * soundfile.info(SAMPLE).samplerate))
    take = io.BytesIO()
    soundfile.write(take, samples, rate_hz, format="FLAC")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for number in range(recordings):
            packed.writestr(f"take-{number}.flac", take.getvalue())
        if padding_bytes:
            packed.writestr("notes.bin", os.urandom(padding_bytes))
    return archive.getvalue()
