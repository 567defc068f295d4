"""The values that measurements and judgements are made of. Frozen, numeric, with units."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import inf, isfinite
from typing import Literal, TypeAlias

__all__ = [
    "DECIMALS",
    "PROPERTIES",
    "Fact",
    "Finding",
    "Judged",
    "Language",
    "Measurement",
    "Property",
    "Reason",
    "RecordingMeasurements",
    "Severity",
    "Text",
    "Unit",
]

DECIMALS = 4
"""Measured values are kept to this many decimals, so that what is stored, judged and shown is one number."""

_TIME_DECIMALS = 6

Language: TypeAlias = Literal["CN", "EN"]
"""The language that is spoken in the recordings."""


class Unit(StrEnum):
    """Units as they stand in results."""

    CHARACTERS_PER_MIN = "characters/min"
    WORDS_PER_MIN = "words/min"
    LUFS = "LUFS"
    DB = "dB"
    MOS = "MOS"
    HZ = "Hz"
    CHANNELS = "channels"
    SECONDS = "s"


class Property(StrEnum):
    """The properties that are measured; all but `DNSMOS_SIG` are judged."""

    SPEAKING_RATE = "speaking_rate"
    LOUDNESS = "loudness"
    SNR = "snr"
    REVERB = "reverb"
    DNSMOS_OVRL = "dnsmos_ovrl"
    DNSMOS_BAK = "dnsmos_bak"
    DNSMOS_SIG = "dnsmos_sig"


PROPERTIES: tuple[Property, ...] = tuple(p for p in Property if p is not Property.DNSMOS_SIG)
"""The properties every general profile judges, in the order people read them."""


class Fact(StrEnum):
    """What a file says of itself: exact, and judged only where a profile asks for it."""

    SAMPLE_RATE = "sample_rate"
    CHANNELS = "channels"
    RECORDING_LENGTH = "recording_length"
    TOTAL_LENGTH = "total_length"
    TOTAL_SPEECH = "total_speech"


Judged: TypeAlias = Property | Fact
"""What a profile can hold a range for."""


class Reason(StrEnum):
    """Why there is no value. What could not be judged is never a pass."""

    TOO_SHORT = "too_short"
    NO_SPEECH = "no_speech"
    NOT_ENOUGH_SPEECH = "not_enough_speech"
    NOT_ENOUGH_PAUSE = "not_enough_pause"
    SILENT = "silent"
    INVALID_SAMPLES = "invalid_samples"
    UNREADABLE = "unreadable"
    NO_MEASUREMENT = "no_measurement"


@dataclass(frozen=True)
class Text:
    """One sentence for people, in both languages."""

    zh: str
    en: str


@dataclass(frozen=True)
class Measurement:
    """One number with its unit, or the reason there is none.

    Attributes
    ----------
    value : float or None
    unit : Unit
    reason : Reason or None
        Set exactly when `value` is None.
    weight_s : float
        How many seconds of the recording the value speaks for; means over recordings are weighted with it.
    details : mapping of str to float or None
        Further figures of the same measurement by result key, such as `true_peak_dbtp` or `syllables_per_min`.
    error : float or None
        The value is off by at most this much, in its unit, in nine cases of ten (see `assessment.uncertainty`). None
        where there is no value or where it is not known.

    Figures are rounded to `DECIMALS` when the measurement is made.
    """

    value: float | None
    unit: Unit
    reason: Reason | None = None
    weight_s: float = 0.0
    details: dict[str, float | None] = field(default_factory=dict)
    error: float | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.reason is not None):
            raise ValueError("a measurement has either a value or a reason, and never both")
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"a measured value must be finite, not {self.value}")
        if self.error is not None and (self.value is None or not 0 <= self.error < inf):
            raise ValueError(f"an error belongs to a value and is finite and not negative, not {self.error}")
        object.__setattr__(self, "value", _kept(self.value))
        object.__setattr__(self, "weight_s", _kept(self.weight_s))
        object.__setattr__(self, "error", _kept(self.error))
        object.__setattr__(self, "details", {key: _kept(value) for key, value in self.details.items()})


def _kept(value: float | None) -> float | None:
    return None if value is None else round(float(value), DECIMALS)


class Severity(StrEnum):
    """What a finding asks of the person."""

    REJECT = "reject"
    FIXABLE = "fixable"
    YOUR_CALL = "your_call"


@dataclass(frozen=True)
class Finding:
    """A problem in one recording: what, where, how bad, what to do.

    `kind` is a stable word for programs. Times are seconds from the first sample, None where the whole file is meant.

    Attributes
    ----------
    affected_s : float or None
        Seconds of sound that are spoiled between `start_s` and `end_s`, where that can be counted.
    details : mapping of str to float
        How bad it is, in figures: `count` of the events joined in this finding, `level_db`, `frequency_hz` and others
        by kind.

    Figures are rounded to `DECIMALS`, like those of measurements; times to a microsecond.
    """

    kind: str
    severity: Severity
    message: Text
    start_s: float | None = None
    end_s: float | None = None
    affected_s: float | None = None
    details: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("start_s", "end_s", "affected_s"):
            value = getattr(self, name)
            object.__setattr__(self, name, None if value is None else round(float(value), _TIME_DECIMALS))
        object.__setattr__(self, "details", {key: round(float(value), DECIMALS) for key, value in self.details.items()})


@dataclass(frozen=True)
class RecordingMeasurements:
    """Everything measured on one recording. Judging needs nothing else, so it can be repeated without the audio.

    `duration_s`, `sample_rate_hz` and `channels` are None for a file that could not be read.
    `dnsmos_rows` holds one (start_s, sig, bak, ovrl) row for each 9.01 s window.
    `speech_s` is how long somebody speaks, None where that was not measured.
    `traits` are figures that are not judged by themselves but tell recordings of one session apart; see
    :mod:`voicegauge.assessment.consistency`.
    """

    name: str
    duration_s: float | None
    sample_rate_hz: int | None
    channels: int | None
    measurements: dict[Property, Measurement]
    findings: tuple[Finding, ...] = ()
    dnsmos_rows: tuple[tuple[float, float, float, float], ...] = ()
    speech_s: float | None = None
    traits: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "traits", {name: round(float(v), DECIMALS) for name, v in self.traits.items()})
