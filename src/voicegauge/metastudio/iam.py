"""The calls to IAM.

Two the SDKs make by themselves: which project, and which account, does this key belong to? The third is for whoever has
no signer at hand, such as curl: a token for a user name and a password.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voicegauge.identity.directory import Directory, Project
from voicegauge.identity.errors import AccessKeyLockedError, WrongPasswordError
from voicegauge.identity.gate import Gate
from voicegauge.metastudio.authentication import Received, authenticate
from voicegauge.metastudio.keystone import KeystoneError, UnauthorizedError, issued_token, read_token_request

__all__ = ["iam_router"]


def iam_router(*, gate: Gate, directory: Directory) -> APIRouter:
    """Make the routes `GET /v3/projects`, `GET /v3/auth/domains` and `POST /v3/auth/tokens`.

    A key acts for one project, and that project is the answer under every region name that is asked for: an SDK that is
    given a region and no project id takes the only project it gets. The same goes for a token's scope by name.
    """
    calls = _Iam(gate, directory)
    router = APIRouter()
    router.add_api_route("/v3/projects", calls.list_projects, methods=["GET"])
    router.add_api_route("/v3/auth/domains", calls.list_domains, methods=["GET"])
    router.add_api_route("/v3/auth/tokens", calls.create_token, methods=["POST"])
    return router


class _Iam:
    def __init__(self, gate: Gate, directory: Directory) -> None:
        self._gate = gate
        self._directory = directory

    async def list_projects(self, request: Request, received: Received) -> Response:
        project = await self._caller_project(received)
        name = request.query_params.get("name", project.name)
        return JSONResponse({"projects": [_rendered(project, name)], "links": {}})

    async def list_domains(self, received: Received) -> Response:
        project = await self._caller_project(received)
        return JSONResponse({"domains": [{"id": project.domain_id, "name": project.name}], "links": {}})

    def create_token(self, received: Received) -> Response:
        """Answer with a token in the header; `nocatalog` in the query changes nothing, since the catalog is empty."""
        try:
            return self._issued(received.body)
        except KeystoneError as error:
            return JSONResponse(error.body(), error.http_status)

    def _issued(self, body: bytes) -> Response:
        asked = read_token_request(body)
        try:
            caller, token = self._gate.issue_token(asked.user_name, asked.password)
        except (WrongPasswordError, AccessKeyLockedError) as error:
            raise UnauthorizedError(_sentence(error)) from error
        if asked.project_id is not None and asked.project_id != caller.project_id:
            raise UnauthorizedError(
                f"Access key {caller.access_key} acts for project {caller.project_id}, not for {asked.project_id[:64]}."
            )
        project = self._directory.project(caller.project_id)
        return JSONResponse(issued_token(token, project, asked), 201, {"X-Subject-Token": token.text})

    async def _caller_project(self, received: Received) -> Project:
        caller = await authenticate(self._gate, received)
        return await run_in_threadpool(self._directory.project, caller.project_id)


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[0].upper()}{text[1:]}."


def _rendered(project: Project, name: str) -> dict[str, Any]:
    return {
        "id": project.project_id,
        "name": name,
        "domain_id": project.domain_id,
        "enabled": True,
        "is_domain": False,
        "parent_id": project.domain_id,
        "description": "",
        "links": {},
    }
