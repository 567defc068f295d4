"""Who is calling: a signed request in, a caller out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicegauge.identity.directory import Directory
from voicegauge.identity.errors import AccessKeyLockedError, SignatureMismatchError, UnknownAccessKeyError
from voicegauge.identity.signature import HttpRequest, parse_authorization, verify
from voicegauge.identity.throttle import FailureThrottle

__all__ = ["Caller", "Gate"]


@dataclass(frozen=True)
class Caller:
    """Who signed a request, and the project it acts for."""

    access_key: str
    project_id: str


class Gate:
    """Lets signed requests in."""

    def __init__(self, directory: Directory, throttle: FailureThrottle, now_s: Callable[[], float]) -> None:
        self._directory = directory
        self._throttle = throttle
        self._now_s = now_s

    def authenticate(self, request: HttpRequest) -> Caller:
        """Return who signed the request; raises an AuthenticationError that says what is wrong.

        Five wrong signatures in a row lock the access key for five minutes, for right signatures too.
        """
        authorization = parse_authorization(request.headers)
        credential = self._directory.find_credential(authorization.access_key)
        if credential is None:
            raise UnknownAccessKeyError(authorization.access_key)
        locked_s = self._throttle.locked_for_s(credential.access_key)
        if locked_s:
            raise AccessKeyLockedError(credential.access_key, locked_s)
        try:
            verify(request, authorization, secret_key=credential.secret_key, now_s=self._now_s())
        except SignatureMismatchError:
            self._throttle.failed(credential.access_key)
            raise
        self._throttle.succeeded(credential.access_key)
        return Caller(credential.access_key, credential.project_id)
