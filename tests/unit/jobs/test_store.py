import dataclasses

import pytest
import sqlalchemy as sa

from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.store import ChunkOutcome, Failure, JobStore

NEW = Job("j1", "p1", "CN", JobState.CREATING, "p1/j1.zip", created_s=100, updated_s=100, app_user_id="user")


class Clock:
    def __init__(self) -> None:
        self.now_s = 200.7

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def store(database: sa.Engine) -> JobStore:
    store = JobStore(database, Clock())
    store.create(NEW)
    return store


def _commit(store: JobStore, job_id: str = "j1") -> bool:
    with store.engine.begin() as connection:
        return store.commit(connection, job_id, "frozen")


def test_a_created_job_comes_back_as_it_was(store: JobStore) -> None:
    assert store.get("p1", "j1") == NEW


def test_a_job_of_another_project_is_not_found(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError, match="j1"):
        store.get("p2", "j1")
    assert store.find("j1") == NEW


def test_an_unknown_job_is_not_found(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError):
        store.begin("unknown")


def test_a_job_is_committed_once(store: JobStore) -> None:
    assert _commit(store)
    assert not _commit(store)
    assert store.get("p1", "j1") == dataclasses.replace(NEW, state=JobState.WAITING, updated_s=200, object_key="frozen")


def test_a_job_that_was_not_committed_cannot_begin(store: JobStore) -> None:
    assert store.begin("j1").state is JobState.CREATING


def test_beginning_again_changes_nothing(store: JobStore) -> None:
    _commit(store)
    first = store.begin("j1")
    assert first.state is JobState.PROCESSING
    assert store.begin("j1") == first


def test_the_first_end_stands(store: JobStore) -> None:
    _commit(store)
    store.begin("j1")
    assert store.succeed("j1", {"advice": {"zh": "可以", "en": "fine"}})
    assert not store.succeed("j1", {})
    assert not store.fail("j1", Failure("late", "too late"))
    job = store.get("p1", "j1")
    assert (job.state, job.result, job.failure_code) == (
        JobState.SUCCEED,
        {"advice": {"zh": "可以", "en": "fine"}},
        None,
    )


def test_a_failure_has_code_and_reason(store: JobStore) -> None:
    _commit(store)
    assert store.fail("j1", Failure("corrupt_archive", "the zip is damaged"))
    job = store.get("p1", "j1")
    assert (job.state, job.failure_code, job.failure_reason, job.result) == (
        JobState.FAILED,
        "corrupt_archive",
        "the zip is damaged",
        None,
    )
    assert store.begin("j1") == job


def test_a_result_that_is_not_json_is_refused(store: JobStore) -> None:
    _commit(store)
    store.begin("j1")
    with pytest.raises(ValueError, match="JSON"):
        store.succeed("j1", {"value": float("nan")})
    assert store.get("p1", "j1").state is JobState.PROCESSING


def test_the_first_outcome_of_a_chunk_stands_and_chunks_keep_their_order(store: JobStore) -> None:
    crashed = Failure("recording_crashed", "b.wav")
    store.record_chunk("j1", 1, [{"name": "c"}])
    store.record_chunk_failure("j1", 0, crashed)
    store.record_chunk("j1", 0, [{"name": "late"}])
    store.record_chunk_failure("j1", 1, crashed)
    assert store.chunk_outcomes("j1") == [ChunkOutcome(0, None, crashed), ChunkOutcome(1, [{"name": "c"}], None)]


def test_a_chunk_belongs_to_a_job(store: JobStore) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="FOREIGN KEY"):
        store.record_chunk("unknown", 0, [])


def test_the_latest_jobs_come_first(store: JobStore) -> None:
    store.create(dataclasses.replace(NEW, job_id="j2", created_s=101))
    store.create(dataclasses.replace(NEW, job_id="j3", created_s=102, project_id="p2"))
    _commit(store, "j2")
    assert [job.job_id for job in store.latest()] == ["j3", "j2", "j1"]
    assert [job.job_id for job in store.latest(project_id="p1")] == ["j2", "j1"]
    assert [job.job_id for job in store.latest(states=[JobState.CREATING])] == ["j3", "j1"]
    assert [job.job_id for job in store.latest(limit=1)] == ["j3"]
