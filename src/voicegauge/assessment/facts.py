"""What files say of themselves: for each recording a figure, for a body of recordings how the figures combine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Fact, Measurement, Reason, RecordingMeasurements

__all__ = ["EACH", "fact_of", "fact_of_body"]

EACH = frozenset({Fact.SAMPLE_RATE, Fact.CHANNELS, Fact.RECORDING_LENGTH})
"""The facts every single recording must satisfy; the others are about the body."""

_FIGURES: dict[Fact, Callable[[RecordingMeasurements], float | None]] = {
    Fact.SAMPLE_RATE: lambda recording: recording.sample_rate_hz,
    Fact.CHANNELS: lambda recording: recording.channels,
    Fact.RECORDING_LENGTH: lambda recording: recording.duration_s,
    Fact.TOTAL_LENGTH: lambda recording: recording.duration_s,
    Fact.TOTAL_SPEECH: lambda recording: recording.speech_s,
}


def fact_of(fact: Fact, recording: RecordingMeasurements) -> Measurement:
    """Return the figure of one recording; `UNREADABLE` or `NO_MEASUREMENT` where there is none."""
    figure = _FIGURES[fact](recording)
    unit = unit_of(fact, "CN")
    if figure is None:
        return Measurement(None, unit, Reason.UNREADABLE if recording.duration_s is None else Reason.NO_MEASUREMENT)
    error = None if fact is Fact.TOTAL_SPEECH else 0.0
    return Measurement(figure, unit, weight_s=recording.duration_s or 0.0, error=error)


def fact_of_body(fact: Fact, measurements: Sequence[Measurement], distance: Callable[[float], float]) -> Measurement:
    """Combine the figures of several recordings: the total, or the one furthest out.

    Parameters
    ----------
    measurements : sequence of Measurement, from `fact_of`
    distance : callable
        How far a figure lies outside the range it is judged by, 0 inside.
    """
    unknown = [m for m in measurements if m.reason is Reason.NO_MEASUREMENT]
    readable = [m for m in measurements if m.value is not None]
    if unknown or not readable:
        return (unknown or measurements)[0]
    figures = [m.value for m in readable if m.value is not None]
    return Measurement(
        max(figures, key=distance) if fact in EACH else sum(figures),
        readable[0].unit,
        weight_s=sum(m.weight_s for m in readable),
        error=readable[0].error,
    )
