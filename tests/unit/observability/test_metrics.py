"""The figures, as a scraper reads them."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from voicegauge.identity.errors import SignatureMismatchError, TokenExpiredError
from voicegauge.jobs.census import Census, QueueDepth
from voicegauge.jobs.job import JobState
from voicegauge.jobs.ports import TaskEvent
from voicegauge.observability.metrics import Metrics

DOCUMENT = Path(__file__).parents[3] / "docs" / "observability.md"

CENSUS = Census(
    jobs={**dict.fromkeys(JobState, 0), JobState.WAITING: 3, JobState.FAILED: 2},
    failures={"corrupt_archive": 2},
    queues={"jobs": QueueDepth(3, 12.5), "chunks": QueueDepth(0, 0.0)},
    workers=4,
)


def away() -> Any:
    raise OSError("no route to host")


def well() -> None:
    return None


def scraped(metrics: Metrics) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(metrics.exposition().decode())}


def values(metrics: Metrics) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *(f"{name}={value}" for name, value in sorted(sample.labels.items()))): sample.value
        for family in scraped(metrics).values()
        for sample in family.samples
    }


def test_what_the_database_knows() -> None:
    found = values(Metrics(well, lambda: CENSUS))
    assert found["voicegauge_database_up",] == 1
    assert found["voicegauge_jobs", "state=WAITING"] == 3
    assert found["voicegauge_jobs", "state=SUCCEED"] == 0
    assert found["voicegauge_failed_jobs", "code=corrupt_archive"] == 2
    assert found["voicegauge_queue_depth", "queue=jobs"] == 3
    assert found["voicegauge_queue_oldest_age_seconds", "queue=jobs"] == 12.5
    assert found["voicegauge_queue_oldest_age_seconds", "queue=chunks"] == 0
    assert found["voicegauge_workers",] == 4


@pytest.mark.parametrize("ping", [well, away])
def test_without_an_answer_of_the_database_a_scrape_still_has_the_rest(ping: Any) -> None:
    metrics = Metrics(ping, away)
    metrics.upload_ended("stored", 10)
    found = values(metrics)
    assert found["voicegauge_database_up",] == (ping is well)
    assert found["voicegauge_uploads_total", "outcome=stored"] == 1
    assert not [sample for sample in found if sample[0].startswith(("voicegauge_jobs", "voicegauge_queue"))]


def test_that_the_jobs_cannot_be_counted_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics(well, away)
    metrics.exposition()
    metrics.exposition()
    assert caplog.messages == ["the figures of the jobs cannot be counted: OSError"]


def test_a_database_that_hangs_does_not_hang_a_scrape() -> None:
    go_on = threading.Event()
    found = values(Metrics(go_on.wait, go_on.wait, timeout_s=0.01))  # type: ignore[arg-type]
    go_on.set()
    assert found["voicegauge_database_up",] == 0


def test_what_happened_in_this_process() -> None:
    metrics = Metrics(well, lambda: CENSUS)
    metrics.task_ended(TaskEvent("measure", "done", 1.5, "job", "project"))
    metrics.task_ended(TaskEvent("measure", "timed_out", 200.0, "job", "project"))
    metrics.request_ended("GET", "/v3/projects", 200, 0.003)
    metrics.upload_ended("stored", 1000)
    metrics.upload_ended("AccessDenied", 0)
    metrics.auth_failed(SignatureMismatchError("canonical"))
    metrics.auth_failed(TokenExpiredError(0))
    found = values(metrics)
    assert found["voicegauge_task_seconds_sum", "kind=measure", "outcome=done"] == 1.5
    assert found["voicegauge_task_seconds_count", "kind=measure", "outcome=timed_out"] == 1
    request = ("method=GET", "route=/v3/projects", "status=200")
    assert found["voicegauge_http_request_seconds_count", *request] == 1
    assert found["voicegauge_http_request_seconds_bucket", "le=0.005", *request] == 1
    assert found["voicegauge_http_request_seconds_bucket", "le=0.002", *request] == 0
    assert found["voicegauge_uploads_total", "outcome=AccessDenied"] == 1
    assert found["voicegauge_upload_bytes_total",] == 1000
    assert found["voicegauge_auth_failures_total", "reason=signature_mismatch"] == 1
    assert found["voicegauge_auth_failures_total", "reason=token_expired"] == 1
    assert found["voicegauge_auth_failures_total", "reason=wrong_password"] == 0


def test_two_instances_share_nothing() -> None:
    first, second = Metrics(well, lambda: CENSUS), Metrics(well, lambda: CENSUS)
    first.upload_ended("stored", 1)
    assert values(second)["voicegauge_upload_bytes_total",] == 0


def test_names_units_and_help_follow_the_conventions() -> None:
    for name, family in scraped(Metrics(well, lambda: CENSUS)).items():
        assert family.documentation, name
        if not name.startswith("process_"):
            assert re.fullmatch(r"voicegauge(_[a-z]+)+", name)
            assert not re.search(r"_(ms|mb|count|minutes)$", name)
            assert (family.type == "counter") is any(sample.name.endswith("_total") for sample in family.samples)


def test_the_document_names_every_metric_and_its_labels() -> None:
    page = DOCUMENT.read_text(encoding="utf-8")
    metrics = Metrics(well, lambda: CENSUS)
    metrics.task_ended(TaskEvent("measure", "done", 1.5, "job", "project"))
    metrics.request_ended("GET", "/v3/projects", 200, 0.003)
    documented = dict(re.findall(r"^\| `(voicegauge_\w+)`\s*\|\s*([^|]*?)\s*\|", page, re.MULTILINE))
    made = {
        name + ("_total" if family.type == "counter" else ""): {
            label for sample in family.samples for label in sample.labels if label != "le"
        }
        for name, family in scraped(metrics).items()
        if name.startswith("voicegauge_")
    }
    assert {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in documented.items()} == made
