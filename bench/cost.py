"""What an assessment costs, DNSMOS left out: processor time a second of audio, and memory.

    python bench/cost.py RECORDING [--hours H]

RECORDING, any file libsndfile reads, is repeated until it fills H hours (3 when not given) of a 48 kHz, 16-bit WAV in a
temporary folder. Run it with OMP_NUM_THREADS=1 on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile
import soxr

from accuracy import ModelsButDnsmos, recording_from_wav
from voicegauge.assessment.assess import measure

RATE_HZ = 48_000


def write_long(source: Path, target: Path, seconds: float) -> None:
    samples, rate_hz = soundfile.read(source, dtype="float32", always_2d=True)
    take = (np.mean(soxr.resample(samples, rate_hz, RATE_HZ), axis=1) * 32_767).astype(np.int16)
    with soundfile.SoundFile(target, "w", RATE_HZ, 1, "PCM_16") as wav:
        while wav.frames < seconds * RATE_HZ:
            wav.write(take)


def read_and_resample(path: Path) -> None:
    resampler = soxr.ResampleStream(RATE_HZ, 16_000, 1, dtype="float32")
    for block in soundfile.blocks(path, blocksize=RATE_HZ, dtype="float32"):
        resampler.resample_chunk(block)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording", type=Path)
    parser.add_argument("--hours", type=float, default=3.0)
    arguments = parser.parse_args()
    models = ModelsButDnsmos()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "long.wav"
        write_long(arguments.recording, path, arguments.hours * 3600)
        before_mb, started_s = peak_mb(), time.process_time()
        read_and_resample(path)
        reading_s, started_s = time.process_time() - started_s, time.process_time()
        result = measure(recording_from_wav(str(path)), language="EN", models=models)
        measuring_s = time.process_time() - started_s
    duration_s = result.duration_s or 0.0
    print(f"{duration_s / 3600:.2f} h at {RATE_HZ} Hz")
    print(f"processor time    {measuring_s / duration_s:.4f} s a second of audio")
    print(f"                  {measuring_s / reading_s:.0f} times reading and resampling")
    print(f"peak memory       {peak_mb():.0f} MB, of which {before_mb:.0f} MB before measuring")
    for prop, measurement in result.measurements.items():
        print(f"  {prop.value:16s}{measurement.value} {measurement.unit.value}")


if __name__ == "__main__":
    main()
