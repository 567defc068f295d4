"""What can be wrong with a request about a job.

UsageError
├── JobNotFoundError       no such job in this project
├── NothingUploadedError   commit before the upload
├── AlreadyCommittedError  a second commit
├── UploadExpiredError     the upload or its commit came too late
├── UploadTooLargeError    more bytes than are taken
├── AlreadyEndedError      cancelling what has ended
└── CannotRetryError       trying again what has not failed, or whose upload is gone

Each carries `job_id` and a message that says what to do.
"""

from __future__ import annotations

from voicegauge.errors import UsageError

__all__ = [
    "AlreadyCommittedError",
    "AlreadyEndedError",
    "CannotRetryError",
    "JobNotFoundError",
    "NothingUploadedError",
    "UploadExpiredError",
    "UploadTooLargeError",
]


class JobNotFoundError(UsageError):
    """The project has no job of this id; jobs of other projects are not found either."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"job {job_id} does not exist in this project; check the job id and the project id")
        self.job_id = job_id


class NothingUploadedError(UsageError):
    """The job was committed before its recordings were uploaded."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"nothing has been uploaded for job {job_id}; PUT the zip to the upload URL of the answer that created it, "
            "then commit again"
        )
        self.job_id = job_id


class AlreadyCommittedError(UsageError):
    """The job was committed before; committing twice changes nothing."""

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"job {job_id} was committed before and runs only once; show the job for its state, or create a new job to "
            "assess other recordings"
        )
        self.job_id = job_id


class UploadExpiredError(UsageError):
    """The time to upload and commit this job is over."""

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the upload of job {job_id} has expired; create a new job and upload the recordings again")
        self.job_id = job_id


class UploadTooLargeError(UsageError):
    """The upload has more bytes than are taken; only a bucket learns that as late as at the commit."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"job {job_id} cannot be committed: {why}, and create a new job for each part")
        self.job_id = job_id


class AlreadyEndedError(UsageError):
    """The job has ended, so there is nothing to cancel."""

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job {job_id} has ended before, as {state}; show the job for its result or its reason")
        self.job_id = job_id
        self.state = state


class CannotRetryError(UsageError):
    """The job cannot be tried again."""

    def __init__(self, job_id: str, why: str) -> None:
        super().__init__(f"job {job_id} cannot be tried again: {why}; create a new job and upload the recordings again")
        self.job_id = job_id
        self.why = why
