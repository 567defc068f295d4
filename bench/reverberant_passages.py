"""How well passages that echo are told from those that do not: 20 s of a minute of dry speech put into a room.

    python bench/reverberant_passages.py RECORDINGS

RECORDINGS holds `train/*.flac`, dry speech at 16 kHz, and `clips/rirs.npz`, impulse responses of rooms at 16 kHz.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.defects.passages import reverberant_passages
from voicegauge.assessment.reverb import ReverbMeter
from voicegauge.assessment.values import Finding

RATE_HZ = 16_000
CLIPS = 6
TRIALS = 60
PASSAGE_S = 20
FFT = 1 << 20

Signal = npt.NDArray[np.float64]


def found_in(signal: Signal) -> list[Finding]:
    meter = ReverbMeter()
    for start in range(0, len(signal), RATE_HZ):
        meter.push(signal[start : start + RATE_HZ].astype(np.float32))
    duration_s = len(signal) / RATE_HZ
    return reverberant_passages(meter.passages(Activity(duration_s, (Segment(0.0, duration_s),), duration_s)))


def in_room(signal: Signal, response: Signal, start: int) -> Signal:
    """Put a passage into a room, as loud as before, and a faint noise under it all."""
    end, direct = start + PASSAGE_S * RATE_HZ, int(np.argmax(np.abs(response)))
    dry = signal[start:end]
    wet = np.fft.irfft(np.fft.rfft(dry, FFT) * np.fft.rfft(response, FFT), FFT)[direct : direct + len(dry)]
    whole = signal + 1e-5 * np.random.default_rng(start).standard_normal(len(signal))
    whole[start:end] = wet * np.sqrt(np.mean(dry**2) / np.mean(wet**2))
    return whole


def c50_db(response: Signal) -> float:
    direct = int(np.argmax(np.abs(response)))
    early, late = np.sum(response[direct : direct + 800] ** 2), np.sum(response[direct + 800 :] ** 2)
    return float(10 * np.log10(early / max(late, 1e-12)))


def main() -> None:
    folder = Path(sys.argv[1])
    clips = [soundfile.read(path)[0] for path in sorted((folder / "train").glob("*.flac"))]
    rooms = [np.ravel(room).astype(float) for room in np.load(folder / "clips" / "rirs.npz").values()]
    chance = np.random.default_rng(1)
    minutes = [
        np.concatenate([clip / np.max(np.abs(clip)) / 2 for clip in clips[first : first + CLIPS]])
        for first in range(0, len(clips) - CLIPS + 1, CLIPS)
    ]
    print(f"dry minutes with a finding: {sum(bool(found_in(minute)) for minute in minutes)} of {len(minutes)}")
    there, all_, elsewhere = Counter[str](), Counter[str](), 0
    for _ in range(TRIALS):
        minute, room = minutes[chance.integers(len(minutes))], rooms[chance.integers(len(rooms))]
        start = int(chance.integers(RATE_HZ, len(minute) - (PASSAGE_S + 1) * RATE_HZ))
        start_s, end_s = start / RATE_HZ, start / RATE_HZ + PASSAGE_S
        hits = [
            item.start_s is not None and item.end_s is not None and item.start_s < end_s and item.end_s > start_s
            for item in found_in(in_room(minute, room, start))
        ]
        clarity_db = c50_db(room)
        kind = "under 15 dB" if clarity_db < 15 else "15 to 25 dB" if clarity_db < 25 else "drier"
        all_[kind] += 1
        there[kind] += any(hits)
        elsewhere += not all(hits)
    for kind in sorted(all_):
        print(f"C50 {kind}: found {there[kind]} of {all_[kind]}")
    print(f"with a finding elsewhere: {elsewhere} of {TRIALS}")


if __name__ == "__main__":
    main()
