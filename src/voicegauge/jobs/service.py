"""What a caller can ask of jobs: create, commit, get."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from pathlib import PurePosixPath

from voicegauge.errors import MachineError
from voicegauge.jobs.engine import JobQueue
from voicegauge.jobs.errors import (
    AlreadyCommittedError,
    AlreadyEndedError,
    CannotRetryError,
    JobNotFoundError,
    NothingUploadedError,
    UploadExpiredError,
)
from voicegauge.jobs.job import Job, JobState, upload_key
from voicegauge.jobs.ports import Uploads
from voicegauge.jobs.store import JobStore

__all__ = ["JobService"]

log = logging.getLogger(__name__)


class JobService:
    """Creates, commits and shows jobs. Its methods block on the database and the object store.

    Parameters
    ----------
    store : JobStore
    queue : JobQueue
    uploads : Uploads
    upload_lifetime_s : int
        How long after its creation a job's upload link is valid.
    now_s : callable
        The current Unix time in seconds.
    """

    def __init__(
        self,
        store: JobStore,
        queue: JobQueue,
        *,
        uploads: Uploads,
        upload_lifetime_s: int,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._queue = queue
        self._uploads = uploads
        self._upload_lifetime_s = upload_lifetime_s
        self._now_s = now_s

    def create(self, project_id: str, language: str, app_user_id: str | None) -> Job:
        """Make a job that waits for its upload under the returned job's `object_key`."""
        job_id = str(uuid.uuid4())
        now_s = int(self._now_s())
        job = Job(
            job_id=job_id,
            project_id=project_id,
            language=language,
            state=JobState.CREATING,
            object_key=upload_key(project_id, job_id),
            created_s=now_s,
            updated_s=now_s,
            app_user_id=app_user_id,
        )
        self._store.create(job)
        return job

    def commit(self, project_id: str, job_id: str) -> Job:
        """Hand an uploaded job over to the workers; when this returns, the job will end, whatever dies.

        What was uploaded in time may be committed at any time. From here on the job's `object_key` is that of the
        frozen upload, which a late PUT to a still valid URL does not reach.

        Raises
        ------
        JobNotFoundError
        AlreadyCommittedError
        NothingUploadedError
        UploadExpiredError
            Nothing was uploaded, and it is too late to do so.
        UploadTooLargeError
        """
        job = self._store.get(project_id, job_id)
        if job.state is not JobState.CREATING:
            raise AlreadyCommittedError(job_id)
        frozen_key = self._uploads.freeze(job.object_key)
        if frozen_key is None:
            if self._now_s() >= job.created_s + self._upload_lifetime_s:
                raise UploadExpiredError(job_id)
            raise NothingUploadedError(job_id)
        with self._store.engine.begin() as connection:
            committed = self._store.commit(connection, job_id, frozen_key)
            if committed:
                self._queue.enqueue(connection, job)
        if not committed:
            self._discard(frozen_key)
            raise AlreadyCommittedError(job_id)
        self._discard(job.object_key)
        return self._store.get(project_id, job_id)

    def takes_upload(self, object_key: str) -> bool:
        """Tell whether a job still waits for its upload under this key."""
        try:
            return self._store.find(PurePosixPath(object_key).stem).state is JobState.CREATING
        except JobNotFoundError:
            return False

    def get(self, project_id: str, job_id: str) -> Job:
        """Return a job of the project; raises JobNotFoundError."""
        return self._store.get(project_id, job_id)

    def cancel(self, project_id: str, job_id: str) -> Job:
        """End a job of the project that has not ended, and its work; return it as it is then.

        Raises
        ------
        JobNotFoundError
        AlreadyEndedError
        """
        self._store.get(project_id, job_id)
        if not self._store.cancel(job_id):
            raise AlreadyEndedError(job_id, self._store.get(project_id, job_id).state)
        self._queue.cancel(self._store.get(project_id, job_id))
        return self._store.get(project_id, job_id)

    def retry(self, job_id: str) -> Job:
        """Give a failed job to the workers again, with the upload it had; for the operator.

        Raises
        ------
        JobNotFoundError
        CannotRetryError
            It has not failed, or its upload is gone.
        """
        before = self._store.find(job_id)
        # Where it was cancelled and that was cut short, the last run must end before the next one.
        if before.state is JobState.FAILED:
            self._queue.cancel(before)
        with self._store.engine.begin() as connection:
            job = self._store.retry(connection, job_id)
            if job is not None:
                self._queue.enqueue(connection, job)
        if job is None:
            now = self._store.find(job_id)
            if now.state is not JobState.FAILED:
                raise CannotRetryError(job_id, f"it is {now.state} and has not failed")
            raise CannotRetryError(job_id, "its upload is gone" if now.run > 0 else "it was never committed")
        return job

    def _discard(self, key: str) -> None:
        try:
            self._uploads.delete(key)
        except MachineError as error:
            log.warning("%s is left to the janitor: %s", key, error)
