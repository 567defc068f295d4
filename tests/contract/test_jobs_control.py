"""What a caller and an operator can do to jobs at work: cancel, try again, restart the workers."""

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.jobs_harness import SETTINGS, Desk
from tests.contract.scripted_pipeline import wait_for
from voicegauge.jobs import workflow
from voicegauge.jobs.census import take_census
from voicegauge.jobs.engine import JobEngine, WorkerSettings
from voicegauge.jobs.errors import AlreadyEndedError, CannotRetryError
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.ports import TaskEvent
from voicegauge.jobs.workflows import IN_FLIGHT, hand_back, workflow_status


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = Desk(tmp_path, database_url)
    yield desk
    desk.close()


class Workers:
    """Workers of this process, one after the other."""

    def __init__(self, desk: Desk) -> None:
        self.events: list[TaskEvent] = []
        self.desk = desk
        self.running: JobEngine | None = None

    def start(self, settings: WorkerSettings = SETTINGS) -> JobEngine:
        lock_file = self.desk.pipeline.folder / "worker.lock"
        self.running = JobEngine(
            self.desk.engine, self.desk.pipeline, settings, lock_file=lock_file, on_task=self.events.append
        )
        self.running.start()
        return self.running


@pytest.fixture
def workers(desk: Desk) -> Iterator[Workers]:
    workers = Workers(desk)
    yield workers
    if workers.running is not None:
        workers.running.stop()


def _statuses(desk: Desk) -> dict[str, str]:
    workflows = workflow_status(desk.engine)
    with desk.engine.connect() as connection:
        query = sa.select(workflows.c.workflow_uuid, workflows.c.status)
        return {row[0]: row[1] for row in connection.execute(query)}


def test_a_job_is_cancelled_in_mid_measurement(desk: Desk, workers: Workers) -> None:
    workers.start()
    job = desk.commit({"recordings": {"a": ["gate"], "b": ["ok"], "c": ["gate"], "d": ["ok"], "e": ["ok"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    cancelled = desk.service.cancel("project", job.job_id)
    assert (cancelled.state, cancelled.failure_code) == (JobState.FAILED, "cancelled")
    wait_for(lambda: "cancelled" in [event.outcome for event in workers.events], "the end of the process at work")
    wait_for(lambda: not set(_statuses(desk).values()) & set(IN_FLIGHT), "the end of every workflow")
    ends = _statuses(desk)
    # A chunk that was being queued just then ends by itself.
    late = [chunk for chunk, status in ends.items() if status == "SUCCESS"]
    assert ends[job.job_id] == "CANCELLED"
    assert all(chunk.startswith(f"{job.job_id}.") for chunk in late)
    assert not set(desk.pipeline.journal(job.object_key)) & {"b", "d"}
    with pytest.raises(AlreadyEndedError, match="FAILED"):
        desk.service.cancel("project", job.job_id)
    later = desk.end_of(desk.commit({"recordings": {"a": ["ok"]}}))
    assert later.state is JobState.SUCCEED
    assert desk.store.find(job.job_id) == cancelled


def test_a_cancelling_that_was_cut_short_is_completed(desk: Desk, workers: Workers) -> None:
    workers.start(dataclasses.replace(SETTINGS, lease_ttl_s=2.0))
    job = desk.commit({"recordings": {"a": ["gate"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    desk.store.cancel(job.job_id)
    wait_for(lambda: set(_statuses(desk).values()) == {"CANCELLED"}, "the end of every workflow")
    wait_for(lambda: "cancelled" in [event.outcome for event in workers.events], "the end of the process at work")


def test_what_is_cancelled_before_its_work_is_never_measured(desk: Desk, workers: Workers) -> None:
    waiting, created = desk.commit({"recordings": {"a": ["ok"]}}), desk.service.create("project", "CN", None)
    for job in (waiting, created):
        assert desk.service.cancel("project", job.job_id).state is JobState.FAILED
    workers.start()
    assert desk.end_of(desk.commit({"recordings": {"a": ["ok"]}})).state is JobState.SUCCEED
    assert desk.pipeline.journal(waiting.object_key) == []
    with pytest.raises(CannotRetryError, match="never committed"):
        desk.service.retry(created.job_id)


def test_a_failed_job_is_tried_again(desk: Desk, workers: Workers) -> None:
    workers.start()
    job = desk.end_of(desk.commit({"recordings": {"a": ["ok"], "b": ["raise"]}}))
    assert job.state is JobState.FAILED
    desk.pipeline.write(job.object_key, {"recordings": {"a": ["ok"], "b": ["ok"]}})
    assert desk.service.retry(job.job_id).run == 2
    again = desk.end_of(job)
    assert (again.state, again.run) == (JobState.SUCCEED, 2)
    assert again.result == {"language": "EN", "recordings": ["a", "b"]}
    with pytest.raises(CannotRetryError, match="SUCCEED"):
        desk.service.retry(job.job_id)


def test_a_cancelled_job_is_tried_again_while_its_first_run_lives(desk: Desk, workers: Workers) -> None:
    workers.start()
    job = desk.commit({"recordings": {"a": ["gate"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    desk.store.cancel(job.job_id)
    desk.service.retry(job.job_id)
    desk.pipeline.open(job.object_key, "a")
    assert desk.end_of(job).run == 2
    wait_for(lambda: _statuses(desk)[job.job_id] == "CANCELLED", "the end of the first run")


def test_restarts_are_not_held_against_a_job(desk: Desk, workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 2
    monkeypatch.setattr(workflow, "MAX_CHUNK_RESTARTS", most)
    monkeypatch.setattr(workflow, "MAX_JOB_RESTARTS", most)
    job = desk.commit({"recordings": {"a": ["gate"], "b": ["ok"]}})
    for number in range(1, most + 4):
        worker = workers.start()
        wait_for(lambda: len(desk.pipeline.journal(job.object_key)) == number, f"start {number} of the work on a")  # noqa: B023 - called in this turn
        worker.drain(0.0)
        assert "PENDING" not in _statuses(desk).values()
    desk.pipeline.open(job.object_key, "a")
    workers.start()
    assert desk.end_of(job).state is JobState.SUCCEED


def test_a_drain_finishes_what_runs_and_begins_nothing(desk: Desk, workers: Workers) -> None:
    worker = workers.start(dataclasses.replace(SETTINGS, processes=1))
    job = desk.commit({"recordings": {"a": ["gate"], "b": ["ok"], "c": ["gate"], "d": ["ok"]}})
    wait_for(lambda: desk.pipeline.journal(job.object_key), "the work on a chunk")
    draining = threading.Thread(target=worker.drain, args=(600.0,))
    draining.start()
    waiting = desk.commit({"recordings": {"z": ["ok"]}})
    for gate in ("a", "c"):
        desk.pipeline.open(job.object_key, gate)
    draining.join()
    finished = desk.pipeline.journal(job.object_key)
    assert finished in (["a", "b"], ["c", "d"])
    statuses = _statuses(desk)
    assert sorted(statuses.values()) == ["ENQUEUED"] * 3 + ["SUCCESS"]
    workers.start()
    assert [desk.end_of(each).state for each in (job, waiting)] == [JobState.SUCCEED] * 2
    assert sorted(desk.pipeline.journal(job.object_key)) == ["a", "b", "c", "d"]


def test_what_is_handed_back_is_as_if_it_had_not_begun(desk: Desk) -> None:
    workflows = workflow_status(desk.engine)
    job = desk.commit({"recordings": {"a": ["ok"]}})
    query = sa.select(workflows)
    with desk.engine.begin() as connection:
        before = connection.execute(query).mappings().one()
        begun = {"status": "PENDING", "executor_id": "me", "recovery_attempts": 1, "owner_xid": "x"}
        connection.execute(sa.update(workflows).where(workflows.c.workflow_uuid == job.job_id).values(begun))
    assert hand_back(desk.engine, "another") == 0
    assert hand_back(desk.engine, "me") == 1
    with desk.engine.connect() as connection:
        after = connection.execute(query).mappings().one()
    assert {**after, "executor_id": None} == {**before, "executor_id": None}


def test_what_eats_memory_fails_by_name_and_limit(desk: Desk, workers: Workers) -> None:
    workers.start(dataclasses.replace(SETTINGS, task_memory_mb=200))
    job = desk.commit({"recordings": {"a.wav": ["ok"], "big.wav": ["eat"], "c.wav": ["ok"]}})
    other = desk.commit({"recordings": {"a.wav": ["ok"]}})
    failed = desk.end_of(job)
    assert (failed.state, failed.failure_code) == (JobState.FAILED, "recording_out_of_memory")
    assert "'big.wav'" in (failed.failure_reason or "")
    assert "200 MB" in (failed.failure_reason or "")
    assert desk.end_of(other).state is JobState.SUCCEED


@pytest.mark.parametrize("place", ["plan", "a", "conclude"])
def test_a_machine_at_fault_is_waited_for(desk: Desk, workers: Workers, place: str) -> None:
    script = {"plan": [], "recordings": {"a": []}, "conclude": []}
    waits = ["machine"]
    if place == "a":
        script["recordings"] = {"a": waits}
    else:
        script[place] = waits
    workers.start()
    job = desk.commit(script)

    def vain_tries() -> int:
        return sum(event.outcome == "failed" for event in workers.events)

    wait_for(lambda: vain_tries() > SETTINGS.limits.attempts, "more tries than a recording has")
    assert desk.store.find(job.job_id).state is JobState.PROCESSING
    desk.pipeline.open(job.object_key, place)
    assert desk.end_of(job).state is JobState.SUCCEED


def test_tasks_are_told(desk: Desk, workers: Workers) -> None:
    workers.start()
    job = desk.end_of(desk.commit({"recordings": {"a": ["ok"], "b": ["die"]}}))
    assert job.state is JobState.FAILED
    told = [(event.kind, event.outcome) for event in workers.events]
    assert told[0] == ("plan", "done")
    assert told.count(("measure", "died")) >= SETTINGS.limits.attempts
    assert {(event.job_id, event.project_id) for event in workers.events} == {(job.job_id, "project")}
    assert all(event.seconds > 0 for event in workers.events)


def test_what_waits_is_counted(desk: Desk) -> None:
    empty = take_census(desk.engine)
    assert {name: depth.waiting for name, depth in empty.queues.items()} == {"jobs": 0, "chunks": 0}
    for _ in range(2):
        desk.commit({"recordings": {"a": ["ok"]}})
    census = take_census(desk.engine)
    assert census.queues["jobs"].waiting == 2
    assert census.queues["jobs"].oldest_age_s >= 0
    assert census.jobs[JobState.WAITING] == 2


def test_one_project_with_much_to_do_does_not_delay_another(desk: Desk, workers: Workers) -> None:
    takes = {str(take): ["nap"] for take in range(8)}
    crowd: list[Job] = [desk.commit({"recordings": takes}, "crowd") for _ in range(12)]

    def measured() -> int:
        return sum(len(desk.pipeline.journal(job.object_key)) for job in crowd)

    workers.start()
    wait_for(measured, "the work of the crowd")
    before = measured()
    assert desk.end_of(desk.commit({"recordings": takes}, "other")).state is JobState.SUCCEED
    # What was claimed by then, and what filled the processes that the other one left free.
    assert measured() - before < 3 * len(takes)
