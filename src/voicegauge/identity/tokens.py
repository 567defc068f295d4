"""Tokens that stand for an access key for a day. Pure: text, a secret and a clock reading in; a token or an error out.

A token is four fields with dots between them, of URL-safe characters: access key, time of issue, time of expiry (both
Unix seconds), and the HMAC-SHA256 of these under the key's secret. The server keeps none of them: a token is checked
against the secret of its key, so that revoking the key ends its tokens at once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

from voicegauge.identity.errors import InvalidTokenError, TokenExpiredError

__all__ = ["TOKEN_LIFETIME_S", "Token", "issue_token", "read_token", "verify_token"]

TOKEN_LIFETIME_S = 24 * 3600

# The same secret signs requests: without words of its own, a signature asked for there could be a token here.
PURPOSE = "voicegauge access token 1\n"

_TOKEN = re.compile(r"([A-Z0-9]{1,20})\.([0-9]{1,12})\.([0-9]{1,12})\.[0-9a-f]{64}")


@dataclass(frozen=True)
class Token:
    """A token and what it says of itself; no text form of this object shows the token.

    Attributes
    ----------
    text : str
        What is sent, at most 111 characters.
    access_key : str
    issued_s, expires_s : int
        Unix seconds; at `expires_s` the token is over.
    """

    text: str = field(repr=False)
    access_key: str
    issued_s: int
    expires_s: int


def issue_token(access_key: str, secret_key: str, *, now_s: float) -> Token:
    """Make a token that is good for 24 hours from now."""
    issued_s = int(now_s)
    expires_s = issued_s + TOKEN_LIFETIME_S
    claims = f"{access_key}.{issued_s}.{expires_s}"
    return Token(f"{claims}.{_mac(claims, secret_key)}", access_key, issued_s, expires_s)


def read_token(text: str) -> Token:
    """Read what a token says, which only :func:`verify_token` makes true; raises InvalidTokenError for other text."""
    fields = _TOKEN.fullmatch(text)
    if fields is None:
        raise InvalidTokenError("this is no token of this server")
    access_key, issued_s, expires_s = fields.groups()
    return Token(text, access_key, int(issued_s), int(expires_s))


def verify_token(token: Token, secret_key: str, *, now_s: float) -> None:
    """Check that the token was issued under this secret, and that its time is not over.

    Raises
    ------
    InvalidTokenError
        It was issued under another secret, or was changed.
    TokenExpiredError
        It was issued under this secret, and its time is over.
    """
    claims, _, mac = token.text.rpartition(".")
    if not hmac.compare_digest(_mac(claims, secret_key), mac):
        raise InvalidTokenError("this is no token of this server, or it was changed")
    if now_s >= token.expires_s:
        raise TokenExpiredError(token.expires_s)


def _mac(claims: str, secret_key: str) -> str:
    return hmac.new(secret_key.encode(), (PURPOSE + claims).encode(), hashlib.sha256).hexdigest()
