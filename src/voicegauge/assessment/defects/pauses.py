"""What can be wrong where nothing is said: too long, not quiet, too quiet, or missing at the edges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from voicegauge.assessment.defects.chunks import Spans, runs
from voicegauge.assessment.defects.course import HOP_S, Course
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.values import Finding, Severity

__all__ = ["dead_air", "edges", "gated", "noise_bursts"]

_LONGEST_PAUSE_S = 3.5
# Where the pauses are hardly quieter than the speech, the speech detector cannot be relied on.
_LEAST_QUIET_DB = 6.0

_EDGE_S, _CUT_S = 0.1, 0.02
_UNCLEAN_DB, _CUT_DB = -15.0, -8.0
_EDGE_LEAST_S = 1.0
_QUIET_SHARE, _ABOVE_NOISE_DB = 0.1, 10.0

_BURST_ABOVE_NOISE_DB, _BURST_BELOW_SPEECH_DB = 20.0, 12.0
_LONGEST_BURST_S = 2.0
_BURSTS_JOINED_S = 0.5
_BURST_LEAST_PAUSE_S = 0.5
# Where this much of the pauses is loud, or the noise is this close to the speech, the speech detector missed speech.
_LARGEST_LOUD_SHARE, _BURST_LEAST_SNR_DB = 0.15, 25.0

_GATED_SHARE, _GATED_LEAST_S = 0.2, 0.3
# In speech that is weaker than this many steps of the samples, a quiet room is rounded to silence.
_LEAST_STEPS_OF_SPEECH = 300.0
_INCREDIBLE_SNR_DB = 75.0


def dead_air(course: Course) -> list[Finding]:
    """Stretches of 3.5 s and more without speech, at the beginning and the end too; none where nobody speaks."""
    found = []
    for start_s, end_s in _gaps(course):
        if end_s - start_s < _LONGEST_PAUSE_S or course.speech_db is None:
            continue
        levels_db = course.levels_db[round(start_s / HOP_S) : round(end_s / HOP_S)]
        if len(levels_db) and np.median(levels_db) < course.speech_db - _LEAST_QUIET_DB:
            found.append(finding("dead_air", start_s=start_s, end_s=end_s, affected_s=end_s - start_s))
    return found


def _gaps(course: Course) -> Iterator[tuple[float, float]]:
    segments = course.activity.segments
    if segments:
        ends_s = [0.0, *(segment.end_s for segment in segments)]
        starts_s = [*(segment.start_s for segment in segments), course.duration_s]
        yield from zip(ends_s, starts_s, strict=True)


def edges(course: Course) -> list[Finding]:
    """Sound in the first or last 100 ms, or speech that is cut off there. Needs speech, and 1 s in all."""
    if course.speech_db is None or course.duration_s < _EDGE_LEAST_S:
        return []
    # Where the noise is as loud as speech, pauses are not found as such.
    quiet_db = float(np.quantile(course.levels_db, _QUIET_SHARE))
    floor_db = max(quiet_db, quiet_db if course.noise_db is None else course.noise_db) + _ABOVE_NOISE_DB
    frames, cut_frames = round(_EDGE_S / HOP_S), round(_CUT_S / HOP_S)
    found = []
    for at_start, levels_db, start_s in (
        (True, course.levels_db[:frames], 0.0),
        (False, course.levels_db[::-1][:frames], course.duration_s - _EDGE_S),
    ):
        loudest_db = float(np.max(levels_db))
        if loudest_db < max(course.speech_db + _UNCLEAN_DB, floor_db):
            continue
        cut = float(np.max(levels_db[:cut_frames])) >= max(course.speech_db + _CUT_DB, floor_db)
        found.append(
            finding(
                "edges",
                variant=("start" if at_start else "end") + ("_cut" if cut else ""),
                severity=Severity.REJECT if cut else Severity.FIXABLE,
                start_s=start_s,
                end_s=start_s + _EDGE_S,
                affected_s=_EDGE_S,
                details={"below_speech_db": course.speech_db - loudest_db},
            )
        )
    return found


def noise_bursts(course: Course) -> list[Finding]:
    """Short loud noises in pauses: a door, a cough, something knocked over. Breaths are not loud enough.

    What falls together with speech is not found. Needs speech and 0.5 s of pause.
    """
    if course.speech_db is None or course.noise_db is None:
        return []
    if np.count_nonzero(course.pause) * HOP_S < _BURST_LEAST_PAUSE_S:
        return []
    if course.speech_db - course.noise_db < _BURST_LEAST_SNR_DB:
        return []
    threshold_db = max(course.noise_db + _BURST_ABOVE_NOISE_DB, course.speech_db - _BURST_BELOW_SPEECH_DB)
    loud = course.pause & (course.levels_db >= threshold_db)
    if np.count_nonzero(loud) > _LARGEST_LOUD_SHARE * np.count_nonzero(course.pause):
        return []
    spans = Spans(round(_BURSTS_JOINED_S / HOP_S))
    for start, end in zip(*runs(loud), strict=True):
        if (end - start) * HOP_S <= _LONGEST_BURST_S:
            spans.add(int(start), int(end))
    return [
        finding(
            "noise_burst",
            start_s=span.start * HOP_S,
            end_s=min(span.end * HOP_S, course.duration_s),
            affected_s=span.affected * HOP_S,
            details={
                "count": span.count,
                "below_speech_db": course.speech_db - float(np.max(course.levels_db[span.start : span.end])),
            },
        )
        for span in spans.spans
    ]


def gated(course: Course) -> list[Finding]:
    """Pauses that hold no sound at all, as a noise gate, a denoiser or lossy coding leaves them.

    Reported when a fifth of the pauses is digital silence in speech loud enough for the room to be heard, or when what
    is left in them lies 75 dB and more under the speech, which no microphone in a room delivers. A gate or denoiser
    that leaves some noise is not noticed.
    """
    if course.speech_db is None:
        return []
    silent = course.silent & course.pause
    silent_s, pause_s = (float(np.count_nonzero(mask)) * HOP_S for mask in (silent, course.pause))
    fine = 10 ** (course.speech_db / 20) >= _LEAST_STEPS_OF_SPEECH * course.step
    digital = fine and silent_s >= max(_GATED_LEAST_S, _GATED_SHARE * pause_s)
    quiet = course.noise_db is not None and course.speech_db - course.noise_db >= _INCREDIBLE_SNR_DB
    if not digital and not quiet:
        return []
    return [finding("gated", affected_s=silent_s, details={"silent_share_of_pauses": silent_s / max(pause_s, HOP_S)})]
