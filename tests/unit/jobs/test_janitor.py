import dataclasses
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from voicegauge.errors import MachineError
from voicegauge.jobs.errors import JobNotFoundError
from voicegauge.jobs.janitor import BATCH, DAY_S, WORKFLOWS_KEPT_S, Janitor, Retention
from voicegauge.jobs.job import Job, JobState
from voicegauge.jobs.store import Failure, JobStore
from voicegauge.jobs.workflows import workflow_status

START_S = 1_000_000_000.0
LIFETIME_S = 600
NEW = Job("j", "p", "CN", JobState.CREATING, "p/j.zip", created_s=int(START_S), updated_s=int(START_S))


class Uploads:
    def __init__(self) -> None:
        self.purged: list[str] = []
        self.away = False

    def freeze(self, key: str) -> str | None:
        raise NotImplementedError(key)

    def delete(self, key: str) -> None:
        raise NotImplementedError(key)

    def purge(self, key: str) -> None:
        if self.away:
            raise MachineError("the bucket is away")
        self.purged.append(key)


class Rows:
    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def forget(self, workflow_ids: list[str]) -> None:
        workflows = workflow_status(self.engine)
        with self.engine.begin() as connection:
            connection.execute(sa.delete(workflows).where(workflows.c.workflow_uuid.in_(workflow_ids)))


class House:
    """A database with a janitor, and a clock that the test sets."""

    def __init__(self, engine: sa.Engine) -> None:
        self.now_s = START_S
        self.store = JobStore(engine, lambda: self.now_s)
        self.uploads = Uploads()
        self.rows = Rows(engine)

    def sweep(self, days: float = 0.0, *, uploads: int = 7, jobs: int = 90) -> None:
        self.now_s = START_S + days * DAY_S
        Janitor(self.store, self.uploads, self.rows, Retention(uploads, jobs, LIFETIME_S)).sweep()

    def job(self, state: JobState, job_id: str = "j") -> None:
        self.store.create(dataclasses.replace(NEW, job_id=job_id, object_key=f"p/{job_id}.zip"))
        if state is JobState.CREATING:
            return
        with self.store.engine.begin() as connection:
            self.store.commit(connection, job_id, f"p/{job_id}.frozen.zip")
        if state is not JobState.WAITING:
            self.store.begin(job_id, 1)
        if state is JobState.SUCCEED:
            self.store.succeed(job_id, 1, {})
        elif state is JobState.FAILED:
            self.store.fail(job_id, 1, Failure("c", "r"))

    def there(self, job_id: str = "j") -> bool:
        try:
            self.store.find(job_id)
        except JobNotFoundError:
            return False
        return True


@pytest.fixture
def house(database: sa.Engine) -> House:
    return House(database)


ended = pytest.mark.parametrize("state", [JobState.SUCCEED, JobState.FAILED])
NUMBERS = ("created_at", "updated_at", "priority")


@ended
def test_an_upload_goes_a_while_after_the_end_and_the_job_long_after(house: House, state: JobState) -> None:
    house.job(state)
    house.sweep(6.9)
    assert house.uploads.purged == []
    house.sweep(7.1)
    assert house.uploads.purged == ["p/j.zip"]
    job = house.store.find("j")
    assert (job.state, job.uploads_removed_s) == (state, int(START_S + 7.1 * DAY_S))
    assert job.updated_s == int(START_S)
    house.sweep(89.9)
    assert house.uploads.purged == ["p/j.zip"]
    assert house.there()
    house.sweep(90.1)
    assert not house.there()


@pytest.mark.parametrize("state", [JobState.WAITING, JobState.PROCESSING])
def test_what_has_not_ended_is_kept_as_long_as_it_takes(house: House, state: JobState) -> None:
    house.job(state)
    house.sweep(1000)
    assert house.there()
    assert house.uploads.purged == []


def test_what_is_never_committed_goes_a_day_after_its_link(house: House) -> None:
    house.job(JobState.CREATING)
    house.sweep(1 + LIFETIME_S / DAY_S - 0.01)
    assert house.there()
    house.sweep(1 + LIFETIME_S / DAY_S + 0.01)
    assert not house.there()
    assert house.uploads.purged == ["p/j.zip"]


@ended
def test_nothing_is_removed_where_all_is_kept_for_ever(house: House, state: JobState) -> None:
    house.job(state)
    house.job(JobState.CREATING, "k")
    house.sweep(10_000, uploads=0, jobs=0)
    assert house.there("j")
    assert house.there("k")
    assert house.uploads.purged == []


@ended
def test_uploads_may_outlive_their_jobs_only_for_ever(house: House, state: JobState) -> None:
    house.job(state)
    house.job(state, "k")
    house.sweep(31, uploads=90, jobs=30)
    assert not house.there()
    assert sorted(house.uploads.purged) == ["p/j.zip", "p/k.zip"]


def test_uploads_that_are_kept_for_ever_do_not_keep_their_jobs(house: House) -> None:
    house.job(JobState.SUCCEED)
    house.sweep(91, uploads=0)
    assert not house.there()
    assert house.uploads.purged == []


def test_a_bucket_that_is_away_keeps_the_job_that_knows_the_upload(house: House) -> None:
    house.job(JobState.SUCCEED)
    house.uploads.away = True
    with pytest.raises(MachineError):
        house.sweep(91)
    assert house.store.find("j").uploads_removed_s is None
    house.uploads.away = False
    house.sweep(91)
    assert not house.there()


def test_more_than_a_batch_goes_in_one_sweep(house: House) -> None:
    ids = [f"j{number}" for number in range(BATCH + 1)]
    for job_id in ids:
        house.job(JobState.CREATING, job_id)
    house.sweep(2)
    assert not any(house.there(job_id) for job_id in ids)
    assert len(house.uploads.purged) == len(ids)


@pytest.fixture
def workflows(database: sa.Engine) -> Callable[..., None]:
    table = sa.table(
        "workflow_status",
        *(sa.column(name) for name in ("workflow_uuid", "status", "completed_at", "parent_workflow_id", *NUMBERS)),
    )

    def add(workflow_id: str, status: str, completed_s: float | None, parent: str | None = None) -> None:
        row = {
            "workflow_uuid": workflow_id,
            "status": status,
            "completed_at": None if completed_s is None else int(completed_s * 1000),
            "parent_workflow_id": parent,
        }
        with database.begin() as connection:
            connection.execute(table.insert().values(row | dict.fromkeys(NUMBERS, 0)))

    return add


def _left(house: House) -> set[str]:
    table = workflow_status(house.store.engine)
    with house.store.engine.connect() as connection:
        return set(connection.execute(sa.select(table.c.workflow_uuid)).scalars())


def test_the_engines_rows_go_with_the_whole_job(house: House, workflows: Callable[..., None]) -> None:
    old_s, young_s = START_S - WORKFLOWS_KEPT_S - 1, START_S - WORKFLOWS_KEPT_S + 60
    workflows("old", "SUCCESS", old_s)
    workflows("old.0", "SUCCESS", old_s, "old")
    workflows("failed", "ERROR", old_s)
    workflows("young", "SUCCESS", young_s)
    workflows("young.0", "SUCCESS", old_s, "young")
    workflows("running", "PENDING", None)
    workflows("running.0", "SUCCESS", old_s, "running")
    workflows("orphan.0", "CANCELLED", old_s, "gone")
    house.sweep()
    assert _left(house) == {"young", "young.0", "running", "running.0"}
