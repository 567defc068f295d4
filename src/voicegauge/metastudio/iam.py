"""The two calls to IAM that the SDKs make by themselves: which project, and which account, does this key belong to?"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from voicegauge.identity.directory import Directory, Project
from voicegauge.identity.gate import Gate
from voicegauge.metastudio.authentication import Received, authenticate

__all__ = ["iam_router"]


def iam_router(*, gate: Gate, directory: Directory) -> APIRouter:
    """Make the routes `GET /v3/projects` and `GET /v3/auth/domains`.

    A key acts for one project, and that project is the answer under every region name that is asked for: an SDK that is
    given a region and no project id takes the only project it gets.
    """
    calls = _Iam(gate, directory)
    router = APIRouter()
    router.add_api_route("/v3/projects", calls.list_projects, methods=["GET"])
    router.add_api_route("/v3/auth/domains", calls.list_domains, methods=["GET"])
    return router


class _Iam:
    def __init__(self, gate: Gate, directory: Directory) -> None:
        self._gate = gate
        self._directory = directory

    def list_projects(self, request: Request, received: Received) -> Response:
        project = self._caller_project(received)
        name = request.query_params.get("name", project.name)
        return JSONResponse({"projects": [_rendered(project, name)], "links": {}})

    def list_domains(self, received: Received) -> Response:
        project = self._caller_project(received)
        return JSONResponse({"domains": [{"id": project.domain_id, "name": project.name}], "links": {}})

    def _caller_project(self, received: Received) -> Project:
        return self._directory.project(authenticate(self._gate, received).project_id)


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
