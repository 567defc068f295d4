"""The framework with an empty handler, served as the service is: what a call costs before we do anything."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI
from starlette.responses import Response


def nothing() -> Response:
    return Response()


def main() -> None:
    app = FastAPI(openapi_url=None)
    # Not `async`: the service's handlers block too, so the framework gives both to a thread.
    app.add_api_route("/", nothing, methods=["GET"])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)  # noqa: T201 - the trial reads it
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
