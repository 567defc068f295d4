"""The public names are decided, and adding or removing one is a decision too."""

from __future__ import annotations

import voicegauge
from voicegauge import errors

PUBLIC = {
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
}


def test_the_public_names_are_these() -> None:
    assert set(voicegauge.__all__) == PUBLIC
    assert all(hasattr(voicegauge, name) for name in PUBLIC)


def test_the_error_tree_is_drawn_as_it_is() -> None:
    drawing = errors.__doc__ or ""
    for name in errors.__all__:
        assert name in drawing
        assert issubclass(getattr(errors, name), errors.VoicegaugeError)
        assert name in voicegauge.__all__
