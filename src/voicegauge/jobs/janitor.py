"""Retention: what is kept for how long, and the thread that removes the rest.

Every removal is a small batch and may be repeated, so several janitors at work, or one that died, do no harm. An upload
is removed first and that it is gone noted after, so no upload is forgotten.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from voicegauge.errors import MachineError
from voicegauge.jobs.job import ENDED, JobState, upload_key
from voicegauge.jobs.ports import Uploads
from voicegauge.jobs.store import JobStore
from voicegauge.jobs.tables import jobs
from voicegauge.jobs.workflows import ended_workflows

__all__ = ["Janitor", "Retention"]

log = logging.getLogger(__name__)

DAY_S = 86_400
BATCH = 200
# The rows of a workflow that ended serve nobody but who looks into what happened just now.
WORKFLOWS_KEPT_S = 3_600
# What is not committed this long after its upload link ended is not going to be.
CREATING_KEPT_S = DAY_S
INTERVAL_S = 60.0


@dataclass(frozen=True)
class Retention:
    """How long things are kept.

    Attributes
    ----------
    keep_uploads_days, keep_jobs_days : int
        After the end of a job; 0 is for ever. No upload is kept longer than its job.
    upload_lifetime_s : int
        How long an upload link is valid.
    """

    keep_uploads_days: int = 7
    keep_jobs_days: int = 90
    upload_lifetime_s: int = 3600


class EngineRows(Protocol):
    """Removes the engine's rows of workflows."""

    def forget(self, workflow_ids: list[str]) -> None:
        """Delete workflows with all they stored."""
        ...


class Janitor:
    """A thread that removes what is kept no longer, a batch at a time.

    Parameters
    ----------
    store : JobStore
    uploads : Uploads
    rows : EngineRows
    retention : Retention
    """

    def __init__(self, store: JobStore, uploads: Uploads, rows: EngineRows, retention: Retention) -> None:
        self._store = store
        self._uploads = uploads
        self._rows = rows
        self._retention = retention
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="jobs-janitor", daemon=True)

    def start(self) -> None:
        """Start sweeping, at once and then at the interval."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for the batch that is under way."""
        self._stopping.set()
        self._thread.join()

    def sweep(self) -> None:
        """Remove all that is due now."""
        for batch in (self._uploads_of_ended, self._never_committed, self._ended_jobs, self._workflows):
            while batch() and not self._stopping.is_set():
                pass

    def _run(self) -> None:
        while True:
            try:
                self.sweep()
            except MachineError as error:
                log.warning("cannot remove what is kept no longer; trying again in %.0f s: %s", INTERVAL_S, error)
            except Exception:
                log.exception("cannot remove what is kept no longer; trying again in %.0f s", INTERVAL_S)
            if self._stopping.wait(INTERVAL_S):
                return

    def _uploads_of_ended(self) -> bool:
        days = [days for days in (self._retention.keep_uploads_days, self._retention.keep_jobs_days) if days > 0]
        if self._retention.keep_uploads_days == 0:
            return False
        ended_s = self._store.now_s() - min(days) * DAY_S
        return self._remove_uploads(*_ended_before(ended_s), jobs.c.uploads_removed_s.is_(None))

    def _never_committed(self) -> bool:
        created_s = self._store.now_s() - self._retention.upload_lifetime_s - CREATING_KEPT_S
        stale = (jobs.c.state == JobState.CREATING.value, jobs.c.updated_s < int(created_s))
        if self._retention.keep_jobs_days == 0:
            if self._retention.keep_uploads_days == 0:
                return False
            return self._remove_uploads(*stale, jobs.c.uploads_removed_s.is_(None))
        if self._retention.keep_uploads_days > 0 and self._remove_uploads(*stale, jobs.c.uploads_removed_s.is_(None)):
            return True
        return self._remove_jobs(*stale)

    def _ended_jobs(self) -> bool:
        if self._retention.keep_jobs_days == 0:
            return False
        conditions = _ended_before(self._store.now_s() - self._retention.keep_jobs_days * DAY_S)
        if self._retention.keep_uploads_days > 0:
            conditions.append(jobs.c.uploads_removed_s.is_not(None))
        return self._remove_jobs(*conditions)

    def _workflows(self) -> bool:
        ended = ended_workflows(self._store.engine, before_s=self._store.now_s() - WORKFLOWS_KEPT_S, most=BATCH)
        if ended:
            self._rows.forget(ended)
        return len(ended) >= BATCH

    def _remove_uploads(self, *conditions: sa.ColumnElement[bool]) -> bool:
        query = sa.select(jobs.c.job_id, jobs.c.project_id).where(*conditions).limit(BATCH)
        with self._store.engine.connect() as connection:
            found = connection.execute(query).all()
        for job_id, project_id in found:
            if self._stopping.is_set():
                return False
            # Also a PUT that came after the commit, and what a commit froze that died half way.
            self._uploads.purge(upload_key(project_id, job_id))
            with self._store.engine.begin() as connection:
                connection.execute(
                    jobs.update().where(jobs.c.job_id == job_id).values(uploads_removed_s=int(self._store.now_s()))
                )
        return len(found) == BATCH

    def _remove_jobs(self, *conditions: sa.ColumnElement[bool]) -> bool:
        batch = sa.select(jobs.c.job_id).where(*conditions).limit(BATCH)
        with self._store.engine.begin() as connection:
            removed = connection.execute(jobs.delete().where(jobs.c.job_id.in_(batch), *conditions))
        return removed.rowcount == BATCH


def _ended_before(moment_s: float) -> list[sa.ColumnElement[bool]]:
    return [jobs.c.state.in_([state.value for state in ENDED]), jobs.c.updated_s < int(moment_s)]
