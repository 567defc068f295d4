"""What watching a request costs: its metrics, its line in the log, its span.

    python -m bench.watching [--requests 2000] [--rounds 5]

Calls the application in this process without a socket or a log file, so the share is larger than in a service: a signed
ShowShortJob, and the refusal of an unsigned upload, which does next to nothing. Rounds alternate; medians of
processor time are shown.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.types import ASGIApp, Message
from tests.wire.double import NOW_S, Double, build, signed_headers

from voicegauge.jobs.census import Census
from voicegauge.observability.logs import configure_logs
from voicegauge.observability.metrics import Metrics
from voicegauge.observability.readiness import Readiness
from voicegauge.observability.traces import Traces
from voicegauge.observability.watch import Watch

CENSUS = Census(jobs={}, failures={}, queues={}, workers=0)


def main() -> None:
    """Print microseconds per request and the ratio to an application that nobody watches."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Path("/dev/null").open("w", encoding="utf-8") as nowhere:
        variants: dict[str, tuple[str, Watch | None]] = {
            "not watched": ("text", None),
            "metrics, text log": ("text", watch()),
            "metrics, JSON log": ("json", watch()),
            "metrics, JSON log, traces": ("json", watch(Traces(InMemorySpanExporter()))),
        }
        sites = {}
        for number, (name, (_, each)) in enumerate(variants.items()):
            data = Path(folder) / str(number)
            data.mkdir()
            sites[name] = build(data, lambda: NOW_S, watch=each)
        for what, request in (("signed show", show), ("refused upload", refused_upload)):
            took_us: dict[str, list[float]] = {name: [] for name in variants}
            for _ in range(flags.rounds):
                for name, (form, _) in variants.items():
                    configure_logs(form, stream=nowhere)
                    took_us[name].append(asyncio.run(timed_us(sites[name], request, flags.requests)))
            plain_us = statistics.median(took_us["not watched"])
            for name, rounds_us in took_us.items():
                each_us = statistics.median(rounds_us)
                print(f"{what:<16}{name:<28}{each_us:8.0f} us  x {each_us / plain_us:.2f}")


def watch(traces: Traces | None = None) -> Watch:
    """Watch a process without a database."""
    return Watch(Metrics(lambda: None, lambda: CENSUS), Readiness({}), traces)


def show(site: Double) -> tuple[str, str, Mapping[str, str]]:
    """Ask for a job."""
    job = site.jobs.create(site.project.project_id, "EN", None)
    path = f"{site.short_jobs}/{job.job_id}"
    return "GET", path, signed_headers(site.credential, "GET", path)


def refused_upload(site: Double) -> tuple[str, str, Mapping[str, str]]:
    """Upload without a signature."""
    return "PUT", "/voicegauge-uploads/a.zip", {"content-length": "0"}


async def timed_us(site: Double, request: Callable[[Double], tuple[str, str, Mapping[str, str]]], count: int) -> float:
    """Return the mean processor time of a request, in microseconds."""
    method, path, headers = request(site)
    raw_headers = [(name.encode(), value.encode()) for name, value in {"host": "localhost", **headers}.items()]
    await call(site.app, method, path, raw_headers)
    began_s = time.process_time()
    for _ in range(count):
        await call(site.app, method, path, raw_headers)
    return (time.process_time() - began_s) / count * 1e6


async def call(app: ASGIApp, method: str, path: str, headers: list[tuple[bytes, bytes]]) -> None:
    """Send one request without a body."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Message) -> None:
        pass

    await app(scope, receive, send)


if __name__ == "__main__":
    main()
