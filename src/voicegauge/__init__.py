"""Tells you, before you pay for voice training, whether your recordings are good enough.

The public face is :func:`assess`, :func:`judge_again`, :func:`judge_stored`, :func:`load_profile`, the types of what
they return, and the errors they raise.
"""

from typing import TYPE_CHECKING, Any

from voicegauge._version import __version__
from voicegauge.assessment.profile import Assessment, Expectation, Ignored, Profile, Range, Unmeasured, Verdict
from voicegauge.assessment.provenance import ModelStamp
from voicegauge.assessment.values import (
    Fact,
    Finding,
    Language,
    Measurement,
    Property,
    Reason,
    RecordingMeasurements,
    Severity,
    Text,
    Unit,
)
from voicegauge.errors import (
    ArchiveError,
    MachineError,
    ModelError,
    NoRecordingsError,
    ProfileError,
    RecordingError,
    ResultError,
    UsageError,
    VoicegaugeError,
)
from voicegauge.profiles.loader import load_profile, profile_names

if TYPE_CHECKING:
    from voicegauge.pipeline import Progress, assess
    from voicegauge.rejudge import judge_again, judge_stored

__all__ = [
    "ArchiveError",
    "Assessment",
    "Expectation",
    "Fact",
    "Finding",
    "Ignored",
    "Language",
    "MachineError",
    "Measurement",
    "ModelError",
    "ModelStamp",
    "NoRecordingsError",
    "Profile",
    "ProfileError",
    "Progress",
    "Property",
    "Range",
    "Reason",
    "RecordingError",
    "RecordingMeasurements",
    "ResultError",
    "Severity",
    "Text",
    "Unit",
    "Unmeasured",
    "UsageError",
    "Verdict",
    "VoicegaugeError",
    "__version__",
    "assess",
    "judge_again",
    "judge_stored",
    "load_profile",
    "profile_names",
]


def __getattr__(name: str) -> Any:
    # Measuring brings numpy and more, which judging stored measurements again does without; and the other way round.
    if name in {"Progress", "assess"}:
        from voicegauge import pipeline

        return getattr(pipeline, name)
    if name in {"judge_again", "judge_stored"}:
        from voicegauge import rejudge

        return getattr(rejudge, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
