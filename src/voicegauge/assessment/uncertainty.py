"""How far off a value may be.

A stated error is the 90th percentile of the absolute error that was met, with like evidence, on real recordings
degraded with known truth: in nine cases of ten the value is off by no more. The figures are measured by
`bench/errors.py` and kept in `data/error_table.py`, with what they were measured on. What was not measured has no
stated error.

The error of a mean over several recordings is the weighted mean of their errors. It does not shrink with their number:
one voice, in one room, measured by one method, errs the same way in every take, and a bias does not average away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from voicegauge.assessment.data import error_table
from voicegauge.assessment.definitions import DEFINITIONS, Case
from voicegauge.assessment.values import Judged, Language, Measurement, Property, Text

__all__ = ["StatedError", "conditions", "mean_error", "stated_errors", "with_error"]

_LEAST_RATE_HZ = 16_000

# The classes of evidence, each by its upper end; what lies above the last is in the class after it.
_SNR_DB = (0.0, 20.0, 40.0)
_C50_DB = (10.0, 20.0, 30.0)
_ACTIVE_S = 10.0
_SPEECH_S = 5.0
_PAUSE_S = DEFINITIONS[Property.SNR].evidence[Case.PAUSES].pause_s
_HALF_WINDOW_S = 4.5


@dataclass(frozen=True)
class StatedError:
    """One line of the table.

    `error` is in the property's unit, or a share of the value where `relative`; `recordings` is how many it rests on.
    """

    conditions: tuple[Text, ...]
    error: float
    relative: bool
    recordings: int


def with_error(prop: Property, measurement: Measurement, *, language: Language, sample_rate_hz: int) -> Measurement:
    """Return the measurement with its stated error.

    Below a sample rate of 16 kHz only the loudness has one: the errors were measured on the full band.
    """
    if measurement.value is None or (sample_rate_hz < _LEAST_RATE_HZ and prop is not Property.LOUDNESS):
        return measurement
    words = conditions(prop, measurement, language)
    # Where too few recordings were alike in everything, the table has a line for those alike in less.
    for count in range(len(words), -1, -1):
        met = error_table.ERRORS.get("/".join((prop, *words[:count])))
        if met is not None:
            return replace(measurement, error=met[0] * measurement.value if prop in error_table.RELATIVE else met[0])
    return measurement


def mean_error(measurements: Sequence[Measurement], weights: Sequence[float]) -> float | None:
    """Return the error of a weighted mean; None where that of any part is not known.

    Parameters
    ----------
    measurements : sequence of Measurement, with values
    weights : sequence of float, same length, sum 1
    """
    total = 0.0
    for measurement, weight in zip(measurements, weights, strict=True):
        if measurement.error is None:
            return None
        total += weight * measurement.error
    return total


def conditions(prop: Property, measurement: Measurement, language: Language) -> tuple[str, ...]:
    """Return the classes of evidence a measurement with a value falls into, in words of the table, widest first."""
    value, seconds = measurement.value or 0.0, measurement.weight_s
    match prop:
        case Property.SPEAKING_RATE:
            source = "transcript" if measurement.details.get("from_transcript") else "blind"
            return source, language, "long" if seconds >= _ACTIVE_S else "short"
        case Property.SNR:
            pauses = (measurement.details.get("pause_s") or 0.0) >= _PAUSE_S
            return "pauses" if pauses else "no_pauses", f"snr_{_class(value, _SNR_DB)}"
        case Property.REVERB:
            return "much" if seconds >= _SPEECH_S else "little", f"c50_{_class(value, _C50_DB)}"
        case Property.LOUDNESS:
            return ()
        case _:
            if not measurement.details.get("repeated"):
                return ("windows",)
            return "repeated", "half" if seconds >= _HALF_WINDOW_S else "less"


def stated_errors(judged: Judged) -> Iterator[StatedError]:
    """Go through the table's lines for one property."""
    for key, (error, recordings) in error_table.ERRORS.items():
        prop, *words = key.split("/")
        if prop == judged:
            yield StatedError(tuple(_WORDS[word] for word in words), error, judged in error_table.RELATIVE, recordings)


def _class(value: float, bounds: Sequence[float]) -> int:
    return sum(value >= bound for bound in bounds)


def _class_words(name: str, unit: str, bounds: Sequence[float]) -> dict[str, Text]:
    words = {f"{name}_0": Text(f"低于 {bounds[0]:g} {unit}", f"below {bounds[0]:g} {unit}")}
    for index, (low, high) in enumerate(pairwise(bounds), start=1):
        words[f"{name}_{index}"] = Text(f"{low:g} 至 {high:g} {unit}", f"{low:g} to {high:g} {unit}")
    return words | {f"{name}_{len(bounds)}": Text(f"{bounds[-1]:g} {unit} 以上", f"{bounds[-1]:g} {unit} and more")}


_WORDS: dict[str, Text] = {
    "transcript": Text("有文本", "with a transcript"),
    "blind": Text("没有文本", "without a transcript"),
    "CN": Text("中文", "Chinese"),
    "EN": Text("英文", "English"),
    "short": Text(f"有效语音不到 {_ACTIVE_S:g} 秒", f"under {_ACTIVE_S:g} s of active speech"),
    "long": Text(f"有效语音 {_ACTIVE_S:g} 秒以上", f"{_ACTIVE_S:g} s of active speech and more"),
    "pauses": Text("有停顿", "with pauses"),
    "no_pauses": Text("几乎没有停顿", "with hardly a pause"),
    "much": Text(f"人声 {_SPEECH_S:g} 秒以上", f"{_SPEECH_S:g} s of speech and more"),
    "little": Text(f"人声不到 {_SPEECH_S:g} 秒", f"under {_SPEECH_S:g} s of speech"),
    "windows": Text("至少一个完整窗口", "one full window and more"),
    "repeated": Text("不到一个窗口（外推）", "shorter than one window (extrapolated)"),
    "half": Text(f"{_HALF_WINDOW_S:g} 秒以上", f"{_HALF_WINDOW_S:g} s and more"),
    "less": Text(f"不到 {_HALF_WINDOW_S:g} 秒", f"under {_HALF_WINDOW_S:g} s"),
    **_class_words("snr", "dB", _SNR_DB),
    **_class_words("c50", "dB", _C50_DB),
}
