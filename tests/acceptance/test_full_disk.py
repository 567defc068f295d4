"""A disk that is full in mid-job, in a worker's real writes: nothing is lost, and work goes on when there is room."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.jobs_harness import Desk, WorkerProcess
from tests.contract.scripted_pipeline import wait_for
from voicegauge.jobs.job import JobState


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    desk.watch_moves()
    yield desk
    desk.close()


@pytest.fixture
def worker(desk: Desk) -> Iterator[WorkerProcess]:
    worker = WorkerProcess(desk, stderr=subprocess.PIPE)
    worker.wait_until_ready()
    yield worker
    if worker.process.poll() is None:
        worker.kill()


def _let_write(worker: WorkerProcess, most_bytes: int) -> None:
    """Let the worker, and no child of it, write files of so many bytes; more fails as on a full disk."""
    _, hard = resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(worker.process.pid, resource.RLIMIT_FSIZE, (most_bytes, hard))


def _wait_for_failed_writes(worker: WorkerProcess, count: int) -> None:
    assert worker.process.stderr is not None
    for line in worker.process.stderr:
        count -= "disk I/O error" in line
        if count == 0:
            return
    raise AssertionError("the worker ended")


# The engine's own write follows the plan, ours the measuring.
@pytest.mark.parametrize("gate", ["plan", "a"])
def test_a_job_in_work_when_the_disk_fills_ends_when_there_is_room(
    desk: Desk, worker: WorkerProcess, gate: str
) -> None:
    job = desk.commit({"plan": ["gate"][: gate == "plan"], "recordings": {"a": ["gate"][: gate == "a"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, gate), f"the gate at {gate}")
    _let_write(worker, 0)
    desk.pipeline.open(job.object_key, gate)
    _wait_for_failed_writes(worker, 2)
    assert desk.store.find(job.job_id).state is JobState.PROCESSING
    _let_write(worker, resource.RLIM_INFINITY)
    ended = desk.end_of(job)
    assert (ended.state, ended.failure_reason) == (JobState.SUCCEED, None)
    assert desk.moves(job) == ["WAITING", "PROCESSING", "SUCCEED"]
    assert worker.stop() == 0
