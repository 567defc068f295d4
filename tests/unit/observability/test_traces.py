"""Traces: only where they are asked for, and about what."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, format_span_id, format_trace_id

from tests.unit.observability.test_metrics import CENSUS
from tests.wire.asgi import call
from tests.wire.double import NOW_S, build
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.traces import Traces, current_trace_id, start_traces, traces_are_asked_for
from voicegauge.observability.watch import Watch

CALLER = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "voice"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
    ],
)
def test_off_unless_the_environment_asks(environment: dict[str, str], asked: bool) -> None:
    assert traces_are_asked_for(environment) is asked


def test_not_asked_for_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert start_traces({}) is None


def test_without_the_package_a_warning_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with caplog.at_level(logging.WARNING):
        assert start_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}) is None
    (message,) = caplog.messages
    assert 'pip install "voicegauge[otel]"' in message


def test_an_exporter_that_is_not_known_is_named(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert start_traces({"OTEL_TRACES_EXPORTER": "zipkin"}) is None
    assert "zipkin" in caplog.text


def test_a_request_makes_one_span_in_the_callers_trace_and_holds_no_query(tmp_path: Path) -> None:
    exporter = InMemorySpanExporter()
    traces = Traces(exporter)
    metrics = Metrics(lambda: None, lambda: CENSUS)
    app = build(tmp_path, lambda: NOW_S, watch=Watch(metrics, Readiness({}), traces)).app
    headers = {"traceparent": f"00-{CALLER}-{PARENT}-01"}
    answer = call(app, "GET", "/v1/p/voice-training-manage/user/short-jobs/j?Signature=secret", headers=headers)
    call(app, "GET", "/healthz")
    traces.provider.force_flush()
    (span,) = exporter.get_finished_spans()
    route = "/v1/{project_id}/voice-training-manage/user/short-jobs/{job_id}"
    assert span.name == f"GET {route}"
    assert span.parent is not None
    assert (format_trace_id(span.context.trace_id), format_span_id(span.parent.span_id)) == (CALLER, PARENT)
    assert dict(span.attributes or {}) == {
        "http.request.method": "GET",
        "http.route": route,
        "http.response.status_code": 401,
        "voicegauge.project_id": "p",
        "voicegauge.job_id": "j",
        "voicegauge.request_id": answer.headers["x-request-id"],
    }
    assert span.status.status_code is StatusCode.UNSET
    assert span.resource.attributes["service.name"] == "voicegauge"


def test_the_id_of_the_trace_under_way() -> None:
    traces = Traces(InMemorySpanExporter())
    assert current_trace_id() is None
    headers = [(b"traceparent", f"00-{CALLER}-{PARENT}-01".encode())]
    with traces.request({"type": "http", "method": "GET", "headers": headers}):
        assert current_trace_id() == CALLER
