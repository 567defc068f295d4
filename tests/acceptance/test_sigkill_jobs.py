"""Killing the worker at any point loses no committed job, and ends none twice."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.jobs_harness import Desk, WorkerProcess
from tests.contract.scripted_pipeline import wait_for
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.workflows import workflow_status

LIFE = ["WAITING", "PROCESSING", "SUCCEED"]
SCRIPT = {"recordings": {"a": ["ok"], "b": ["ok"], "c": ["ok"]}}


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = Desk(tmp_path, database_url)
    desk.watch_moves()
    yield desk
    desk.close()


@pytest.fixture
def start_worker(desk: Desk) -> Iterator[Callable[..., WorkerProcess]]:
    workers: list[WorkerProcess] = []

    def start(*options: str) -> WorkerProcess:
        workers.append(WorkerProcess(desk, *options))
        workers[-1].wait_until_ready()
        return workers[-1]

    yield start
    for worker in workers:
        if worker.process.poll() is None:
            worker.kill()


def _check_verdict(desk: Desk, job: Job, names: list[str]) -> None:
    ended = desk.end_of(job)
    assert (ended.state, ended.failure_reason) == (JobState.SUCCEED, None)
    assert ended.result == {"language": "EN", "recordings": names}
    assert desk.moves(job) == LIFE


@pytest.mark.parametrize("gate", ["plan", "a", "b", "c"])
def test_killed_in_mid_job(desk: Desk, start_worker: Callable[..., WorkerProcess], gate: str) -> None:
    gated = {place: ["gate"] if place == gate else [] for place in ("plan", "a", "b", "c")}
    script = {"plan": gated.pop("plan"), "recordings": gated}
    worker = start_worker()
    job = desk.commit(script)
    wait_for(lambda: desk.pipeline.reached(job.object_key, gate), f"the gate at {gate}")
    worker.kill()
    desk.pipeline.open(job.object_key, gate)
    second = start_worker()
    _check_verdict(desk, job, ["a", "b", "c"])
    assert second.stop() == 0


def test_killed_before_the_work_began(desk: Desk, start_worker: Callable[..., WorkerProcess]) -> None:
    start_worker().kill()
    job = desk.commit(SCRIPT)
    assert desk.store.find(job.job_id).state is JobState.WAITING
    start_worker()
    _check_verdict(desk, job, ["a", "b", "c"])


def test_killed_between_the_verdict_and_its_acknowledgement(
    desk: Desk, start_worker: Callable[..., WorkerProcess], tmp_path: Path
) -> None:
    worker = start_worker("--gate-after-verdict")
    job = desk.commit(SCRIPT)
    wait_for((tmp_path / "verdict.reached").exists, "the verdict")
    worker.kill()
    start_worker()
    later = desk.commit(SCRIPT)
    _check_verdict(desk, later, ["a", "b", "c"])
    _check_verdict(desk, job, ["a", "b", "c"])


@pytest.mark.parametrize("part", ["", ".0"])
def test_what_kills_worker_after_worker_is_given_up(
    desk: Desk, start_worker: Callable[..., WorkerProcess], part: str
) -> None:
    worker = start_worker()
    job = desk.commit({"recordings": {"a.wav": ["gate"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a.wav"), "the work on a")
    worker.kill()
    with desk.engine.begin() as connection:
        workflows = workflow_status(desk.engine)
        connection.execute(
            sa.update(workflows).where(workflows.c.workflow_uuid == job.job_id + part).values(recovery_attempts=1000)
        )
    start_worker("--lease-ttl-s", "2")
    ended = desk.end_of(job)
    assert (ended.state, ended.failure_code) == (JobState.FAILED, "internal_error")
    assert desk.moves(job) == ["WAITING", "PROCESSING", "FAILED"]


def test_children_die_with_their_worker(desk: Desk, start_worker: Callable[..., WorkerProcess]) -> None:
    worker = start_worker()
    job = desk.commit({"recordings": {"a": ["gate"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    children = Path(f"/proc/{worker.process.pid}/task").glob("*/children")
    pids = [pid for path in children for pid in path.read_text().split()]
    assert pids
    worker.kill()
    wait_for(lambda: not any(_measures(pid) for pid in pids), "the death of the children")


def _measures(pid: str) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def test_another_worker_takes_over(desk: Desk, start_worker: Callable[..., WorkerProcess]) -> None:
    first = start_worker("--lease-ttl-s", "2")
    job = desk.commit({"recordings": {"a": ["gate"], "b": ["ok"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    start_worker("--lease-ttl-s", "2")
    first.kill()
    desk.pipeline.open(job.object_key, "a")
    _check_verdict(desk, job, ["a", "b"])


def test_a_worker_that_wakes_up_after_its_lease_changes_nothing(
    desk: Desk, start_worker: Callable[..., WorkerProcess]
) -> None:
    frozen = start_worker("--lease-ttl-s", "2")
    job = desk.commit({"recordings": {"a": ["gate"], "b": ["ok"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    frozen.process.send_signal(signal.SIGSTOP)
    start_worker("--lease-ttl-s", "2")
    wait_for(lambda: desk.pipeline.journal(job.object_key).count("a") > 1, "the second work on a")
    desk.pipeline.open(job.object_key, "a")
    _check_verdict(desk, job, ["a", "b"])
    frozen.process.send_signal(signal.SIGCONT)
    later = [desk.commit(SCRIPT) for _ in range(4)]
    for each in later:
        _check_verdict(desk, each, ["a", "b", "c"])
    assert frozen.stop() == 0
    _check_verdict(desk, job, ["a", "b"])


def test_killed_again_and_again(desk: Desk, start_worker: Callable[..., WorkerProcess]) -> None:
    kills = int(os.environ.get("VOICEGAUGE_TEST_KILLS", "4"))
    chance = random.Random(20)
    jobs: list[Job] = []
    for _ in range(kills):
        worker = start_worker()
        jobs += [desk.commit(SCRIPT) for _ in range(3)]
        time.sleep(chance.uniform(0.0, 1.5))  # the moment of the kill is the random input of this test
        worker.kill()
    start_worker()
    for job in jobs:
        _check_verdict(desk, job, ["a", "b", "c"])
