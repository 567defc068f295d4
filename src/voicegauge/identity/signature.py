"""SDK-HMAC-SHA256, the way an access key signs a request. Pure: bytes and a clock reading in, an error or nothing out.

References
----------
.. [1] Huawei Cloud, "API Request Signing Guide", https://support.huaweicloud.com/intl/en-us/devg-apisign/api-sign-provide.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from voicegauge.identity.errors import MalformedSignatureError, NotSignedError, SignatureMismatchError

__all__ = [
    "ALGORITHM",
    "CLOCK_WINDOW_S",
    "UNSIGNED_PAYLOAD",
    "Authorization",
    "HttpRequest",
    "canonical_request",
    "parse_authorization",
    "sign",
    "verify",
]

ALGORITHM = "SDK-HMAC-SHA256"
CLOCK_WINDOW_S = 15 * 60
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

DATE_HEADER = "x-sdk-date"
PAYLOAD_HEADER = "x-sdk-content-sha256"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()

_FIELDS = re.compile(r"Access=([^,\s]+)\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([^,\s]+)")
_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")
_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came over the wire; no text form of this object shows its tokens and passwords.

    Attributes
    ----------
    method : str
    path : str
        Still percent-encoded, without the query.
    query : str
        Still percent-encoded, without the question mark.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        Exactly as received: re-serialised JSON hashes differently.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Authorization:
    """What the Authorization header holds."""

    access_key: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(headers: Mapping[str, str]) -> Authorization:
    """Read the Authorization header; raises NotSignedError or MalformedSignatureError."""
    value = headers.get("authorization", "").strip()
    if not value:
        raise NotSignedError("the request has no Authorization header")
    algorithm, _, rest = value.partition(" ")
    if algorithm != ALGORITHM:
        raise MalformedSignatureError(
            f"algorithm {algorithm[:40]} is not supported; this server verifies {ALGORITHM} only"
        )
    fields = _FIELDS.fullmatch(rest.strip())
    if fields is None:
        raise MalformedSignatureError(
            f"Authorization must read: {ALGORITHM} Access=<access key>, SignedHeaders=<name;name>, Signature=<hex>"
        )
    access_key, names, signature = fields.groups()
    return Authorization(access_key, tuple(names.lower().split(";")), signature)


def verify(request: HttpRequest, authorization: Authorization, *, secret_key: str, now_s: float) -> None:
    """Check that the holder of the secret signed this request, at most 15 minutes from now.

    Of the headers only `x-sdk-date` must be among the signed ones: the official SDKs differ in the rest.

    Parameters
    ----------
    request : HttpRequest
    authorization : Authorization
        From :func:`parse_authorization`, of the same request.
    secret_key : str
    now_s : float
        The server's clock, Unix seconds.

    Raises
    ------
    MalformedSignatureError
        The date is missing, unsigned, unreadable or too far off; a signed header is missing; the declared payload hash
        is not the body's.
    SignatureMismatchError
        Everything else is in order, and the signature is wrong.
    """
    date = _checked_date(request, authorization, now_s)
    missing = [name for name in authorization.signed_headers if name not in request.headers]
    if missing:
        raise MalformedSignatureError(f"signed header {missing[0][:40]} is not in the request")
    canonicals = [
        canonical_request(request, authorization.signed_headers, payload_hash)
        for payload_hash in _acceptable_payload_hashes(request)
    ]
    given = authorization.signature.encode()
    if not any(hmac.compare_digest(sign(canonical, date, secret_key).encode(), given) for canonical in canonicals):
        raise SignatureMismatchError(canonicals[0])


def canonical_request(request: HttpRequest, signed_headers: Sequence[str], payload_hash: str) -> str:
    """Build the text whose hash is signed."""
    lines = "".join(f"{name}:{request.headers[name].strip()}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method.upper(),
            _canonical_path(request.path),
            _canonical_query(request.query),
            lines,
            ";".join(signed_headers),
            payload_hash,
        )
    )


def sign(canonical: str, date: str, secret_key: str) -> str:
    """Sign a canonical request: 64 lower-case hex digits."""
    to_sign = f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def _checked_date(request: HttpRequest, authorization: Authorization, now_s: float) -> str:
    date = request.headers.get(DATE_HEADER, "").strip()
    if DATE_HEADER not in authorization.signed_headers:
        raise MalformedSignatureError("x-sdk-date must be among the signed headers")
    try:
        if not _DATE.fullmatch(date):
            raise ValueError
        signed_s = datetime.strptime(date, DATE_FORMAT).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise MalformedSignatureError("X-Sdk-Date must be UTC in the form 20251119T010203Z") from None
    if abs(now_s - signed_s) > CLOCK_WINDOW_S:
        server = datetime.fromtimestamp(now_s, UTC).strftime(DATE_FORMAT)
        raise MalformedSignatureError(
            f"X-Sdk-Date {date} is more than 15 minutes from the server's clock, {server}; set the clock and sign again"
        )
    return date


def _acceptable_payload_hashes(request: HttpRequest) -> list[str]:
    declared = request.headers.get(PAYLOAD_HEADER, "").strip()
    actual = hashlib.sha256(request.body).hexdigest()
    if not declared:
        return [actual]
    if declared == UNSIGNED_PAYLOAD:
        # The Python SDK signs the hash of nothing when the body is empty, even beside this header.
        return [declared] if request.body else [declared, EMPTY_HASH]
    if not _SHA256_HEX.fullmatch(declared):
        raise MalformedSignatureError(f"X-Sdk-Content-Sha256 must be a SHA-256 in hex or {UNSIGNED_PAYLOAD}")
    if declared.lower() != actual:
        raise MalformedSignatureError(f"X-Sdk-Content-Sha256 is not the body's hash, which is {actual}")
    return [declared]


def _canonical_path(path: str) -> str:
    pieces = unquote_to_bytes(path).split(b"/")
    encoded = "/".join(quote(piece, safe="~") for piece in pieces)
    return encoded if encoded.endswith("/") else encoded + "/"


def _canonical_query(query: str) -> str:
    pairs = sorted(
        (unquote_to_bytes(name), unquote_to_bytes(value))
        for name, _, value in (piece.partition("=") for piece in query.split("&") if piece)
    )
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)
