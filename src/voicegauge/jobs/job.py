"""A job and its life: the one table of legal transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["ENDED", "TRANSITIONS", "Job", "JobState", "may_move", "upload_key", "workflow_id"]


class JobState(StrEnum):
    """The states a short job passes; the names are the vendor's."""

    CREATING = "CREATING"  # made; waits for its upload and the commit
    WAITING = "WAITING"  # committed and queued
    PROCESSING = "PROCESSING"  # a worker measures its recordings
    SUCCEED = "SUCCEED"  # there is a verdict, good or bad
    FAILED = "FAILED"  # there cannot be a verdict; the failure says why


TRANSITIONS: frozenset[tuple[JobState, JobState]] = frozenset(
    {
        (JobState.CREATING, JobState.WAITING),
        (JobState.CREATING, JobState.FAILED),  # cancelled
        (JobState.WAITING, JobState.PROCESSING),
        (JobState.WAITING, JobState.FAILED),
        (JobState.PROCESSING, JobState.SUCCEED),
        (JobState.PROCESSING, JobState.FAILED),
        (JobState.FAILED, JobState.WAITING),  # an operator has it tried again
    }
)
ENDED = (JobState.SUCCEED, JobState.FAILED)


def may_move(old: JobState, new: JobState) -> bool:
    """Tell whether a job may go from `old` to `new`."""
    return (old, new) in TRANSITIONS


def workflow_id(job_id: str, run: int) -> str:
    """Return the id of the durable workflow that sees a run of a job through."""
    return job_id if run <= 1 else f"{job_id}~{run}"


def upload_key(project_id: str, job_id: str) -> str:
    """Return the key that a job's recordings are uploaded to."""
    return f"{project_id}/{job_id}.zip"


@dataclass(frozen=True)
class Job:
    """One order to assess one upload.

    Attributes
    ----------
    job_id : str
        Lower-case UUID.
    project_id : str
    language : {"CN", "EN"}
    state : JobState
    object_key : str
        Where the upload lies in the object store; from commit on, a key that no upload reaches.
    created_s, updated_s : int
        Unix seconds.
    failure_code, failure_reason : str or None
        Set exactly in FAILED. `failure_code` is a word of ours, such as "corrupt_archive"; the wire has its own.
    result : dict or None
        The assessment in the documented JSON form, set exactly in SUCCEED.
    app_user_id : str or None
        The caller's own name for its user, kept and shown, never used to decide who may see a job.
    run : int
        How often the job was given to the workers: 0 before its commit, 1 after it, one more with each retry.
    uploads_removed_s : int or None
        When its upload was removed from the object store, Unix seconds.
    """

    job_id: str
    project_id: str
    language: str
    state: JobState
    object_key: str
    created_s: int
    updated_s: int
    failure_code: str | None = None
    failure_reason: str | None = None
    result: dict[str, Any] | None = None
    app_user_id: str | None = None
    run: int = 0
    uploads_removed_s: int | None = None
