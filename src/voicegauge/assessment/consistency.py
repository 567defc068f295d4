"""Recordings of one session that do not sound like the rest.

References
----------
.. [1] P. J. Rousseeuw and C. Croux, "Alternatives to the median absolute deviation", J. Am. Stat. Assoc. 88, 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log, sqrt
from statistics import median

from voicegauge.assessment.kinds import finding
from voicegauge.assessment.values import Finding, Property, RecordingMeasurements

__all__ = ["LEAST_RECORDINGS", "with_consistency"]

LEAST_RECORDINGS = 4
"""With fewer recordings there is no telling which is the odd one."""

_SPREADS = 3.5
# Standard deviation of a normal distribution over its median absolute deviation.
_DEVIATIONS = 1.4826
_TONE_PREFIX = "tone_"


@dataclass(frozen=True)
class _Figure:
    """One figure that should be alike in all recordings, and how far from the middle is certainly odd."""

    kind: str
    detail: str
    least: float


_LEVEL = _Figure("inconsistent_level", "difference_db", 8.0)
_NOISE = _Figure("inconsistent_noise", "difference_db", 12.0)
_TONE = _Figure("inconsistent_tone", "difference_db", 5.5)
_RATE = _Figure("inconsistent_rate", "difference_percent", 25.0)

# Syllables of a short take are counted badly without its transcript.
_LEAST_ACTIVE_S = {0.0: 8.0, 1.0: 2.0}


def with_consistency(recordings: Sequence[RecordingMeasurements]) -> list[RecordingMeasurements]:
    """Name the recordings whose level, noise, tone or speaking rate stands out of the others, as findings.

    A recording stands out when it is further from the median of all than a fixed distance (8 dB of level, 12 dB of
    noise, 5.5 dB of tone, 25 % of rate) and further than three and a half times the usual spread, which is taken from
    the median absolute deviation [1]_. Needs the figure in at least four recordings. Where two halves differ, neither
    is the odd one, and nothing is named. Findings of these kinds that the recordings already have are replaced.
    """
    found: list[list[Finding]] = [[] for _ in recordings]
    for figure, values in (
        (_LEVEL, [_trait(recording, "speech_level_db") for recording in recordings]),
        (_NOISE, [_noise_under_speech(recording) for recording in recordings]),
        (_RATE, [_rate(recording) for recording in recordings]),
    ):
        for index, difference in _odd(figure, values):
            variant = "above" if difference > 0 else "below"
            found[index].append(finding(figure.kind, variant=variant, details={figure.detail: difference}))
    for index, difference in _odd(_TONE, _tone_distances(recordings), one_sided=True):
        found[index].append(finding(_TONE.kind, details={_TONE.detail: difference}))
    kinds = {figure.kind for figure in (_LEVEL, _NOISE, _TONE, _RATE)}
    return [
        replace(recording, findings=(*(item for item in recording.findings if item.kind not in kinds), *new))
        for recording, new in zip(recordings, found, strict=True)
    ]


def _trait(recording: RecordingMeasurements, name: str) -> float | None:
    return recording.traits.get(name)


def _noise_under_speech(recording: RecordingMeasurements) -> float | None:
    """Noise over speech, since a change of volume moves both."""
    noise_db, speech_db = (recording.traits.get(name) for name in ("noise_level_db", "speech_level_db"))
    return None if noise_db is None or speech_db is None else noise_db - speech_db


def _rate(recording: RecordingMeasurements) -> float | None:
    """Logarithm of the rate in hundredths, so that differences are in percent, nearly."""
    measurement = recording.measurements.get(Property.SPEAKING_RATE)
    if measurement is None or measurement.value is None or measurement.value <= 0:
        return None
    if measurement.weight_s < _LEAST_ACTIVE_S[measurement.details.get("from_transcript") or 0.0]:
        return None
    return 100 * log(measurement.value)


def _tone_distances(recordings: Sequence[RecordingMeasurements]) -> list[float | None]:
    """How far each recording's tone is from the median of all: root of the mean square over the bands, in dB."""
    names = list(dict.fromkeys(name for recording in recordings for name in recording.traits if _is_tone(name)))
    rows = [[recording.traits.get(name) for name in names] for recording in recordings]
    complete = {index: row for index, row in enumerate(rows) if row and None not in row}
    distances: list[float | None] = [None] * len(recordings)
    if len(complete) < LEAST_RECORDINGS:
        return distances
    columns = zip(*complete.values(), strict=True)
    middle_db = [median(level_db for level_db in column if level_db is not None) for column in columns]
    for index, row in complete.items():
        squares = [
            (level_db - usual_db) ** 2
            for level_db, usual_db in zip(row, middle_db, strict=True)
            if level_db is not None
        ]
        distances[index] = sqrt(sum(squares) / len(squares))
    return distances


def _is_tone(name: str) -> bool:
    return name.startswith(_TONE_PREFIX)


def _odd(figure: _Figure, values: Sequence[float | None], *, one_sided: bool = False) -> list[tuple[int, float]]:
    """Index and distance from the middle of the values that stand out; a one-sided figure is a distance already."""
    known = [(index, value) for index, value in enumerate(values) if value is not None]
    if len(known) < LEAST_RECORDINGS:
        return []
    figures = [value for _, value in known]
    middle = median(figures)
    spread = _DEVIATIONS * median(abs(value - middle) for value in figures)
    limit = max(figure.least, (middle if one_sided else 0.0) + _SPREADS * spread)
    differences = [(index, value if one_sided else value - middle) for index, value in known]
    return [(index, difference) for index, difference in differences if abs(difference) >= limit]
