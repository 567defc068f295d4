"""The result as JSON, and back: the stable form that docs/result.schema.json describes."""

from __future__ import annotations

from typing import Any

from voicegauge.assessment.profile import Assessment, Expectation, Range, Verdict
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

__all__ = ["assessment_to_json", "measurements_from_json", "measurements_to_json"]


def assessment_to_json(assessment: Assessment) -> dict[str, Any]:
    """Render an assessment in the documented form, its numbers as they were judged."""
    profile = assessment.profile
    return {
        "voicegauge": assessment.version,
        "profile": {"name": profile.name, "title": _text_to_json(profile.title)},
        "language": profile.language,
        "recordings": [measurements_to_json(recording) for recording in assessment.recordings],
        "verdicts": {str(prop): _verdict_to_json(verdict) for prop, verdict in assessment.verdicts.items()},
        "within": assessment.within,
        "advice": _text_to_json(assessment.advice),
        "ignored": [{"name": ignored.name, "why": _text_to_json(ignored.why)} for ignored in assessment.ignored],
    }


def measurements_to_json(recording: RecordingMeasurements) -> dict[str, Any]:
    """Render what was measured on one recording; :func:`measurements_from_json` reads it back."""
    return {
        "name": recording.name,
        "duration_s": _rounded(recording.duration_s),
        "sample_rate_hz": recording.sample_rate_hz,
        "channels": recording.channels,
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
        traits=document["traits"],
    )


def _measurement_to_json(measurement: Measurement) -> dict[str, Any]:
    document: dict[str, Any] = {"value": measurement.value, "unit": str(measurement.unit)}
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
        details={key: value for key, value in document.items() if key not in {"value", "unit", "reason", "weight_s"}},
    )


def _verdict_to_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "expected": _expectation_to_json(verdict.expected),
        "actual": _measurement_to_json(verdict.actual),
        "within": verdict.within,
        "failing": list(verdict.failing),
        "advice": _text_to_json(verdict.advice),
    }


def _expectation_to_json(expectation: Expectation) -> dict[str, Any]:
    return {
        **_range_to_json(expectation.range),
        "unit": str(expectation.unit),
        **{key: _range_to_json(bounds) for key, bounds in expectation.details.items()},
        "source": expectation.source,
        "date": expectation.date,
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
        "message": _text_to_json(finding.message),
    }


def _finding_from_json(document: dict[str, Any]) -> Finding:
    return Finding(
        kind=document["kind"],
        severity=Severity(document["severity"]),
        message=Text(**document["message"]),
        start_s=document["start_s"],
        end_s=document["end_s"],
        affected_s=document["affected_s"],
        details=document["details"],
    )


def _text_to_json(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), DECIMALS)
