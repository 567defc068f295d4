"""The three calls of a short job, and one of ours that cancels it."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from voicegauge.context import note
from voicegauge.identity.gate import Gate
from voicegauge.identity.signature import HttpRequest
from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.job import Job
from voicegauge.metastudio.authentication import authenticate, receive
from voicegauge.metastudio.ports import Jobs, UploadUrls
from voicegauge.metastudio.wire import (
    JOB_ERRORS,
    JOB_TYPE,
    LANGUAGES,
    InvalidBodyError,
    InvalidParameterError,
    MalformedRequestError,
    WrongProjectError,
    created_job,
    job_error,
    shown_job,
)

__all__ = ["short_job_router"]

Handler = Callable[[Request], Awaitable[Response]]

PATH = "/v1/{project_id}/voice-training-manage/user/short-jobs"
APP_USER_ID_MAX_CHARS = 256

_JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HOST = re.compile(r"[A-Za-z0-9._\-:\[\]]{1,255}")


def short_job_router(*, gate: Gate, jobs: Jobs, upload_urls: UploadUrls, public_url: str = "") -> APIRouter:
    """Make the routes CreateShortJob, CommitShortJob and ShowShortJob, and DELETE, which the vendor does not have.

    Parameters
    ----------
    gate : Gate
        Tells who signed a request.
    jobs : Jobs
    upload_urls : UploadUrls
    public_url : str
        Where clients reach this service; when empty, where each one called it, by its Host header.
    """
    calls = _ShortJobs(gate, jobs, upload_urls, public_url)
    router = APIRouter()
    # Plain routes: what the framework would do to find the handlers' parameters is a fifth of a signed call.
    for path, handler, method in (
        (PATH, calls.create, "POST"),
        (PATH + "/{job_id}", calls.commit, "POST"),
        (PATH + "/{job_id}", calls.show, "GET"),
        (PATH + "/{job_id}", calls.cancel, "DELETE"),
    ):
        router.add_route(path, _known_by(path, handler), methods=[method])
    return router


def _known_by(path: str, handler: Handler) -> Handler:
    """Let those who watch requests know a plain route by its path, as they know the framework's own."""
    route = Route(path, handler)

    async def handle(request: Request) -> Response:
        request.scope["route"] = route
        return await handler(request)

    return handle


class _ShortJobs:
    """The handlers. What blocks runs in threads; that is what jobs and upload URLs do, and nothing else."""

    def __init__(self, gate: Gate, jobs: Jobs, upload_urls: UploadUrls, public_url: str) -> None:
        self._gate = gate
        self._jobs = jobs
        self._upload_urls = upload_urls
        self._public_url = public_url

    async def create(self, request: Request) -> Response:
        received = await receive(request)
        project_id, app_user_id = await self._admit(request, received)
        language = _language(received.body)
        base_url = self._public_url or _base_url(request.url.scheme, received)
        return await run_in_threadpool(self._create, project_id, language, app_user_id, base_url)

    async def commit(self, request: Request) -> Response:
        await self._about_job(request, self._jobs.commit)
        return Response()

    async def show(self, request: Request) -> Response:
        return JSONResponse(shown_job(await self._about_job(request, self._jobs.get)))

    async def cancel(self, request: Request) -> Response:
        await self._about_job(request, self._jobs.cancel)
        return Response(status_code=204)

    async def _about_job(self, request: Request, ask: Callable[[str, str], Job]) -> Job:
        project_id, _ = await self._admit(request, await receive(request))
        try:
            return await run_in_threadpool(ask, project_id, _checked_job_id(request.path_params["job_id"]))
        except tuple(JOB_ERRORS) as error:
            raise job_error(error) from error

    def _create(self, project_id: str, language: str, app_user_id: str | None, base_url: str) -> Response:
        job = self._jobs.create(project_id, language, app_user_id)
        note(job_id=job.job_id)
        upload_url = self._upload_urls(job.object_key, base_url=base_url)
        return JSONResponse(created_job(job, upload_url))

    async def _admit(self, request: Request, received: HttpRequest) -> tuple[str, str | None]:
        """Check who calls and for which project; return that, and the caller's own name for its user."""
        caller = await authenticate(self._gate, received)
        project_id: str = request.path_params["project_id"]
        if project_id == "{project_id}":
            raise WrongProjectError(
                "the URL holds the words {project_id} instead of a project id: give the SDK's credentials a project id"
            )
        for claimed in (project_id, received.headers.get("x-project-id", project_id)):
            if claimed != caller.project_id:
                raise WrongProjectError(
                    f"project {claimed[:64]} is not the one that access key {caller.access_key} acts for"
                )
        return project_id, _app_user_id(received)


def _checked_job_id(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise JobNotFoundError(job_id)
    return job_id


def _app_user_id(received: HttpRequest) -> str | None:
    value = received.headers.get("x-app-userid")
    if value is None:
        return None
    if not 1 <= len(value) <= APP_USER_ID_MAX_CHARS:
        raise InvalidParameterError(
            f"X-App-UserId must have 1 to {APP_USER_ID_MAX_CHARS} characters; this one has {len(value)}"
        )
    if not (value.isascii() and value.isprintable()):
        raise InvalidParameterError("X-App-UserId must not hold Chinese or other characters outside printable ASCII")
    return value


def _language(body: bytes) -> str:
    """Read the body of CreateShortJob; fields it does not know are left alone."""
    document = _json_object(body)
    job_type = document.get("job_type")
    if job_type != JOB_TYPE:
        raise InvalidParameterError(f"job_type must be {JOB_TYPE}, not {_quoted(job_type)}")
    language = document.get("language")
    if language is None:
        return LANGUAGES[0]
    if not isinstance(language, str) or language not in LANGUAGES:
        raise InvalidParameterError(f"language must be {' or '.join(LANGUAGES)}, not {_quoted(language)}")
    return language


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidBodyError(
            f'the body is not JSON; it must be an object such as {{"job_type": "{JOB_TYPE}"}}'
        ) from error
    if not isinstance(document, dict):
        raise InvalidBodyError(f'the body must be a JSON object such as {{"job_type": "{JOB_TYPE}"}}')
    return document


def _quoted(value: object) -> str:
    return json.dumps(value)[:64]


def _base_url(scheme: str, received: HttpRequest) -> str:
    host = received.headers.get("host", "")
    if not _HOST.fullmatch(host):
        raise MalformedRequestError("the request has no usable Host header")
    return f"{scheme}://{host}"
