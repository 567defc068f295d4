from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.recovery import Leases, Reaper, Strays, worker_lock
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.tables import leases

VERSION = "1"
TTL_S = 60.0
PENDING = (
    "INSERT INTO workflow_status (workflow_uuid, status, executor_id, application_version, created_at, updated_at,"
    " priority) VALUES (:id, :status, :executor, :version, 0, 0, 0)"
)


@pytest.fixture
def running(database: sa.Engine) -> Callable[..., None]:
    def run(workflow_id: str, executor: str, status: str = "PENDING", version: str = VERSION) -> None:
        values = {"id": workflow_id, "status": status, "executor": executor, "version": version}
        with database.begin() as connection:
            connection.execute(sa.text(PENDING), values)

    return run


def _lease(database: sa.Engine, executor: str, ttl_s: float = TTL_S) -> Leases:
    return Leases(database, executor, ttl_s)


def test_a_worker_without_a_lease_is_dead(database: sa.Engine, running: Callable[..., None]) -> None:
    running("w1", "dead")
    running("w2", "dead")
    running("w3", "alive")
    lease = _lease(database, "alive")
    lease.renew()
    assert lease.dead_executors(VERSION) == ["dead"]


def test_a_worker_whose_lease_ended_is_dead_until_it_renews(database: sa.Engine, running: Callable[..., None]) -> None:
    running("w1", "frozen")
    frozen, alive = _lease(database, "frozen", ttl_s=-1.0), _lease(database, "alive")
    frozen.renew()
    assert alive.dead_executors(VERSION) == ["frozen"]
    _lease(database, "frozen").renew()
    assert alive.dead_executors(VERSION) == []


@pytest.mark.parametrize("status", ["ENQUEUED", "SUCCESS", "ERROR", "CANCELLED"])
def test_only_running_work_can_be_orphaned(database: sa.Engine, running: Callable[..., None], status: str) -> None:
    running("w1", "dead", status=status)
    assert _lease(database, "alive").dead_executors(VERSION) == []


def test_the_work_of_another_version_is_left_to_its_workers(database: sa.Engine, running: Callable[..., None]) -> None:
    running("w1", "dead", version="0")
    assert _lease(database, "alive").dead_executors(VERSION) == []


def test_a_lease_that_is_given_up_ends_at_once(database: sa.Engine, running: Callable[..., None]) -> None:
    running("w1", "stopped")
    stopped = _lease(database, "stopped")
    stopped.renew()
    stopped.give_up()
    assert _lease(database, "alive").dead_executors(VERSION) == ["stopped"]


def test_leases_that_ended_long_ago_are_forgotten(database: sa.Engine) -> None:
    with database.begin() as connection:
        connection.execute(leases.insert().values(executor_id="ancient", expires_s=0.0))
    _lease(database, "alive").dead_executors(VERSION)
    with database.connect() as connection:
        assert connection.execute(leases.select()).all() == []


class Recovered:
    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def __call__(self, executor_ids: Sequence[str]) -> None:
        self.calls.append(list(executor_ids))


def _reaper(database: sa.Engine, recovered: Recovered, cancel: Callable[[Job], object] = lambda job: None) -> Reaper:
    return Reaper(
        JobStore(database, lambda: 0.0),
        _lease(database, "alive"),
        application_version=VERSION,
        interval_s=TTL_S,
        recover=recovered,
        cancel=cancel,
        strays=Strays(database, "alive", lambda: ["w1", "at_work", "abandoned"]),
    )


def test_the_reaper_hands_on_what_is_orphaned_and_nothing_else(
    database: sa.Engine, running: Callable[..., None]
) -> None:
    recovered = Recovered()
    reaper = _reaper(database, recovered)
    running("w1", "alive")
    reaper.look()
    assert recovered.calls == []
    running("w2", "dead")
    reaper.look()
    assert recovered.calls == [["dead"]]


def test_the_reaper_stops(database: sa.Engine) -> None:
    reaper = _reaper(database, Recovered())
    reaper.start()
    reaper.stop()


@pytest.mark.parametrize("status", ["ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"])
def test_a_job_whose_workflow_ended_without_a_verdict_is_failed(
    database: sa.Engine, running: Callable[..., None], status: str
) -> None:
    store = JobStore(database, lambda: 0.0)
    for job_id in ("abandoned", "at_work"):
        store.create(Job(job_id, "p", "CN", JobState.CREATING, "k", 0, 0))
        with database.begin() as connection:
            store.commit(connection, job_id, "frozen")
        store.begin(job_id, 1)
    running("abandoned", "alive", status=status)
    running("at_work", "alive")
    _reaper(database, Recovered()).look()
    job = store.find("abandoned")
    assert (job.state, job.failure_code) == (JobState.FAILED, "internal_error")
    assert status.lower() in (job.failure_reason or "")
    assert store.find("at_work").state is JobState.PROCESSING


def test_a_worker_that_is_alone_knows_it(tmp_path: Path) -> None:
    path = tmp_path / "worker.lock"
    alone: list[str] = []
    first = worker_lock(path, when_alone=lambda: alone.append("first"))
    second = worker_lock(path, when_alone=lambda: alone.append("second"))
    with first, second:
        pass
    with worker_lock(path, when_alone=lambda: alone.append("third")):
        pass
    assert alone == ["first", "third"]


def _statuses(database: sa.Engine) -> dict[str, str]:
    with database.connect() as connection:
        rows = connection.exec_driver_sql("SELECT workflow_uuid, status FROM workflow_status")
        return {row[0]: row[1] for row in rows}


def test_what_was_claimed_and_never_begun_is_handed_back(database: sa.Engine, running: Callable[..., None]) -> None:
    begun = {"begun"}
    strays = Strays(database, "alive", lambda: begun)
    for workflow_id, executor in (("begun", "alive"), ("lost", "alive"), ("late", "alive"), ("other", "another")):
        running(workflow_id, executor)
    strays.hand_back()
    assert set(_statuses(database).values()) == {"PENDING"}
    begun.add("late")
    running("just claimed", "alive")
    strays.hand_back()
    assert [workflow_id for workflow_id, status in _statuses(database).items() if status == "ENQUEUED"] == ["lost"]


def test_who_was_cancelled_and_still_works_is_found(database: sa.Engine, running: Callable[..., None]) -> None:
    store = JobStore(database, lambda: 10.0)
    for job_id in ("cancelled", "finished", "at_work"):
        store.create(Job(job_id, "p", "CN", JobState.CREATING, "k", 0, 0))
        with database.begin() as connection:
            store.commit(connection, job_id, "k.frozen")
        store.begin(job_id, 1)
        running(job_id, "alive", status="SUCCESS" if job_id == "finished" else "PENDING")
    store.cancel("cancelled")
    store.cancel("finished")
    found: list[str] = []
    _reaper(database, Recovered(), lambda job: found.append(job.job_id)).look()
    assert found == ["cancelled"]
