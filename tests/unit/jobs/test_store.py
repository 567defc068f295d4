import dataclasses

import pytest
import sqlalchemy as sa

from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.store import ChunkOutcome, Failure, JobStore
from voicegauge.jobs.tables import chunk_outcomes, jobs

NEW = Job("j1", "p1", "CN", JobState.CREATING, "p1/j1.zip", created_s=100, updated_s=100, app_user_id="user")

FAILURE = Failure("corrupt_archive", "the zip is damaged")


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


def _begin(store: JobStore) -> None:
    _commit(store)
    store.begin("j1", 1)


def test_a_created_job_comes_back_as_it_was(store: JobStore) -> None:
    assert store.get("p1", "j1") == NEW


def test_a_job_of_another_project_is_not_found(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError, match="j1"):
        store.get("p2", "j1")
    assert store.find("j1") == NEW


def test_an_unknown_job_is_not_found(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError):
        store.begin("unknown", 1)


def test_a_job_is_committed_once(store: JobStore) -> None:
    assert _commit(store)
    assert not _commit(store)
    assert store.get("p1", "j1") == dataclasses.replace(
        NEW, state=JobState.WAITING, updated_s=200, object_key="frozen", run=1
    )


def test_a_job_that_was_not_committed_cannot_begin(store: JobStore) -> None:
    assert store.begin("j1", 1).state is JobState.CREATING


def test_beginning_again_changes_nothing(store: JobStore) -> None:
    _commit(store)
    first = store.begin("j1", 1)
    assert first.state is JobState.PROCESSING
    assert store.begin("j1", 1) == first


def test_the_first_end_stands(store: JobStore) -> None:
    _commit(store)
    store.begin("j1", 1)
    assert store.succeed("j1", 1, {"advice": {"zh": "可以", "en": "fine"}})
    assert not store.succeed("j1", 1, {})
    assert not store.fail("j1", 1, Failure("late", "too late"))
    job = store.get("p1", "j1")
    assert (job.state, job.result, job.failure_code) == (
        JobState.SUCCEED,
        {"advice": {"zh": "可以", "en": "fine"}},
        None,
    )


def test_a_failure_has_code_and_reason(store: JobStore) -> None:
    _commit(store)
    assert store.fail("j1", 1, Failure("corrupt_archive", "the zip is damaged"))
    job = store.get("p1", "j1")
    assert (job.state, job.failure_code, job.failure_reason, job.result) == (
        JobState.FAILED,
        "corrupt_archive",
        "the zip is damaged",
        None,
    )
    assert store.begin("j1", 1) == job


def test_a_result_that_is_not_json_is_refused(store: JobStore) -> None:
    _commit(store)
    store.begin("j1", 1)
    with pytest.raises(ValueError, match="JSON"):
        store.succeed("j1", 1, {"value": float("nan")})
    assert store.get("p1", "j1").state is JobState.PROCESSING


def test_the_first_outcome_of_a_chunk_stands_and_chunks_keep_their_order(store: JobStore) -> None:
    _begin(store)
    crashed = Failure("recording_crashed", "b.wav")
    store.record_chunk("j1", 1, 1, [{"name": "c"}])
    store.record_chunk_failure("j1", 1, 0, crashed)
    store.record_chunk("j1", 1, 0, [{"name": "late"}])
    store.record_chunk_failure("j1", 1, 1, crashed)
    assert store.chunk_outcomes("j1", 1) == [ChunkOutcome(0, None, crashed), ChunkOutcome(1, [{"name": "c"}], None)]


def test_what_comes_after_the_end_of_a_run_is_dropped(store: JobStore) -> None:
    _begin(store)
    store.record_chunk("j1", 1, 0, [{"name": "a"}])
    assert store.fail("j1", 1, FAILURE)
    store.record_chunk("j1", 1, 1, [{"name": "late"}])
    store.record_chunk("unknown", 1, 0, [])
    with store.engine.connect() as connection:
        assert connection.execute(chunk_outcomes.select()).all() == []


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_a_job_that_has_not_ended_can_be_cancelled_once(store: JobStore, steps: int) -> None:
    for step in (_commit, _begin)[:steps]:
        step(store)
    assert store.cancel("j1")
    assert not store.cancel("j1")
    job = store.find("j1")
    assert (job.state, job.failure_code) == (JobState.FAILED, "cancelled")
    assert "已取消" in (job.failure_reason or "")


def test_a_verdict_cannot_be_cancelled(store: JobStore) -> None:
    _begin(store)
    store.succeed("j1", 1, {})
    assert not store.cancel("j1")
    assert store.find("j1").state is JobState.SUCCEED


def test_cancelling_an_unknown_job(store: JobStore) -> None:
    with pytest.raises(JobNotFoundError):
        store.cancel("unknown")


def _retry(store: JobStore) -> Job | None:
    with store.engine.begin() as connection:
        return store.retry(connection, "j1")


def test_a_failed_job_runs_again_and_its_earlier_run_cannot_write(store: JobStore) -> None:
    _begin(store)
    store.fail("j1", 1, FAILURE)
    job = _retry(store)
    assert job == dataclasses.replace(NEW, state=JobState.WAITING, updated_s=200, object_key="frozen", run=2)
    assert store.begin("j1", 1).state is JobState.WAITING
    assert store.begin("j1", 2).state is JobState.PROCESSING
    store.record_chunk("j1", 1, 0, [])
    assert store.chunk_outcomes("j1", 1) == []
    assert (store.in_work("j1", 1), store.in_work("j1", 2)) == (False, True)
    assert not store.succeed("j1", 1, {})
    assert not store.fail("j1", 1, FAILURE)
    assert store.succeed("j1", 2, {})


def test_only_what_failed_is_retried(store: JobStore) -> None:
    for step in (lambda store: None, _commit, lambda store: store.begin("j1", 1)):
        step(store)
        assert _retry(store) is None
    store.succeed("j1", 1, {})
    assert _retry(store) is None


def test_what_was_never_committed_has_nothing_to_retry(store: JobStore) -> None:
    store.cancel("j1")
    assert _retry(store) is None


def test_what_has_no_upload_any_more_is_not_retried(store: JobStore) -> None:
    _begin(store)
    store.fail("j1", 1, FAILURE)
    with store.engine.begin() as connection:
        connection.execute(jobs.update().values(uploads_removed_s=300))
    assert _retry(store) is None
    assert store.find("j1").uploads_removed_s == 300


def test_the_latest_jobs_come_first(store: JobStore) -> None:
    store.create(dataclasses.replace(NEW, job_id="j2", created_s=101))
    store.create(dataclasses.replace(NEW, job_id="j3", created_s=102, project_id="p2"))
    _commit(store, "j2")
    assert [job.job_id for job in store.latest()] == ["j3", "j2", "j1"]
    assert [job.job_id for job in store.latest(project_id="p1")] == ["j2", "j1"]
    assert [job.job_id for job in store.latest(states=[JobState.CREATING])] == ["j3", "j1"]
    assert [job.job_id for job in store.latest(limit=1)] == ["j3"]
