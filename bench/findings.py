"""What finding defects costs, and whether their times drift, over three hours at 48 kHz.

    python bench/findings.py [--hours H]

A made-up voice with a dropout, a click and a clipped stretch at known samples in every twentieth minute is streamed,
never held as a whole. Only the findings are measured: where there is speech is given.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.activity import Activity, Segment
from voicegauge.assessment.defects import DefectMeter

RATE_HZ = 48_000
DROPOUT_AT, CLICK_AT, CLIPPED_AT = 12 * RATE_HZ + 17_001, 25 * RATE_HZ + 9_000, 40 * RATE_HZ
DROPOUT_SAMPLES = 700


def minute_of_voice() -> npt.NDArray[np.float32]:
    """A buzz with syllables and a faint hiss, 48 kHz, one minute."""
    rng = np.random.default_rng(1)
    times_s = np.arange(60 * RATE_HZ) / RATE_HZ
    pitch_hz = 120 + 15 * np.sin(2 * np.pi * 0.3 * times_s)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    buzz = np.zeros(len(times_s))
    for harmonic in range(1, 20):
        buzz += np.sin(harmonic * phase + harmonic**2) / harmonic
    voice = 0.1 * buzz * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * times_s)) + 0.003 * rng.standard_normal(len(times_s))
    return voice.astype(np.float32)


def spoiled(minute: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    result = minute.copy()
    result[DROPOUT_AT : DROPOUT_AT + DROPOUT_SAMPLES] = 0
    result[CLICK_AT] += 0.8
    stretch = slice(CLIPPED_AT, CLIPPED_AT + RATE_HZ)
    result[stretch] = np.clip(result[stretch] * 6, -0.99, 0.99)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=3.0)
    minutes = round(parser.parse_args().hours * 60)
    clean = minute_of_voice()
    bad = spoiled(clean)
    third = clean[::3]
    meter = DefectMeter(RATE_HZ, 1)
    before_mb, started_s = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, time.process_time()
    for minute in range(minutes):
        block = bad if minute % 20 == 19 else clean
        for start in range(0, len(block), RATE_HZ):
            meter.push_native(block[start : start + RATE_HZ, None])
    meter.finish_native()
    for _ in range(minutes):
        for start in range(0, len(third), 16_000):
            meter.push(third[start : start + 16_000])
    duration_s = 60.0 * minutes
    segments = tuple(Segment(6.0 * index + 0.5, 6.0 * index + 5.0) for index in range(10 * minutes))
    findings, _ = meter.result(Activity(duration_s, segments, 4.5 * len(segments)), gain=1.0)
    spent_s = time.process_time() - started_s
    after_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{minutes / 60:.2f} h: {spent_s / duration_s:.5f} s of processor a second, {after_mb - before_mb:.0f} MB more"
    )
    for kind, at in (("dropouts", DROPOUT_AT), ("clicks", CLICK_AT), ("clipping", CLIPPED_AT)):
        starts_s = [item.start_s for item in findings if item.kind == kind and item.start_s is not None]
        offsets = [round(start_s * RATE_HZ) - at for start_s in starts_s]
        drifts = [offset % (60 * RATE_HZ) for offset in offsets]
        print(f"{kind:10s} found {len(starts_s):4d}, samples behind the true place: {sorted(set(drifts))[:6]}")


if __name__ == "__main__":
    main()
