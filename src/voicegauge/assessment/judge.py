"""Measurements of a body of recordings x a profile -> an assessment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from voicegauge.assessment.consistency import with_consistency
from voicegauge.assessment.facts import EACH, fact_of, fact_of_body
from voicegauge.assessment.profile import Assessment, Expectation, Ignored, Overall, Profile, Range, Verdict
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.uncertainty import mean_error
from voicegauge.assessment.values import (
    Fact,
    Judged,
    Measurement,
    Property,
    Reason,
    RecordingMeasurements,
    Text,
)

__all__ = ["judge"]

SINGLE_RATE_MIN_S = 15.0
"""Without a transcript a speaking rate errs by 10 % on a sentence: shorter recordings are not named for theirs."""

NAMED_AT_MOST = 5

DETAILS: dict[str, Callable[[Sequence[float]], float] | None] = {
    "true_peak_dbtp": max,
    "rms_dbfs": None,
    "syllables_per_min": None,
    "pause_s": sum,
    "repeated": None,
}
"""The further figures that are kept for a body of recordings, and how they combine; None is the weighted mean."""


def judge(
    recordings: Sequence[RecordingMeasurements],
    profile: Profile,
    *,
    version: str,
    ignored: Sequence[Ignored] = (),
    models: Sequence[ModelStamp] = (),
) -> Assessment:
    """Judge several recordings as one body.

    Each property's value is the mean over the recordings that have one, weighted by the seconds each speaks for; the
    true peak is the highest. A property without a value in any recording is not judged: `within` is None, never a pass.
    Of a fact, the body has the total or the figure that is furthest out of range. Recordings that do not sound like the
    rest get a finding that says so.

    Parameters
    ----------
    recordings : sequence of RecordingMeasurements, not empty
    profile : Profile
        The ranges and advice, for the recordings' language.
    version : str
        The version of voicegauge that measured, kept with the result.
    ignored : sequence of Ignored
        Files that were found and are no recordings; kept with the result.
    models : sequence of ModelStamp
        The learned models that took part in the measurements; kept with the result.
    """
    if not recordings:
        raise ValueError("there is nothing to judge: recordings is empty")
    recordings = with_consistency(recordings)
    verdicts = {
        judged: _judge_one(judged, expected, recordings, profile) for judged, expected in profile.expectations.items()
    }
    return Assessment(
        version=version,
        profile=profile,
        recordings=tuple(recordings),
        verdicts=verdicts,
        advice=_overall_advice(recordings, verdicts, profile),
        ignored=tuple(ignored),
        models=tuple(models),
    )


def _judge_one(
    judged: Judged, expected: Expectation, recordings: Sequence[RecordingMeasurements], profile: Profile
) -> Verdict:
    if isinstance(judged, Fact):
        measured = [(recording.name, fact_of(judged, recording)) for recording in recordings]
        actual = fact_of_body(judged, [m for _, m in measured], lambda figure: _outside(figure, expected.range))
    else:
        measured = [
            (recording.name, recording.measurements[judged])
            for recording in recordings
            if judged in recording.measurements
        ]
        actual = _mean(expected, [measurement for _, measurement in measured])
    failing = tuple(
        name
        for _, name in sorted(
            (-_distance(measurement, expected), name)
            for name, measurement in measured
            if _fails_alone(judged, measurement, expected)
        )
    )
    if actual.value is None:
        assert actual.reason is not None  # noqa: S101 - Measurement guarantees it
        return Verdict(expected, actual, None, profile.reasons[actual.reason], failing)
    side = _side(actual, expected)
    advice = {0: expected.advice.within, -1: expected.advice.low, 1: expected.advice.high}[side]
    if failing and len(recordings) > 1:
        advice = _with_names(advice, failing, profile.overall, within=side == 0)
    return Verdict(expected, actual, side == 0, advice, failing)


def _mean(expected: Expectation, measurements: Sequence[Measurement]) -> Measurement:
    valued = [(m, m.value, m.weight_s) for m in measurements if m.value is not None]
    if not valued:
        reasons = Counter(m.reason for m in measurements if m.reason is not None)
        reason = reasons.most_common(1)[0][0] if reasons else Reason.NO_MEASUREMENT
        return Measurement(None, expected.unit, reason)
    total_s = sum(weight_s for _, _, weight_s in valued)
    weights = [weight_s / total_s if total_s > 0 else 1 / len(valued) for _, _, weight_s in valued]

    def mean(values: Sequence[float]) -> float:
        return sum(weight * value for weight, value in zip(weights, values, strict=True))

    details: dict[str, float | None] = {}
    for key, combine in DETAILS.items():
        figures = [m.details.get(key) for m, _, _ in valued]
        known = [figure for figure in figures if figure is not None]
        if len(known) == len(valued):
            details[key] = mean(known) if combine is None else combine(known)
    error = mean_error([m for m, _, _ in valued], weights)
    return Measurement(mean([value for _, value, _ in valued]), expected.unit, None, total_s, details, error)


def _bounds(measurement: Measurement, expected: Expectation) -> list[tuple[float, Range]]:
    """Pair every figure with the range it must keep."""
    pairs = [] if measurement.value is None else [(measurement.value, expected.range)]
    for key, bounds in expected.details.items():
        figure = measurement.details.get(key)
        if figure is not None:
            pairs.append((figure, bounds))
    return pairs


def _side(measurement: Measurement, expected: Expectation) -> int:
    """Return -1 for too low, 1 for too high, 0 for within."""
    for value, bounds in _bounds(measurement, expected):
        if not bounds.contains(value):
            return -1 if bounds.minimum is not None and value < bounds.minimum else 1
    return 0


def _fails_alone(judged: Judged, measurement: Measurement, expected: Expectation) -> bool:
    if measurement.value is None or _side(measurement, expected) == 0:
        return False
    if isinstance(judged, Fact) and judged not in EACH:
        return False
    exact = judged is not Property.SPEAKING_RATE or bool(measurement.details.get("from_transcript"))
    return exact or measurement.weight_s >= SINGLE_RATE_MIN_S


def _distance(measurement: Measurement, expected: Expectation) -> float:
    return max((_outside(value, bounds) for value, bounds in _bounds(measurement, expected)), default=0.0)


def _outside(value: float, bounds: Range) -> float:
    low = bounds.minimum - value if bounds.minimum is not None else 0.0
    high = value - bounds.maximum if bounds.maximum is not None else 0.0
    return max(0.0, low, high)


def _with_names(advice: Text, failing: Sequence[str], overall: Overall, *, within: bool) -> Text:
    sentence = overall.failing_within if within else overall.failing
    return _joined([advice, _filled(sentence, overall, recordings=failing)])


def _overall_advice(
    recordings: Sequence[RecordingMeasurements], verdicts: dict[Judged, Verdict], profile: Profile
) -> Text:
    overall = profile.overall
    out = [profile.labels[prop] for prop, verdict in verdicts.items() if verdict.within is False]
    open_ = [profile.labels[prop] for prop, verdict in verdicts.items() if verdict.within is None]
    unreadable = [recording.name for recording in recordings if recording.duration_s is None]
    sentences = []
    if out:
        sentences.append(_filled(overall.out_of_range, overall, properties=out))
    if open_:
        sentences.append(_filled(overall.not_judged, overall, properties=open_))
    if unreadable:
        sentences.append(_filled(overall.unreadable, overall, recordings=unreadable))
    sentences = sentences or [overall.all_within]
    if profile.unmeasured:
        sentences.append(_filled(overall.unmeasured, overall, requirements=[u.requirement for u in profile.unmeasured]))
    return _joined(sentences)


def _filled(
    sentence: Text,
    overall: Overall,
    *,
    properties: Sequence[Text] = (),
    recordings: Sequence[str] = (),
    requirements: Sequence[Text] = (),
) -> Text:
    names = Text("、".join(recordings[:NAMED_AT_MOST]), ", ".join(recordings[:NAMED_AT_MOST]))
    if len(recordings) > NAMED_AT_MOST:
        count = len(recordings) - NAMED_AT_MOST
        names = Text(
            names.zh + overall.and_more.zh.format(count=count), names.en + overall.and_more.en.format(count=count)
        )
    labels = Text("、".join(label.zh for label in properties), ", ".join(label.en for label in properties))
    asked = Text("；".join(text.zh for text in requirements), "; ".join(text.en for text in requirements))
    return Text(
        sentence.zh.format(properties=labels.zh, recordings=names.zh, requirements=asked.zh),
        sentence.en.format(properties=labels.en, recordings=names.en, requirements=asked.en),
    )


def _joined(sentences: Sequence[Text]) -> Text:
    return Text("".join(text.zh for text in sentences), " ".join(text.en for text in sentences))
