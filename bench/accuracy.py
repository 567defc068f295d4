"""Accuracy of the measurements on recordings degraded with known truth.

    python bench/accuracy.py RECORDINGS [--quick] [--metrics snr,loudness,...] [--jobs N] [--json OUT] [--gate]

RECORDINGS is a folder with a `run.py` that makes the degraded recordings, hands each to `measure_file` below and prints
the table; further options go to it. Nothing here is scored with DNSMOS, so its network is left out.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from voicegauge.assessment.assess import measure
from voicegauge.assessment.ports import VoiceActivityNetwork
from voicegauge.assessment.recording import Recording, Samples
from voicegauge.assessment.values import Language, Property
from voicegauge.models import load_models


class NoDnsmos:
    """Scores nothing and costs nothing."""

    def __init__(self) -> None:
        self._samples = 0

    def open_stream(self) -> NoDnsmos:
        return NoDnsmos()

    def push(self, samples: Samples) -> None:
        self._samples += len(samples)

    def finish(self) -> npt.NDArray[np.float32]:
        return np.ones((max(1, self._samples // 16_000 - 8), 3), dtype=np.float32)


class ModelsButDnsmos:
    """Implements `voicegauge.assessment.ports.Models`."""

    def __init__(self) -> None:
        self.voice_activity: VoiceActivityNetwork = load_models().voice_activity
        self.dnsmos = NoDnsmos()


_models: list[ModelsButDnsmos] = []


def recording_from_wav(path: str, transcript: str | None = None) -> Recording:
    """Read a WAV one second at a time."""
    info = soundfile.info(path)

    def open_blocks() -> Iterator[Samples]:
        yield from soundfile.blocks(path, blocksize=info.samplerate, dtype="float32", always_2d=True)

    return Recording(path, info.samplerate, info.channels, open_blocks, transcript)


def measure_file(path: str, language: Language, transcript: str | None) -> dict[str, Any]:
    """Answer one recording in the keys of `run.py`; the speaking rate in syllables a minute."""
    if not _models:
        _models.append(ModelsButDnsmos())
    measured = measure(recording_from_wav(path, transcript), language=language, models=_models[0])
    result = measured.measurements
    rate = result[Property.SPEAKING_RATE]
    return {
        "snr": result[Property.SNR].value,
        "reverb": result[Property.REVERB].value,
        "speed": rate.value if language == "CN" else rate.details.get("syllables_per_min"),
        "loudness": result[Property.LOUDNESS].value,
        "defects": sorted({finding.kind for finding in measured.findings}),
    }


def main() -> None:
    if len(sys.argv) < 2 or not (Path(sys.argv[1]) / "run.py").is_file():
        sys.exit(__doc__)
    run = Path(sys.argv[1]) / "run.py"
    sys.argv = [str(run), "--callable", "accuracy:measure_file", "--path", str(Path(__file__).parent), *sys.argv[2:]]
    runpy.run_path(str(run), run_name="__main__")


if __name__ == "__main__":
    main()
