"""Tells you, before you pay for voice training, whether your recordings are good enough.

The public face is :func:`assess`, :func:`load_profile`, the types of what they return, and the errors they raise.
"""

from voicegauge._version import __version__
from voicegauge.assessment.profile import Assessment, Expectation, Ignored, Profile, Range, Verdict
from voicegauge.assessment.values import (
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
    UsageError,
    VoicegaugeError,
)
from voicegauge.pipeline import Progress, assess
from voicegauge.profiles.loader import load_profile, profile_names

__all__ = [
    "ArchiveError",
    "Assessment",
    "Expectation",
    "Finding",
    "Ignored",
    "Language",
    "MachineError",
    "Measurement",
    "ModelError",
    "NoRecordingsError",
    "Profile",
    "ProfileError",
    "Progress",
    "Property",
    "Range",
    "Reason",
    "RecordingError",
    "RecordingMeasurements",
    "Severity",
    "Text",
    "Unit",
    "UsageError",
    "Verdict",
    "VoicegaugeError",
    "__version__",
    "assess",
    "load_profile",
    "profile_names",
]
