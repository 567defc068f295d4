"""OpenTelemetry traces: an extra, and off unless the environment asks for them in OpenTelemetry's own variables.

The durable engine makes the spans of workflows and their steps, and carries the trace from the request that committed a
job to the worker that does it. Here are the rest: where spans go, the spans of requests, and what each span is about.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from voicegauge._version import __version__
from voicegauge.context import current_fields

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer
    from starlette.types import Scope

__all__ = ["RequestSpan", "Traces", "current_trace_id", "start_traces", "traces_are_asked_for"]

log = logging.getLogger(__name__)

SERVICE_NAME = "voicegauge"
ENDPOINT_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
EXPORTERS = ("otlp", "console")


def traces_are_asked_for(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment names an exporter or an endpoint, and does not switch traces off."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "")
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporter == "none":
        return False
    return bool(exporter) or any(environment.get(name) for name in ENDPOINT_VARIABLES)


def start_traces(environment: Mapping[str, str] = os.environ) -> Traces | None:
    """Begin to make traces, once in a process, if the environment asks for them.

    Where they cannot be made, a warning says why and the service goes on without.
    """
    if not traces_are_asked_for(environment):
        return None
    exporter = environment.get("OTEL_TRACES_EXPORTER", "otlp")
    if exporter not in EXPORTERS:
        log.warning("no traces: OTEL_TRACES_EXPORTER is %r; known here are %s", exporter, " and ".join(EXPORTERS))
        return None
    try:
        traces = Traces(_exporter(exporter))
    except ImportError as error:
        log.warning(
            'no traces: they are asked for by the environment, but %s is missing: pip install "voicegauge[otel]"',
            error.name,
        )
        return None
    from opentelemetry import trace

    # The durable engine takes the process's own.
    trace.set_tracer_provider(traces.provider)
    return traces


class Traces:
    """Where spans go, and what they are about.

    Parameters
    ----------
    exporter : SpanExporter
    """

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE_NAME
        resource = Resource.create({"service.name": name, "service.version": __version__})
        # Sends what is left when the process exits.
        self.provider = TracerProvider(resource=resource)
        self.provider.add_span_processor(_fields_processor())
        self.provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self.provider.get_tracer("voicegauge", __version__)

    def request(self, scope: Scope) -> AbstractContextManager[RequestSpan]:
        """Make the span of an HTTP request, within the caller's trace where its headers name one."""
        return _request_span(self._tracer, scope)


class RequestSpan:
    """The span of a request, told its end when that is known."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def finish(self, method: str, route: str, status: int) -> None:
        """Name the span by its route, and say how the request ended."""
        from opentelemetry.trace import StatusCode

        self._span.update_name(f"{method} {route}")
        self._span.set_attributes({"http.route": route, "http.response.status_code": status, **_named_fields()})
        if status >= 500:
            self._span.set_status(StatusCode.ERROR)


@contextlib.contextmanager
def _request_span(tracer: Tracer, scope: Scope) -> Iterator[RequestSpan]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    names = (b"traceparent", b"tracestate")
    carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in names}
    parent = TraceContextTextMapPropagator().extract(carrier)
    attributes = {"http.request.method": scope["method"]}
    with tracer.start_as_current_span(
        scope["method"], context=parent, kind=SpanKind.SERVER, attributes=attributes
    ) as span:
        yield RequestSpan(span)


def current_trace_id() -> str | None:
    """Return the id of the trace under way in 32 hex digits; only to be called where traces are made."""
    from opentelemetry import trace

    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def _named_fields() -> dict[str, str]:
    return {f"voicegauge.{name}": value for name, value in current_fields().items()}


def _fields_processor() -> SpanProcessor:
    from opentelemetry.sdk.trace import SpanProcessor

    class Fields(SpanProcessor):
        """Says on every span what it is about."""

        def on_start(self, span: Span, parent_context: Context | None = None) -> None:
            span.set_attributes(_named_fields())

    return Fields()


def _exporter(name: str) -> SpanExporter:
    if name == "console":
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter

        return ConsoleSpanExporter(out=sys.stderr)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # Reads its endpoint, headers and timeout from the environment.
    return OTLPSpanExporter()
