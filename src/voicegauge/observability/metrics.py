"""Figures for Prometheus. docs/observability.md says what each means; a test holds the two together."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram, Info, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from voicegauge._version import __version__
from voicegauge.identity.errors import AuthenticationError
from voicegauge.jobs.census import Census
from voicegauge.jobs.ports import TaskEvent
from voicegauge.observability.probe import Probe

__all__ = ["CONTENT_TYPE_LATEST", "Metrics"]

log = logging.getLogger(__name__)
T = TypeVar("T")

TASK_BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
REQUEST_BUCKETS_S = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)

# A scrape answers whatever the database does; scrapers give up after 10 s unless told otherwise.
DATABASE_TIMEOUT_S = 2.0
# Several scrapers, or an impatient one, do not make the database count more often.
CENSUS_FRESH_S = 5.0


class Metrics:
    """The figures of one process, and those of the whole installation that are counted in the database.

    Parameters
    ----------
    ping : callable
        Asks the database for an answer; raises where there is none.
    census : callable
        Counts the jobs.
    timeout_s : float
        How long a scrape waits for either.
    """

    def __init__(
        self, ping: Callable[[], object], census: Callable[[], Census], *, timeout_s: float = DATABASE_TIMEOUT_S
    ) -> None:
        # When a counter was made tells nobody anything, and doubles the text.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = CollectorRegistry()
        self._registry.register(_DatabaseCollector(ping, census, timeout_s))
        ProcessCollector(registry=self._registry)
        Info("voicegauge_build", "The version that runs.", registry=self._registry).info({"version": __version__})
        self._tasks = Histogram(
            "voicegauge_task_seconds",
            "How long tasks took in this worker, from when a process was free for them.",
            ("kind", "outcome"),
            buckets=TASK_BUCKETS_S,
            registry=self._registry,
        )
        self._requests = Histogram(
            "voicegauge_http_request_seconds",
            "How long requests took, from the first byte to the last.",
            ("method", "route", "status"),
            buckets=REQUEST_BUCKETS_S,
            registry=self._registry,
        )
        self._uploads = Counter(
            "voicegauge_uploads", "Uploads through this process, by outcome.", ("outcome",), registry=self._registry
        )
        self._upload_bytes = Counter(
            "voicegauge_upload_bytes", "Bytes stored by uploads through this process.", registry=self._registry
        )
        self._auth_failures = Counter(
            "voicegauge_auth_failures", "Callers that were not let in, by reason.", ("reason",), registry=self._registry
        )
        # Present from the start, so that a rate over the first failure is not lost.
        self._uploads.labels("stored")
        for error in AuthenticationError.__subclasses__():
            self._auth_failures.labels(_reason(error))

    def task_ended(self, event: TaskEvent) -> None:
        """Count a task; to be given to the job engine."""
        self._tasks.labels(event.kind, event.outcome).observe(event.seconds)

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request; `route` is a template such as `/v1/{project_id}`, never what a caller wrote."""
        self._requests.labels(method, route, str(status)).observe(seconds)

    def upload_ended(self, outcome: str, size_bytes: int) -> None:
        """Count an upload: "stored" with its bytes, or a word for why not with 0."""
        self._uploads.labels(outcome).inc()
        self._upload_bytes.inc(size_bytes)

    def auth_failed(self, error: AuthenticationError) -> None:
        """Count a caller that was not let in."""
        self._auth_failures.labels(_reason(type(error))).inc()

    def exposition(self) -> bytes:
        """Render everything in Prometheus' text form; blocks for at most a little more than the timeout."""
        return generate_latest(self._registry)


class _DatabaseCollector(Collector):
    """What the database knows, asked at the moment of the scrape."""

    def __init__(self, ping: Callable[[], object], census: Callable[[], Census], timeout_s: float) -> None:
        self._ping = Probe(lambda: ping() or True, timeout_s=timeout_s, fresh_s=0.0)
        self._census = Probe(census, timeout_s=timeout_s, fresh_s=CENSUS_FRESH_S)
        self._failing = False

    def describe(self) -> Iterable[Metric]:
        """Name the families without asking the database."""
        return _families().values()

    def collect(self) -> Iterator[Metric]:
        families = _families()
        self._census.start()
        is_up = self._answer(self._ping) is not None
        families["database_up"].add_metric((), is_up)
        yield families.pop("database_up")
        census = self._answer(self._census) if is_up else None
        if census is None:
            # No sample rather than a wrong or an old one.
            return
        self._failing = False
        for state, count in census.jobs.items():
            families["jobs"].add_metric((state.value,), count)
        for code, count in census.failures.items():
            families["failed_jobs"].add_metric((code,), count)
        for queue, depth in census.queues.items():
            families["queue_depth"].add_metric((queue,), depth.waiting)
            families["queue_oldest_age_seconds"].add_metric((queue,), depth.oldest_age_s)
        families["workers"].add_metric((), census.workers)
        yield from families.values()

    def _answer(self, probe: Probe[T]) -> T | None:
        try:
            return probe.result()
        except Exception as error:  # noqa: BLE001 - a scrape tells of it by what it lacks
            if not self._failing:
                # The name alone: the words of a database's error may hold an address or worse.
                log.warning("the figures of the jobs cannot be counted: %s", type(error).__name__)
            self._failing = True
            return None


def _families() -> dict[str, GaugeMetricFamily]:
    gauges = {
        "database_up": ("Whether the database answered this process in time.", ()),
        "jobs": ("Jobs in the database, by state.", ("state",)),
        "failed_jobs": ("Jobs in the database that are FAILED, by failure code.", ("code",)),
        "queue_depth": ("Jobs, or chunks of jobs, that wait for a worker.", ("queue",)),
        "queue_oldest_age_seconds": ("For how long the one that waits longest has waited; 0 without one.", ("queue",)),
        "workers": ("Workers whose lease is live.", ()),
    }
    return {
        name: GaugeMetricFamily(f"voicegauge_{name}", text, labels=labels) for name, (text, labels) in gauges.items()
    }


def _reason(error: type[AuthenticationError]) -> str:
    """Turn SignatureMismatchError into signature_mismatch."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", error.__name__.removesuffix("Error")).lower()
