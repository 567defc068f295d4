"""What the dialect needs from the rest: jobs, and a place to upload to."""

from __future__ import annotations

from typing import Protocol

from voicegauge.jobs.job import Job

__all__ = ["Jobs", "UploadUrls"]


class Jobs(Protocol):
    """The life of jobs, as one project sees it. Calls may block; they run in threads."""

    def create(self, project_id: str, language: str, app_user_id: str | None) -> Job:
        """Make a job in CREATING."""
        ...

    def commit(self, project_id: str, job_id: str) -> Job:
        """Start a job, durably; raises an error of :mod:`voicegauge.jobs.errors`."""
        ...

    def get(self, project_id: str, job_id: str) -> Job:
        """Return a job; raises JobNotFoundError, for a job of another project too."""
        ...

    def cancel(self, project_id: str, job_id: str) -> Job:
        """End a job that has not ended; raises JobNotFoundError or AlreadyEndedError."""
        ...


class UploadUrls(Protocol):
    """Makes the address that a job's zip is uploaded to."""

    def __call__(self, object_key: str, *, base_url: str) -> str:
        """Return the address; `base_url` is where the client reaches this service."""
        ...
