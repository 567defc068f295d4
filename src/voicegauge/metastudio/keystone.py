"""The words of the token call, `POST /v3/auth/tokens`: what IAM takes and answers, in OpenStack Keystone's form.

KeystoneError              the answer is {"error": {"code", "message", "title"}}
├── BadRequestError        400 Bad Request     the body is not the documented one
└── UnauthorizedError      401 Unauthorized    name, password and project do not belong together, or the key is locked

References
----------
.. [1] Huawei Cloud, IAM API reference, "Obtaining a User Token Through Password Authentication" (2025-03-28).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from voicegauge.identity.directory import Project
from voicegauge.identity.tokens import Token
from voicegauge.metastudio.wire import iam_time

__all__ = [
    "BadRequestError",
    "KeystoneError",
    "TokenRequest",
    "UnauthorizedError",
    "issued_token",
    "read_token_request",
]

METHODS = ["password"]
ROLES = [{"id": "0", "name": "MetaStudio FullAccess"}]
"""The system policy that comes nearest to what an access key may do: everything in its project."""


class KeystoneError(Exception):
    """An answer that is not a token."""

    http_status: int
    title: str

    def body(self) -> dict[str, Any]:
        """Render the body."""
        return {"error": {"code": self.http_status, "message": str(self), "title": self.title}}


class BadRequestError(KeystoneError):
    """The body is not the documented one."""

    http_status = 400
    title = "Bad Request"


class UnauthorizedError(KeystoneError):
    """Nobody gets a token for this."""

    http_status = 401
    title = "Unauthorized"


@dataclass(frozen=True)
class TokenRequest:
    """Who asks for a token, and for which project: by id, by name, or, with both None, for the only one there is."""

    user_name: str
    password: str = field(repr=False)
    domain_name: str
    project_id: str | None
    project_name: str | None


def read_token_request(body: bytes) -> TokenRequest:
    """Read the body of a request for a token; raises BadRequestError naming the member that is wrong."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        # Not chained: the error quotes what may hold a password.
        raise BadRequestError("The body is not JSON.") from None
    if _member(document, "auth.identity.methods") != METHODS:
        raise BadRequestError('auth.identity.methods must be ["password"]; this server knows no other method.')
    project = _scope(document)
    user = "auth.identity.password.user"
    return TokenRequest(
        user_name=_text(document, f"{user}.name"),
        password=_text(document, f"{user}.password"),
        domain_name=_text(document, f"{user}.domain.name"),
        project_id=_text(document, "auth.scope.project.id") if "id" in project else None,
        project_name=_text(document, "auth.scope.project.name") if "name" in project else None,
    )


def issued_token(token: Token, project: Project, request: TokenRequest) -> dict[str, Any]:
    """Render the body beside a token; the account and the project are called by the names they were asked for."""
    domain = {"id": project.domain_id, "name": request.domain_name}
    return {
        "token": {
            "catalog": [],
            "expires_at": iam_time(token.expires_s),
            "issued_at": iam_time(token.issued_s),
            "methods": METHODS,
            "project": {"id": project.project_id, "name": request.project_name or project.name, "domain": domain},
            "roles": ROLES,
            "user": {
                "id": token.access_key,
                "name": token.access_key,
                "domain": domain,
                "password_expires_at": "",
            },
        }
    }


def _scope(document: Any) -> dict[str, Any]:
    if _member(document, "auth.scope") is None:
        return {}
    project = _member(document, "auth.scope.project")
    if not isinstance(project, dict) or not project.keys() & {"id", "name"}:
        raise BadRequestError('auth.scope must be {"project": {"id": ...}} or {"project": {"name": ...}}, or left out.')
    return project


def _text(document: Any, path: str) -> str:
    value = _member(document, path)
    if not isinstance(value, str) or not value:
        raise BadRequestError(f"{path} must be a text that is not empty.")
    try:
        value.encode()
    except UnicodeEncodeError:
        # Not chained: the error quotes what may be a password.
        raise BadRequestError(f"{path} holds half a surrogate pair.") from None
    return value


def _member(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document
