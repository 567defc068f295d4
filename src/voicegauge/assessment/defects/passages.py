"""Passages that differ from the rest of the recording: louder or quieter, faster or slower, worse to listen to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicegauge.assessment.defects.chunks import runs
from voicegauge.assessment.defects.course import HOP_S, Course
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.reverb import ReverbPassage
from voicegauge.assessment.speaking_rate import RatePassage
from voicegauge.assessment.values import Finding

__all__ = ["dnsmos_valleys", "level_jumps", "low_level", "rate_off", "reverberant_passages"]

_LOW_LEVEL_DB = -40.0

_STRETCH_S = 0.5
_SIDE_STRETCHES = 8
_LEAST_JUMP_DB = 8.0
_LEAST_JUMP_SPREADS = 2.5

_LEAST_RATE_PASSAGES = 5
_SLOW, _FAST = 0.75, 1.3

_LEAST_REVERB_PASSAGES = 4
_ECHOING_C50_DB, _ECHOING_BELOW_DB = 20.0, 12.0

_ROW_WINDOW_S = 9.01
_LEAST_ROWS = 6
_VALLEY_MOS, _VALLEY_BELOW_MOS = 2.9, 0.5


def low_level(course: Course) -> list[Finding]:
    """Speech of under -40 dBFS in the whole recording."""
    if course.speech_db is None or course.speech_db >= _LOW_LEVEL_DB:
        return []
    return [finding("low_level", details={"level_db": course.speech_db})]


def level_jumps(course: Course) -> list[Finding]:
    """Places where the voice becomes 8 dB louder or quieter and stays so for 4 s of speech and more."""
    spoken = np.flatnonzero(course.speech)
    size = round(_STRETCH_S / HOP_S)
    count = len(spoken) // size
    if count < 2 * _SIDE_STRETCHES:
        return []
    powers = 10 ** (course.levels_db[spoken[: count * size]] / 10)
    levels_db = 10 * np.log10(np.mean(powers.reshape(count, size), axis=1))
    views = np.lib.stride_tricks.sliding_window_view(levels_db, _SIDE_STRETCHES)
    sides_db = np.median(views, axis=1)
    spreads_db = np.median(np.abs(views - sides_db[:, None]), axis=1) * 1.4826
    jumps_db = sides_db[_SIDE_STRETCHES:] - sides_db[:-_SIDE_STRETCHES]
    means_db = np.mean(views, axis=1)
    mean_jumps_db = means_db[_SIDE_STRETCHES:] - means_db[:-_SIDE_STRETCHES]
    spread_db = np.maximum(spreads_db[_SIDE_STRETCHES:], spreads_db[:-_SIDE_STRETCHES])
    large = np.abs(jumps_db) >= np.maximum(_LEAST_JUMP_DB, _LEAST_JUMP_SPREADS * spread_db)
    found = []
    for start, end in zip(*runs(large), strict=True):
        # Medians tell whether there is a jump, means change most where it is.
        best = int(start + np.argmax(np.abs(mean_jumps_db[start:end])))
        first = (best + _SIDE_STRETCHES) * size
        found.append(
            finding(
                "level_jump",
                variant="louder" if jumps_db[best] > 0 else "quieter",
                start_s=float(spoken[first - 1] + 1) * HOP_S,
                end_s=float(spoken[min(first + size, len(spoken)) - 1] + 1) * HOP_S,
                details={"jump_db": float(jumps_db[best])},
            )
        )
    return found


def rate_off(passages: Sequence[RatePassage]) -> list[Finding]:
    """Passages that are spoken 1.3 times as fast as the median of the recording, or 0.75 times.

    Needs five passages, so 36 s of speech, and no transcript, which leaves nothing to count in passages.
    """
    if len(passages) < _LEAST_RATE_PASSAGES:
        return []
    rates = np.array([passage.syllables_per_s for passage in passages])
    relative = rates / max(float(np.median(rates)), 1e-9)
    found = []
    for variant, mask in (("slower", relative <= _SLOW), ("faster", relative >= _FAST)):
        for start, end in zip(*runs(mask), strict=True):
            start_s, end_s = passages[start].start_s, passages[end - 1].end_s
            found.append(
                finding(
                    "rate_off",
                    variant=variant,
                    start_s=start_s,
                    end_s=end_s,
                    affected_s=end_s - start_s,
                    details={"relative_rate": float(np.mean(relative[start:end]))},
                )
            )
    return found


def dnsmos_valleys(rows: Sequence[tuple[float, float, float, float]], *, duration_s: float) -> list[Finding]:
    """Passages whose overall DNSMOS score is under 2.9 and half a point under the recording's median.

    Needs six windows, so 14 s. A window is 9 s long, so the place is known to some seconds.
    """
    if len(rows) < _LEAST_ROWS:
        return []
    scores = np.array([ovrl for _, _, _, ovrl in rows])
    low = (scores <= _VALLEY_MOS) & (scores <= np.median(scores) - _VALLEY_BELOW_MOS)
    found = []
    for start, end in zip(*runs(low), strict=True):
        # A short disturbance lowers every window it lies in, a long one those that lie in it by half.
        start_s, end_s = rows[start][0] + _ROW_WINDOW_S / 2 - 0.5, rows[end - 1][0] + _ROW_WINDOW_S / 2 + 0.5
        found.append(
            finding(
                "dnsmos_valley",
                start_s=0.0 if start == 0 else start_s,
                end_s=duration_s if end == len(rows) else min(end_s, duration_s),
                details={"lowest_mos": float(np.min(scores[start:end])), "median_mos": float(np.median(scores))},
            )
        )
    return found


def reverberant_passages(passages: Sequence[ReverbPassage]) -> list[Finding]:
    """Passages with a C50 under 20 dB that is 12 dB under the median of the recording.

    Needs four passages, so 35 s. A passage is 10 s long, so the place is known to some seconds; what echoes from the
    first word to the last is for the verdict on the whole.
    """
    if len(passages) < _LEAST_REVERB_PASSAGES:
        return []
    c50_db = np.array([passage.c50_db for passage in passages])
    median_db = float(np.median(c50_db))
    low = (c50_db <= _ECHOING_C50_DB) & (c50_db <= median_db - _ECHOING_BELOW_DB)
    return [
        finding(
            "reverberant_passage",
            start_s=passages[start].start_s,
            end_s=passages[end - 1].end_s,
            details={"c50_db": float(np.mean(c50_db[start:end])), "median_c50_db": median_db},
        )
        for start, end in zip(*runs(low), strict=True)
    ]
