"""Everything that watches one process, put together."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.routing import Route

from voicegauge.context import note
from voicegauge.identity.errors import AuthenticationError
from voicegauge.observability.health import health_routes
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.requests import RequestWatch
from voicegauge.observability.traces import Traces

__all__ = ["CallerWatch", "Watch"]


@dataclass(frozen=True)
class Watch:
    """What is counted, what is checked, and the traces, where there are any."""

    metrics: Metrics
    readiness: Readiness
    traces: Traces | None

    def routes(self) -> list[Route]:
        """Make /healthz, /readyz and /metrics."""
        return health_routes(self.readiness, self.metrics)

    def install(self, app: FastAPI) -> None:
        """Watch every request to an application, and give it the three routes; to be called last."""
        for route in self.routes():
            # Added as a route of the framework's own, so that it is known by its path.
            app.add_api_route(route.path, route.endpoint, methods=["GET"], include_in_schema=False)
        span = None if self.traces is None else self.traces.request
        app.add_middleware(RequestWatch, metrics=self.metrics, span=span)


class CallerWatch:
    """Counts who is not let in, and names the access key in the log; a :class:`voicegauge.identity.gate.GateWatch`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def came(self, access_key: str) -> None:
        note(access_key=access_key)

    def refused(self, error: AuthenticationError) -> None:
        self._metrics.auth_failed(error)
