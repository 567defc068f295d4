"""Why a caller was not let in.

UsageError
├── AuthenticationError            the root of what a caller can get wrong
│   ├── NotSignedError             there is neither a signature nor a token on the request
│   ├── MalformedSignatureError    the signature headers break a rule; the message says which
│   ├── UnknownAccessKeyError      no such access key, or it was revoked
│   ├── AccessKeyLockedError       too many wrong signatures or passwords in a row
│   ├── SignatureMismatchError     the signature is wrong; carries the canonical request that was computed
│   ├── WrongPasswordError         no such user name, or the password is not its own
│   ├── InvalidTokenError          not a token of this server, or not any more
│   └── TokenExpiredError          a token of this server whose time is over
└── DirectoryError                 a project or key that cannot be made or changed as asked
"""

from __future__ import annotations

from voicegauge.errors import UsageError

__all__ = [
    "AccessKeyLockedError",
    "AuthenticationError",
    "DirectoryError",
    "InvalidTokenError",
    "MalformedSignatureError",
    "NotSignedError",
    "SignatureMismatchError",
    "TokenExpiredError",
    "UnknownAccessKeyError",
    "WrongPasswordError",
]


class AuthenticationError(UsageError):
    """The caller could not be told for certain."""


class NotSignedError(AuthenticationError):
    """The request carries neither a signature nor a token."""


class MalformedSignatureError(AuthenticationError):
    """The signature headers break a rule."""


class UnknownAccessKeyError(AuthenticationError):
    """The access key does not exist or was revoked."""

    def __init__(self, access_key: str) -> None:
        super().__init__(f"access key {access_key} does not exist")
        self.access_key = access_key


class AccessKeyLockedError(AuthenticationError):
    """The access key is locked for a while after too many wrong signatures or passwords in a row."""

    def __init__(self, access_key: str, remaining_s: int) -> None:
        super().__init__(
            f"access key {access_key} is locked for {remaining_s} s after too many wrong signatures or passwords"
        )
        self.access_key = access_key
        self.remaining_s = remaining_s


class SignatureMismatchError(AuthenticationError):
    """The signature is not the one this request gives under the key's secret."""

    def __init__(self, canonical_request: str) -> None:
        super().__init__("the signature does not match the request")
        self.canonical_request = canonical_request


class WrongPasswordError(AuthenticationError):
    """The name and the password are not those of a valid access key; which of the two is wrong is not told."""

    def __init__(self) -> None:
        super().__init__("the user name or the password is wrong: they are an access key and its secret key")


class InvalidTokenError(AuthenticationError):
    """The token was not issued by this server, was changed since, or belongs to a key that is valid no more."""


class TokenExpiredError(AuthenticationError):
    """The token was good until `expires_s`, Unix seconds."""

    def __init__(self, expires_s: int) -> None:
        super().__init__("the token has expired; get a new one")
        self.expires_s = expires_s


class DirectoryError(UsageError):
    """A project or key cannot be made or changed as asked."""
