"""Who is calling: a signed request, or one with a token, in; a caller out."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from voicegauge.identity.directory import Credential, Directory
from voicegauge.identity.errors import (
    AccessKeyLockedError,
    AuthenticationError,
    InvalidTokenError,
    SignatureMismatchError,
    UnknownAccessKeyError,
    WrongPasswordError,
)
from voicegauge.identity.recent import NotRememberedError, RecentCredentials
from voicegauge.identity.signature import HttpRequest, parse_authorization, verify
from voicegauge.identity.throttle import FailureThrottle
from voicegauge.identity.tokens import Token, issue_token, read_token, verify_token

__all__ = ["Caller", "Gate", "GateWatch"]

Find = Callable[[str], Credential | None]

TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the header's name


@dataclass(frozen=True)
class Caller:
    """Whose access key vouches for a request, and the project it acts for."""

    access_key: str
    project_id: str


class GateWatch(Protocol):
    """Is told who comes to the gate. Called in the thread that serves the caller, so it must be quick."""

    def came(self, access_key: str) -> None:
        """Somebody named this access key, which exists; it is not certain yet that it is theirs."""
        ...

    def refused(self, error: AuthenticationError) -> None:
        """Somebody was not let in."""
        ...


class Gate:
    """Lets signed requests and those with a token in, and issues the tokens.

    An access key and its secret key are also a user name and a password. Five wrong signatures or passwords in a row
    lock the access key for five minutes, for right ones too; tokens it has already stay good, so that nobody's guesses
    stop a client at work.
    """

    def __init__(
        self,
        directory: Directory,
        throttle: FailureThrottle,
        now_s: Callable[[], float],
        watch: GateWatch | None = None,
    ) -> None:
        self._credentials = RecentCredentials(directory.find_credential, now_s)
        self._throttle = throttle
        self._now_s = now_s
        self._watch = watch

    def authenticate(self, request: HttpRequest) -> Caller:
        """Return whose request it is; raises an AuthenticationError that says what is wrong.

        Where there are a signature and a token, the signature decides and the token is not looked at: a signature
        vouches for this one request, a token for whoever holds it.
        """
        return self._authenticate(request, self._credentials.find)

    def authenticate_at_once(self, request: HttpRequest) -> Caller | None:
        """Return and raise what :meth:`authenticate` does, but None where that would ask the database."""
        try:
            return self._authenticate(request, self._credentials.remembered)
        except NotRememberedError:
            return None

    def _authenticate(self, request: HttpRequest, find: Find) -> Caller:
        token = request.headers.get(TOKEN_HEADER, "").strip()
        with self._watched():
            if token and not request.headers.get("authorization", "").strip():
                credential = self._holder(read_token(token), find)
            else:
                credential = self._signer(request, find)
        return Caller(credential.access_key, credential.project_id)

    def issue_token(self, access_key: str, secret_key: str) -> tuple[Caller, Token]:
        """Exchange a user name and password for a token; raises WrongPasswordError or AccessKeyLockedError."""
        with self._watched():
            credential = self._find(access_key, self._credentials.find)
            if credential is None:
                raise WrongPasswordError
            self._refuse_locked(credential.access_key)
            if not hmac.compare_digest(credential.secret_key.encode(), secret_key.encode()):
                self._throttle.failed(credential.access_key)
                raise WrongPasswordError
        self._throttle.succeeded(credential.access_key)
        token = issue_token(credential.access_key, credential.secret_key, now_s=self._now_s())
        return Caller(credential.access_key, credential.project_id), token

    def _signer(self, request: HttpRequest, find: Find) -> Credential:
        authorization = parse_authorization(request.headers)
        credential = self._find(authorization.access_key, find)
        if credential is None:
            raise UnknownAccessKeyError(authorization.access_key)
        self._refuse_locked(credential.access_key)
        try:
            verify(request, authorization, secret_key=credential.secret_key, now_s=self._now_s())
        except SignatureMismatchError:
            self._throttle.failed(credential.access_key)
            raise
        self._throttle.succeeded(credential.access_key)
        return credential

    def _holder(self, token: Token, find: Find) -> Credential:
        credential = self._find(token.access_key, find)
        if credential is None:
            raise InvalidTokenError(f"its access key {token.access_key} does not exist or was revoked")
        verify_token(token, credential.secret_key, now_s=self._now_s())
        return credential

    def _find(self, access_key: str, find: Find) -> Credential | None:
        credential = find(access_key)
        if credential is not None and self._watch is not None:
            self._watch.came(credential.access_key)
        return credential

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except AuthenticationError as error:
            if self._watch is not None:
                self._watch.refused(error)
            raise

    def _refuse_locked(self, access_key: str) -> None:
        locked_s = self._throttle.locked_for_s(access_key)
        if locked_s:
            raise AccessKeyLockedError(access_key, locked_s)
