"""The durable engine, on a real database in a folder, with real child processes."""

import dataclasses
import socket
import threading
from collections.abc import Iterator
from multiprocessing import spawn
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.contract.jobs_harness import SETTINGS, Desk
from tests.contract.scripted_pipeline import wait_for
from voicegauge.jobs.engine import JobEngine
from voicegauge.jobs.errors import AlreadyCommittedError
from voicegauge.jobs.job import JobState
from voicegauge.jobs.workflows import workflow_status


@pytest.fixture
def desk(tmp_path: Path, database_url: str) -> Iterator[Desk]:
    desk = Desk(tmp_path, database_url)
    yield desk
    desk.close()


def _engine(desk: Desk) -> JobEngine:
    return JobEngine(desk.engine, desk.pipeline, SETTINGS, lock_file=desk.pipeline.folder / "worker.lock")


@pytest.fixture
def worker(desk: Desk) -> Iterator[JobEngine]:
    engine = _engine(desk)
    engine.start()
    yield engine
    engine.stop()


@pytest.mark.usefixtures("worker")
def test_recordings_are_measured_in_chunks_and_merged_in_order(desk: Desk) -> None:
    names = [f"take {number}.wav" for number in range(5)]
    job = desk.end_of(desk.commit({"recordings": {name: ["ok"] for name in names}}))
    assert job.state is JobState.SUCCEED
    assert job.result == {"language": "EN", "recordings": names}
    assert sorted(desk.pipeline.calls(job.object_key)) == [1, 2, 2]
    assert sorted(desk.pipeline.journal(job.object_key)) == sorted(" ".join(names).split())


def test_of_many_commits_one_counts(desk: Desk) -> None:
    job = desk.service.create("project", "EN", None)
    desk.pipeline.write(job.object_key, {"recordings": {"a": ["ok"]}})
    desk.watch_moves()
    answers: list[str] = []
    barrier = threading.Barrier(8)

    def commit() -> None:
        barrier.wait()
        try:
            answers.append(desk.service.commit("project", job.job_id).state)
        except AlreadyCommittedError:
            answers.append("refused")

    threads = [threading.Thread(target=commit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["WAITING"] + ["refused"] * 7
    engine = _engine(desk)
    engine.start()
    try:
        desk.end_of(job)
    finally:
        engine.stop()
    assert desk.moves(job) == ["WAITING", "PROCESSING", "SUCCEED"]


def test_a_commit_that_is_rolled_back_leaves_nothing_to_run(desk: Desk) -> None:
    job = desk.service.create("project", "EN", None)
    with desk.engine.connect() as connection:
        assert desk.store.commit(connection, job.job_id, job.object_key)
        desk.queue.enqueue(connection, job)
        connection.rollback()
    assert desk.store.find(job.job_id).state is JobState.CREATING
    with desk.engine.connect() as connection:
        assert connection.execute(sa.select(workflow_status(desk.engine))).all() == []


@pytest.mark.usefixtures("worker")
def test_a_poison_recording_fails_its_job_by_name_and_harms_no_other(desk: Desk) -> None:
    good = {"recordings": {"a.wav": ["ok"], "b.wav": ["ok"]}}
    poisoned = desk.commit({"recordings": {"a.wav": ["ok"], "poison.wav": ["die"], "c.wav": ["ok"]}})
    others = [desk.commit(good, project_id=project) for project in ("project", "other")]
    job = desk.end_of(poisoned)
    assert (job.state, job.failure_code) == (JobState.FAILED, "recording_crashed")
    assert "'poison.wav'" in (job.failure_reason or "")
    assert "a.wav" not in (job.failure_reason or "")
    assert desk.pipeline.journal(job.object_key).count("poison.wav") == SETTINGS.limits.attempts
    assert [desk.end_of(other).state for other in others] == [JobState.SUCCEED] * 2


@pytest.mark.usefixtures("worker")
def test_a_child_that_dies_once_is_made_good(desk: Desk) -> None:
    job = desk.end_of(desk.commit({"plan": ["die_once"], "recordings": {"a": ["die_once"], "b": ["ok"]}}))
    assert job.state is JobState.SUCCEED
    assert job.result == {"language": "EN", "recordings": ["a", "b"]}


@pytest.mark.usefixtures("worker")
def test_a_machine_that_cannot_start_children_is_waited_for(desk: Desk, tmp_path: Path) -> None:
    job = desk.commit({"recordings": {"a": ["gate", "die_once"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "a"), "the work on a")
    starts = tmp_path / "starts"
    broken = tmp_path / "python"
    broken.write_text(f"#!/bin/sh\necho vain >> {starts}\nexit 1\n")
    broken.chmod(0o700)
    python = spawn.get_executable()
    spawn.set_executable(str(broken))
    try:
        desk.pipeline.open(job.object_key, "a")
        wait_for(
            lambda: starts.exists() and len(starts.read_text().split()) >= SETTINGS.limits.attempts,
            "as many vain starts as a recording has attempts",
        )
        assert desk.store.find(job.job_id).state is JobState.PROCESSING
    finally:
        spawn.set_executable(python)
    assert desk.end_of(job).state is JobState.SUCCEED


def test_a_recording_that_hangs_fails_its_job(desk: Desk) -> None:
    limits = dataclasses.replace(SETTINGS.limits, chunk_timeout_s=1.0)
    engine = JobEngine(desk.engine, desk.pipeline, dataclasses.replace(SETTINGS, limits=limits))
    engine.start()
    try:
        job = desk.end_of(desk.commit({"recordings": {"endless.wav": ["hang"]}}))
    finally:
        engine.stop()
    assert (job.state, job.failure_code) == (JobState.FAILED, "recording_timed_out")
    assert "'endless.wav'" in (job.failure_reason or "")


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ({"plan": ["archive"], "recordings": {}}, "corrupt_archive"),
        ({"recordings": {"a": ["archive"]}}, "corrupt_archive"),
        ({"plan": ["die"], "recordings": {}}, "archive_unreadable"),
        ({"plan": ["raise"], "recordings": {}}, "internal_error"),
        ({"recordings": {"a": ["raise"]}}, "recording_failed"),
    ],
)
def test_what_cannot_be_assessed_fails_with_code_and_reason(desk: Desk, script: dict[str, object], code: str) -> None:
    job = desk.end_of(desk.commit(script))
    assert (job.state, job.failure_code) == (JobState.FAILED, code)
    assert job.failure_reason


def test_a_worker_that_stops_in_mid_job_leaves_it_to_the_next(desk: Desk) -> None:
    desk.watch_moves()
    first = _engine(desk)
    first.start()
    job = desk.commit({"recordings": {"a": ["ok"], "b": ["gate"], "c": ["ok"]}})
    wait_for(lambda: desk.pipeline.reached(job.object_key, "b"), "the work on b")
    first.stop()
    assert desk.store.find(job.job_id).state is JobState.PROCESSING
    desk.pipeline.open(job.object_key, "b")
    second = _engine(desk)
    second.start()
    try:
        assert desk.end_of(job).result == {"language": "EN", "recordings": ["a", "b", "c"]}
    finally:
        second.stop()
    assert desk.moves(job) == ["WAITING", "PROCESSING", "SUCCEED"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_engine_talks_to_nobody(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        talked.append(repr(arguments))
        raise AssertionError(talked[-1])

    talked: list[str] = []
    for way_out in ("connect", "connect_ex", "bind", "sendto"):
        monkeypatch.setattr(socket.socket, way_out, refuse)
    engine = _engine(desk)
    engine.start()
    try:
        assert desk.end_of(desk.commit({"recordings": {"a": ["ok"]}})).state is JobState.SUCCEED
    finally:
        engine.stop()
    assert talked == []


def test_nothing_is_pickled_into_the_database(desk: Desk, worker: JobEngine) -> None:
    desk.end_of(desk.commit({"recordings": {"a": ["ok"]}}))
    worker.stop()
    schema = workflow_status(desk.engine).schema
    tables = [
        sa.table(name, sa.column("serialization"), schema=schema) for name in ("workflow_status", "operation_outputs")
    ]
    with desk.engine.connect() as connection:
        formats = connection.execute(sa.union(*(sa.select(table.c.serialization) for table in tables))).scalars()
        assert set(formats) - {None} == {"portable_json"}
