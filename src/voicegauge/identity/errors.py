"""Why a caller was not let in.

UsageError
├── AuthenticationError            the root of what a caller can get wrong
│   ├── NotSignedError             there is no signature on the request
│   ├── MalformedSignatureError    the signature headers break a rule; the message says which
│   ├── UnknownAccessKeyError      no such access key, or it was revoked
│   ├── AccessKeyLockedError       too many wrong signatures in a row
│   └── SignatureMismatchError     the signature is wrong; carries the canonical request that was computed
└── DirectoryError                 a project or key that cannot be made or changed as asked
"""

from __future__ import annotations

from voicegauge.errors import UsageError

__all__ = [
    "AccessKeyLockedError",
    "AuthenticationError",
    "DirectoryError",
    "MalformedSignatureError",
    "NotSignedError",
    "SignatureMismatchError",
    "UnknownAccessKeyError",
]


class AuthenticationError(UsageError):
    """The caller could not be told for certain."""


class NotSignedError(AuthenticationError):
    """The request carries no signature."""


class MalformedSignatureError(AuthenticationError):
    """The signature headers break a rule."""


class UnknownAccessKeyError(AuthenticationError):
    """The access key does not exist or was revoked."""

    def __init__(self, access_key: str) -> None:
        super().__init__(f"access key {access_key} does not exist")
        self.access_key = access_key


class AccessKeyLockedError(AuthenticationError):
    """The access key is locked for a while after too many wrong signatures in a row."""

    def __init__(self, access_key: str, remaining_s: int) -> None:
        super().__init__(f"access key {access_key} is locked for {remaining_s} s after too many wrong signatures")
        self.access_key = access_key
        self.remaining_s = remaining_s


class SignatureMismatchError(AuthenticationError):
    """The signature is not the one this request gives under the key's secret."""

    def __init__(self, canonical_request: str) -> None:
        super().__init__("the signature does not match the request")
        self.canonical_request = canonical_request


class DirectoryError(UsageError):
    """A project or key cannot be made or changed as asked."""
