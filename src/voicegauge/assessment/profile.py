"""Ranges, and what it means to be inside them."""

from __future__ import annotations

from dataclasses import dataclass, field

from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.values import (
    Judged,
    Language,
    Measurement,
    Reason,
    RecordingMeasurements,
    Text,
    Unit,
)

__all__ = ["Advice", "Assessment", "Expectation", "Ignored", "Overall", "Profile", "Range", "Unmeasured", "Verdict"]


@dataclass(frozen=True)
class Range:
    """From `minimum` to `maximum`, both included; None means no bound on that side."""

    minimum: float | None
    maximum: float | None

    def contains(self, value: float) -> bool:
        return (self.minimum is None or value >= self.minimum) and (self.maximum is None or value <= self.maximum)


@dataclass(frozen=True)
class Advice:
    """What to do about one property, by what is wrong."""

    within: Text
    low: Text
    high: Text


@dataclass(frozen=True)
class Expectation:
    """What a profile asks of one property or fact.

    `details` holds ranges for the measurement's further figures, such as `true_peak_dbtp`.
    `source` and `date` say where the numbers come from.
    """

    range: Range
    unit: Unit
    advice: Advice
    source: str
    date: str
    details: dict[str, Range] = field(default_factory=dict)


@dataclass(frozen=True)
class Overall:
    """The sentences over a whole assessment; each can stand alone or after another.

    `{properties}`, `{recordings}` and `{requirements}` stand for lists, `{count}` for a number.
    """

    all_within: Text
    out_of_range: Text
    not_judged: Text
    unreadable: Text
    unmeasured: Text
    failing: Text
    failing_within: Text
    and_more: Text


@dataclass(frozen=True)
class Unmeasured:
    """What a profile asks and voicegauge does not measure."""

    name: str
    requirement: Text
    source: str
    date: str


@dataclass(frozen=True)
class Profile:
    """What one buyer of recordings asks for, in one language, and how to say it.

    `expectations` holds only what is asked. `labels` are the names for people; `reasons` is the advice where something
    could not be judged.
    """

    name: str
    title: Text
    language: Language
    expectations: dict[Judged, Expectation]
    labels: dict[Judged, Text]
    reasons: dict[Reason, Text]
    overall: Overall
    unmeasured: tuple[Unmeasured, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One property or fact of a whole body of recordings against a profile.

    Attributes
    ----------
    actual : Measurement
        The mean over the recordings, weighted by the seconds each speaks for; a fact's total or worst figure.
    within : bool or None
        None where it could not be judged.
    failing : tuple of str
        Names of the recordings that are out of range by themselves, worst first.
    """

    expected: Expectation
    actual: Measurement
    within: bool | None
    advice: Text
    failing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ignored:
    """A file that was found among the recordings and is none."""

    name: str
    why: Text


@dataclass(frozen=True)
class Assessment:
    """The whole answer about one body of recordings.

    `version` and `models` say what measured.
    """

    version: str
    profile: Profile
    recordings: tuple[RecordingMeasurements, ...]
    verdicts: dict[Judged, Verdict]
    advice: Text
    ignored: tuple[Ignored, ...] = ()
    models: tuple[ModelStamp, ...] = ()

    @property
    def within(self) -> bool | None:
        """False when something is out of range, else None when something could not be judged, else True."""
        outcomes = [verdict.within for verdict in self.verdicts.values()]
        if False in outcomes:
            return False
        unreadable = any(recording.duration_s is None for recording in self.recordings)
        return None if None in outcomes or unreadable else True
