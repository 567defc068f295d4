import itertools
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from voicegauge.database import upgrade
from voicegauge.jobs.job import TRANSITIONS, JobState

INSERT = (
    "INSERT INTO jobs (job_id, project_id, language, state, object_key, created_s, updated_s, result, failure_code,"
    " failure_reason) VALUES ('j', 'p', :language, :state, 'k', 0, 0, :result, :code, :reason)"
)
UPDATE = (
    "UPDATE jobs SET state = :state, result = :result, failure_code = :code, failure_reason = :reason"
    " WHERE job_id = 'j'"
)
WAY_TO = {
    JobState.CREATING: (),
    JobState.WAITING: (JobState.WAITING,),
    JobState.PROCESSING: (JobState.WAITING, JobState.PROCESSING),
    JobState.SUCCEED: (JobState.WAITING, JobState.PROCESSING, JobState.SUCCEED),
    JobState.FAILED: (JobState.WAITING, JobState.FAILED),
}


def _values(state: str) -> dict[str, str | None]:
    failed = state == JobState.FAILED
    return {
        "language": "CN",
        "state": state,
        "result": "{}" if state == JobState.SUCCEED else None,
        "code": "c" if failed else None,
        "reason": "r" if failed else None,
    }


@pytest.fixture
def connection(database: sa.Engine) -> Iterator[sa.Connection]:
    with database.connect() as connection:
        yield connection


def _run(connection: sa.Connection, statement: str, values: dict[str, str | None]) -> None:
    connection.execute(sa.text(statement), values)


@pytest.mark.parametrize(("old", "new"), list(itertools.product(JobState, JobState)))
def test_the_database_itself_allows_the_legal_moves_and_no_other(
    connection: sa.Connection, old: JobState, new: JobState
) -> None:
    _run(connection, INSERT, _values(JobState.CREATING))
    for state in WAY_TO[old]:
        _run(connection, UPDATE, _values(state))
    if (old, new) in TRANSITIONS:
        _run(connection, UPDATE, _values(new))
    else:
        with pytest.raises(sa.exc.IntegrityError, match="illegal job transition"):
            _run(connection, UPDATE, _values(new))


@pytest.mark.parametrize("state", [state for state in JobState if state is not JobState.CREATING])
def test_a_job_begins_in_creating(connection: sa.Connection, state: JobState) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="illegal job state at creation"):
        _run(connection, INSERT, _values(state))


@pytest.mark.parametrize(
    ("state", "change"),
    [
        ("SUCCEED", {"result": None}),
        ("SUCCEED", {"code": "c", "reason": "r"}),
        ("FAILED", {"code": None}),
        ("FAILED", {"reason": None}),
        ("FAILED", {"result": "{}"}),
    ],
)
def test_an_end_has_exactly_what_belongs_to_it(
    connection: sa.Connection, state: str, change: dict[str, str | None]
) -> None:
    _run(connection, INSERT, _values(JobState.CREATING))
    for step in WAY_TO[JobState.PROCESSING]:
        _run(connection, UPDATE, _values(step))
    with pytest.raises(sa.exc.IntegrityError, match="CHECK constraint failed"):
        _run(connection, UPDATE, _values(state) | change)


def test_an_unknown_language_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(sa.exc.IntegrityError, match="jobs_language"):
        _run(connection, INSERT, _values(JobState.CREATING) | {"language": "FR"})


def test_tables_are_made_once_and_keep_their_rows(database: sa.Engine) -> None:
    with database.begin() as connection:
        _run(connection, INSERT, _values(JobState.CREATING))
    upgrade(database, backup_folder=None)
    with database.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM jobs")).scalar_one() == 1


def test_a_commit_survives_the_loss_of_power(database: sa.Engine) -> None:
    full = 2
    with database.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == full
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
