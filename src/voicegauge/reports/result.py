"""The result as JSON, and back: the stable form that docs/result.schema.json describes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voicegauge.assessment.definitions import DEFINITIONS
from voicegauge.assessment.profile import Assessment, Expectation, Range, Unmeasured, Verdict
from voicegauge.assessment.values import (
    DECIMALS,
    Finding,
    Measurement,
    Property,
    Reason,
    RecordingMeasurements,
    Severity,
    Text,
    Unit,
)

__all__ = [
    "assessment_to_json",
    "assessments_to_json",
    "expectation_to_json",
    "measurements_from_json",
    "measurements_to_json",
    "text_to_json",
    "unmeasured_to_json",
]

_OWN_KEYS = frozenset({"value", "unit", "error", "reason", "weight_s"})


def assessment_to_json(assessment: Assessment) -> dict[str, Any]:
    """Render an assessment in the documented form, its numbers as they were judged."""
    return _measured_to_json(assessment) | _judgement_to_json(assessment)


def assessments_to_json(assessments: Sequence[Assessment]) -> dict[str, Any]:
    """Render one body of recordings judged by several profiles: the measurements once, the judgements in a list."""
    return _measured_to_json(assessments[0]) | {"judgements": [_judgement_to_json(each) for each in assessments]}


def _measured_to_json(assessment: Assessment) -> dict[str, Any]:
    return {
        "voicegauge": assessment.version,
        "language": assessment.profile.language,
        "provenance": {
            "models": [
                {"name": model.name, "file": model.file, "sha256": model.sha256, "engine": model.engine}
                for model in assessment.models
            ],
            "properties": {str(prop): list(DEFINITIONS[prop].models) for prop in Property},
        },
        "recordings": [measurements_to_json(recording) for recording in assessment.recordings],
        "ignored": [{"name": ignored.name, "why": text_to_json(ignored.why)} for ignored in assessment.ignored],
    }


def _judgement_to_json(assessment: Assessment) -> dict[str, Any]:
    profile = assessment.profile
    return {
        "profile": {"name": profile.name, "title": text_to_json(profile.title)},
        "verdicts": {str(judged): _verdict_to_json(verdict) for judged, verdict in assessment.verdicts.items()},
        "unmeasured": [unmeasured_to_json(each) for each in profile.unmeasured],
        "within": assessment.within,
        "advice": text_to_json(assessment.advice),
    }


def measurements_to_json(recording: RecordingMeasurements) -> dict[str, Any]:
    """Render what was measured on one recording; :func:`measurements_from_json` reads it back."""
    return {
        "name": recording.name,
        "duration_s": _rounded(recording.duration_s),
        "sample_rate_hz": recording.sample_rate_hz,
        "channels": recording.channels,
        "speech_s": _rounded(recording.speech_s),
        "measurements": {str(prop): _measurement_to_json(m) for prop, m in recording.measurements.items()},
        "findings": [_finding_to_json(finding) for finding in recording.findings],
        "dnsmos_rows": [
            {"start_s": _rounded(start_s), "sig": _rounded(sig), "bak": _rounded(bak), "ovrl": _rounded(ovrl)}
            for start_s, sig, bak, ovrl in recording.dnsmos_rows
        ],
        "traits": recording.traits,
    }


def measurements_from_json(document: dict[str, Any]) -> RecordingMeasurements:
    """Read back what :func:`measurements_to_json` wrote; raises KeyError or ValueError on anything else."""
    return RecordingMeasurements(
        name=document["name"],
        duration_s=document["duration_s"],
        sample_rate_hz=document["sample_rate_hz"],
        channels=document["channels"],
        measurements={
            Property(prop): _measurement_from_json(entry) for prop, entry in document["measurements"].items()
        },
        findings=tuple(_finding_from_json(entry) for entry in document["findings"]),
        dnsmos_rows=tuple((row["start_s"], row["sig"], row["bak"], row["ovrl"]) for row in document["dnsmos_rows"]),
        speech_s=document.get("speech_s"),
        traits=document.get("traits", {}),
    )


def _measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    document: dict[str, Any] = {
        "value": measurement.value,
        "unit": str(measurement.unit),
        "error": measurement.error,
    }
    if measurement.reason is not None:
        document["reason"] = str(measurement.reason)
    document["weight_s"] = measurement.weight_s
    document.update(measurement.details)
    return document


def _measurement_from_json(document: dict[str, Any]) -> Measurement:
    reason = document.get("reason")
    return Measurement(
        value=document["value"],
        unit=Unit(document["unit"]),
        reason=None if reason is None else Reason(reason),
        weight_s=document["weight_s"],
        details={key: value for key, value in document.items() if key not in _OWN_KEYS},
        error=document.get("error"),
    )


def _verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "expected": expectation_to_json(verdict.expected),
        "actual": _measurement_to_json(verdict.actual),
        "within": verdict.within,
        "failing": list(verdict.failing),
        "advice": text_to_json(verdict.advice),
    }


def expectation_to_json(expectation: Expectation) -> dict[str, Any]:
    """Render a range with its unit, the ranges of further figures, source and date."""
    return {
        **_range_to_json(expectation.range),
        "unit": str(expectation.unit),
        **{key: _range_to_json(bounds) for key, bounds in expectation.details.items()},
        "source": expectation.source,
        "date": expectation.date,
    }


def unmeasured_to_json(unmeasured: Unmeasured) -> dict[str, Any]:
    """Render a requirement that is not measured."""
    return {
        "name": unmeasured.name,
        "requirement": text_to_json(unmeasured.requirement),
        "source": unmeasured.source,
        "date": unmeasured.date,
    }


def _range_to_json(bounds: Range) -> dict[str, float | None]:
    return {"min": bounds.minimum, "max": bounds.maximum}


def _finding_to_json(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "severity": str(finding.severity),
        "start_s": finding.start_s,
        "end_s": finding.end_s,
        "affected_s": finding.affected_s,
        "details": finding.details,
        "message": text_to_json(finding.message),
    }


def _finding_from_json(document: dict[str, Any]) -> Finding:
    return Finding(
        kind=document["kind"],
        severity=Severity(document["severity"]),
        message=Text(**document["message"]),
        start_s=document["start_s"],
        end_s=document["end_s"],
        affected_s=document.get("affected_s"),
        details=document.get("details", {}),
    )


def text_to_json(text: Text) -> dict[str, str]:
    """Render a sentence in both languages."""
    return {"zh": text.zh, "en": text.en}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), DECIMALS)
