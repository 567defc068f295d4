"""What can be wrong with an upload.

UsageError
└── ObjectError               the root of what an uploader can get wrong
    ├── InvalidKeyError       the object key breaks a rule
    ├── ObjectNotFoundError   there is nothing under this key
    ├── ObjectTooLargeError   more bytes than the store takes
    ├── BadDigestError        the bytes are not those whose MD5 was announced
    └── InvalidDigestError    Content-MD5 is not the base64 of 16 bytes
"""

from __future__ import annotations

from voicegauge.errors import UsageError

__all__ = [
    "BadDigestError",
    "InvalidDigestError",
    "InvalidKeyError",
    "ObjectError",
    "ObjectNotFoundError",
    "ObjectTooLargeError",
]


class ObjectError(UsageError):
    """The uploader asked for something the store cannot do."""


class InvalidKeyError(ObjectError):
    """The object key breaks a rule."""


class ObjectNotFoundError(ObjectError):
    """There is nothing under this key."""


class ObjectTooLargeError(ObjectError):
    """The object is larger than the store takes."""


class BadDigestError(ObjectError):
    """The bytes that arrived are not those that were announced."""


class InvalidDigestError(ObjectError):
    """The announced Content-MD5 cannot be one."""
