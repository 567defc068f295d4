"""Every error voicegauge raises on purpose.

VoicegaugeError
├── UsageError              the caller asked for something impossible (exit code 2, or a 4xx)
│   ├── ProfileError        a profile does not exist or breaks a rule; names file and place
│   ├── ResultError         a file is no result of voicegauge; names file and field
│   └── NoRecordingsError   nothing to assess was found under the given paths
├── ArchiveError            an upload or zip that cannot be assessed as a whole; has a code
├── RecordingError          one file that cannot be decoded; becomes a finding in a batch; has a code
├── ModelError              a model file is missing, damaged or of another version
└── MachineError            the machine lacks something: a full or read-only disk, a port in use

A bad recording is a finding in a result. These are for what cannot be put in one.
"""

from __future__ import annotations

__all__ = [
    "ArchiveError",
    "MachineError",
    "ModelError",
    "NoRecordingsError",
    "ProfileError",
    "RecordingError",
    "ResultError",
    "UsageError",
    "VoicegaugeError",
]


class VoicegaugeError(Exception):
    """The root: the message says what, where, and what to do."""


class UsageError(VoicegaugeError):
    """The caller asked for something impossible."""


class ProfileError(UsageError):
    """A profile does not exist or breaks a rule."""


class ResultError(UsageError):
    """A file that should be a result of voicegauge is none."""


class NoRecordingsError(UsageError):
    """Nothing to assess was found under the given paths."""


class _InputError(VoicegaugeError):
    """An error about what a person sent; `code` is a stable word for programs, the messages are for that person."""

    def __init__(self, code: str, message_zh: str, message_en: str) -> None:
        super().__init__(code, message_zh, message_en)
        self.code = code
        self.message_zh = message_zh
        self.message_en = message_en

    def __str__(self) -> str:
        return self.message_en

    def message(self, language: str) -> str:
        """Return the message for recordings in a language: Chinese for CN, else English."""
        return self.message_zh if language == "CN" else self.message_en


class ArchiveError(_InputError):
    """A zip that cannot be assessed as a whole.

    Codes are those of :class:`voicegauge.ingest.problems.ArchiveProblem`.
    """


class RecordingError(_InputError):
    """One recording that cannot be read; a batch turns it into a finding.

    Codes are those of :class:`voicegauge.ingest.problems.RecordingProblem`.
    """


class ModelError(VoicegaugeError):
    """A model file is missing, damaged or of another version."""


class MachineError(VoicegaugeError):
    """The machine lacks something the work needs."""
