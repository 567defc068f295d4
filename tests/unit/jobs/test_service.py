from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from voicegauge.errors import MachineError
from voicegauge.jobs.errors import AlreadyCommittedError, JobNotFoundError, NothingUploadedError, UploadExpiredError
from voicegauge.jobs.job import JobState
from voicegauge.jobs.service import JobService
from voicegauge.jobs.store import JobStore

if TYPE_CHECKING:
    from voicegauge.jobs.engine import JobQueue

LIFETIME_S = 600


class Uploads:
    """An object store that holds keys alone."""

    def __init__(self) -> None:
        self.keys: set[str] = set()
        self.frozen = 0

    def add(self, key: str) -> None:
        self.keys.add(key)

    def freeze(self, key: str) -> str | None:
        if key not in self.keys:
            return None
        self.frozen += 1
        self.keys.add(f"{key}#{self.frozen}")
        return f"{key}#{self.frozen}"

    def delete(self, key: str) -> None:
        self.keys.discard(key)

    def purge(self, key: str) -> None:
        raise AssertionError("only the janitor purges")


class Desk:
    """The service over a database, with a clock and an object store that the test sets."""

    def __init__(self, engine: sa.Engine, queue: JobQueue) -> None:
        self.now_s = 1000.0
        self.objects = Uploads()
        self.engine = engine
        self.queue = queue
        self.service = JobService(
            JobStore(self.engine, lambda: self.now_s),
            self.queue,
            uploads=self.objects,
            upload_lifetime_s=LIFETIME_S,
            now_s=lambda: self.now_s,
        )

    def queued(self) -> list[tuple[str, str]]:
        with self.engine.connect() as connection:
            rows = connection.exec_driver_sql("SELECT workflow_uuid, queue_partition_key FROM workflow_status")
            return [(row[0], row[1]) for row in rows]


@pytest.fixture
def desk(database: sa.Engine) -> Iterator[Desk]:
    from voicegauge.jobs.engine import JobQueue

    desk = Desk(database, JobQueue(database))
    yield desk
    desk.queue.close()


def test_a_new_job_waits_for_its_upload(desk: Desk) -> None:
    job = desk.service.create("p", "EN", "user")
    assert job.state is JobState.CREATING
    assert job.object_key == f"p/{job.job_id}.zip"
    assert (job.created_s, job.updated_s, job.app_user_id) == (1000, 1000, "user")
    assert desk.service.get("p", job.job_id) == job
    assert desk.queued() == []


def test_commit_moves_and_queues(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    assert desk.service.commit("p", job.job_id).state is JobState.WAITING
    assert desk.queued() == [(job.job_id, "p")]


def test_from_commit_on_a_job_keeps_to_what_was_frozen(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    committed = desk.service.commit("p", job.job_id)
    assert committed.object_key == f"{job.object_key}#1"
    assert desk.objects.keys == {committed.object_key}


def test_who_loses_a_race_to_commit_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    freeze = desk.objects.freeze

    def freeze_late(key: str) -> str | None:
        with monkeypatch.context() as patched:
            patched.setattr(desk.objects, "freeze", freeze)
            desk.service.commit("p", job.job_id)
        desk.objects.add(key)
        return freeze(key)

    monkeypatch.setattr(desk.objects, "freeze", freeze_late)
    with pytest.raises(AlreadyCommittedError):
        desk.service.commit("p", job.job_id)
    assert desk.service.get("p", job.job_id).object_key == f"{job.object_key}#1"
    assert f"{job.object_key}#2" not in desk.objects.keys


def test_an_object_store_that_goes_away_after_the_commit_does_not_undo_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)

    def fail(key: str) -> None:
        raise MachineError("the bucket does not answer")

    monkeypatch.setattr(desk.objects, "delete", fail)
    assert desk.service.commit("p", job.job_id).state is JobState.WAITING


def test_a_second_commit_is_refused_and_queues_nothing(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    desk.service.commit("p", job.job_id)
    with pytest.raises(AlreadyCommittedError, match=job.job_id):
        desk.service.commit("p", job.job_id)
    assert desk.queued() == [(job.job_id, "p")]


def test_commit_before_the_upload(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.now_s += LIFETIME_S - 1
    with pytest.raises(NothingUploadedError, match=job.job_id):
        desk.service.commit("p", job.job_id)
    assert desk.service.get("p", job.job_id).state is JobState.CREATING


def test_commit_after_the_upload_expired(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.now_s += LIFETIME_S
    with pytest.raises(UploadExpiredError, match=job.job_id):
        desk.service.commit("p", job.job_id)


def test_what_was_uploaded_in_time_may_be_committed_late(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    desk.now_s += 10 * LIFETIME_S
    assert desk.service.commit("p", job.job_id).state is JobState.WAITING


def test_a_job_of_another_project_is_not_found(desk: Desk) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    with pytest.raises(JobNotFoundError):
        desk.service.get("q", job.job_id)
    with pytest.raises(JobNotFoundError):
        desk.service.commit("q", job.job_id)


def test_a_commit_that_cannot_queue_changes_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    job = desk.service.create("p", "EN", None)
    desk.objects.add(job.object_key)
    enqueue = desk.queue.enqueue

    def fail_after_enqueueing(*args: object) -> None:
        enqueue(*args)  # type: ignore[arg-type]
        raise OSError("the disk went away")

    with monkeypatch.context() as patched:
        patched.setattr(desk.queue, "enqueue", fail_after_enqueueing)
        with pytest.raises(OSError, match="went away"):
            desk.service.commit("p", job.job_id)
    assert desk.service.get("p", job.job_id).state is JobState.CREATING
    assert desk.queued() == []
    assert desk.service.commit("p", job.job_id).state is JobState.WAITING
