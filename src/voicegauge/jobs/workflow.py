"""The durable work of one job: plan, measure chunk by chunk, judge.

The engine runs a workflow again from its last recorded step after a crash, and a step may run more than once. So every
step here can be repeated: an outcome that is recorded stays, and a job that has ended is left alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, PropagateOtelContext, SetEnqueueOptions, SetWorkflowID, StepOptions

from voicegauge.context import note, working_on
from voicegauge.errors import ArchiveError
from voicegauge.jobs.children import ChildDiedError, ChildProcesses, ChildStartError, ChildTimeoutError
from voicegauge.jobs.grouping import group
from voicegauge.jobs.job import JobState
from voicegauge.jobs.ports import Pipeline
from voicegauge.jobs.store import Failure, JobStore

__all__ = ["ASSESS_WORKFLOW", "CHUNK_QUEUE", "JOB_QUEUE", "Limits", "register_workflows"]

log = logging.getLogger(__name__)
T = TypeVar("T")

JOB_QUEUE = "jobs"
CHUNK_QUEUE = "chunks"
ASSESS_WORKFLOW = "assess_job"
MEASURE_WORKFLOW = "measure_chunk"

# Deploys and restarts count as starts too, and each may meet the same job.
MAX_JOB_RESTARTS = 100
MAX_CHUNK_RESTARTS = 20

# What the machine lacks is waited for without end: a job is not to blame for it.
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 10.0


@dataclass(frozen=True)
class Limits:
    """How much one task is, and how long it may take.

    Attributes
    ----------
    target_cpu_s : float
        Processor seconds a chunk of small recordings is worth.
    chunk_timeout_s, chunk_timeout_factor : float
        A chunk may take the first plus the second times its processor seconds.
    plan_timeout_s : float
    attempts : int >= 2
        How often a recording is tried before its job fails.
    """

    target_cpu_s: float = 10.0
    chunk_timeout_s: float = 120.0
    chunk_timeout_factor: float = 20.0
    plan_timeout_s: float = 60.0
    attempts: int = 3


class _Steps:
    """The steps of the workflows."""

    def __init__(self, store: JobStore, pipeline: Pipeline, children: ChildProcesses, limits: Limits) -> None:
        self._store = store
        self._pipeline = pipeline
        self._children = children
        self._limits = limits

    async def begin(self, job_id: str) -> dict[str, Any]:
        job = await _until_database_answers(lambda: self._store.begin(job_id))
        return {
            "processing": job.state is JobState.PROCESSING,
            "project_id": job.project_id,
            "object_key": job.object_key,
            "language": job.language,
        }

    async def plan(self, job_id: str, object_key: str, language: str) -> list[dict[str, Any]] | None:
        """Return the chunks, or None after the job was failed."""
        try:
            recordings = await self._plan(object_key)
        except ArchiveError as error:
            failure = Failure(error.code, error.message(language))
        except (ChildDiedError, ChildTimeoutError) as error:
            failure = Failure("archive_unreadable", f"the upload cannot be opened ({error}); pack the recordings again")
        except Exception:
            log.exception("job %s: planning failed", job_id)
            failure = Failure("internal_error", "the upload could not be opened; tell the operator")
        else:
            chunks = group(recordings, target_cpu_s=self._limits.target_cpu_s)
            return [{"names": list(chunk.names), "cpu_s": chunk.cpu_s} for chunk in chunks]
        await _until_database_answers(lambda: self._store.fail(job_id, failure))
        return None

    async def _plan(self, object_key: str) -> Sequence[tuple[str, float]]:
        for _ in range(self._limits.attempts - 1):
            try:
                return await self._in_child(self._limits.plan_timeout_s, self._pipeline.plan, object_key)
            except ChildDiedError:
                log.warning("a child process died while planning %s", object_key)
        return await self._in_child(self._limits.plan_timeout_s, self._pipeline.plan, object_key)

    async def measure(self, job: dict[str, Any], index: int, chunk: dict[str, Any]) -> None:
        job_id = job["job_id"]
        try:
            measured = await self._measure(job, chunk["names"], chunk["cpu_s"])
        except ArchiveError as error:
            failure = Failure(error.code, error.message(job["language"]))
            await _until_database_answers(lambda: self._store.record_chunk_failure(job_id, index, failure))
        except _RecordingFailedError as error:
            failed = error.failure
            await _until_database_answers(lambda: self._store.record_chunk_failure(job_id, index, failed))
        else:
            await _until_database_answers(lambda: self._store.record_chunk(job_id, index, measured))

    async def _measure(self, job: dict[str, Any], names: list[str], cpu_s: float) -> Sequence[dict[str, Any]]:
        if len(names) == 1:
            return await self._measure_one(job, names[0], cpu_s, self._limits.attempts)
        try:
            return await self._call(job, names, cpu_s)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must become this job's end and nothing else's
            log.warning("job %s: measuring %d recordings: %r; trying each alone", job["job_id"], len(names), error)
        measured: list[dict[str, Any]] = []
        for name in names:
            measured.extend(await self._measure_one(job, name, cpu_s, self._limits.attempts - 1))
        return measured

    async def _measure_one(
        self, job: dict[str, Any], name: str, cpu_s: float, attempts: int
    ) -> Sequence[dict[str, Any]]:
        for attempt in range(1, attempts + 1):
            try:
                return await self._call(job, [name], cpu_s)
            except ArchiveError:
                raise
            except Exception as error:
                log.warning("job %s: measuring %r, attempt %d", job["job_id"], name, attempt, exc_info=error)
                cause = error
        raise _RecordingFailedError(_failure_of(name, cause))

    async def _call(self, job: dict[str, Any], names: list[str], cpu_s: float) -> Sequence[dict[str, Any]]:
        timeout_s = self._limits.chunk_timeout_s + self._limits.chunk_timeout_factor * cpu_s
        return await self._in_child(timeout_s, self._pipeline.measure, job["object_key"], names, job["language"])

    async def _in_child(self, timeout_s: float, function: Callable[..., T], *args: Any) -> T:
        delay_s = FIRST_DELAY_S
        while True:
            try:
                return await self._children.call(timeout_s, function, *args)
            except ChildStartError as error:
                log.error("%s; trying again in %.1f s", error, delay_s)
                await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, MAX_DELAY_S)

    async def abandon_chunk(self, job_id: str, index: int, names: list[str]) -> None:
        """Note a chunk whose workflow ended without an outcome."""
        failure = Failure("internal_error", f"measuring {_listed(names)} could not be completed; tell the operator")
        await _until_database_answers(lambda: self._store.record_chunk_failure(job_id, index, failure))

    async def conclude(self, job_id: str, object_key: str, language: str) -> None:
        outcomes = await _until_database_answers(lambda: self._store.chunk_outcomes(job_id))
        failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
        if failures:
            failure = Failure(failures[0].code, "; ".join(dict.fromkeys(each.reason for each in failures)))
        else:
            measured = [recording for outcome in outcomes for recording in outcome.measured or ()]
            try:
                result = await asyncio.to_thread(self._pipeline.conclude, object_key, measured, language)
            except ArchiveError as error:
                failure = Failure(error.code, error.message(language))
            except Exception:
                log.exception("job %s: judging failed", job_id)
                failure = Failure("internal_error", "the measurements could not be judged; tell the operator")
            else:
                await _until_database_answers(lambda: self._store.succeed(job_id, result))
                return
        await _until_database_answers(lambda: self._store.fail(job_id, failure))


def register_workflows(
    store: JobStore,
    pipeline: Pipeline,
    children: ChildProcesses,
    limits: Limits,
    poll_s: float,
    *,
    traced: bool = False,
) -> None:
    """Tell the engine, before its launch, what the workflows do."""
    trace_goes_on = PropagateOtelContext if traced else contextlib.nullcontext
    steps = _Steps(store, pipeline, children, limits)

    @DBOS.workflow(name=MEASURE_WORKFLOW, max_recovery_attempts=MAX_CHUNK_RESTARTS)
    async def measure_chunk(job: dict[str, Any], index: int, chunk: dict[str, Any]) -> None:
        options: StepOptions = {"name": "measure", "preemptible": True}
        with working_on(job_id=job["job_id"], project_id=job["project_id"]):
            await DBOS.run_step_async(options, steps.measure, job, index, chunk)

    @DBOS.workflow(name=ASSESS_WORKFLOW, max_recovery_attempts=MAX_JOB_RESTARTS)
    async def assess_job(job_id: str) -> None:
        with working_on(job_id=job_id):
            await see_through(job_id)

    async def see_through(job_id: str) -> None:
        job = {"job_id": job_id, **await DBOS.run_step_async({"name": "begin"}, steps.begin, job_id)}
        if not job["processing"]:
            return
        note(project_id=job["project_id"])
        chunks = await DBOS.run_step_async(
            {"name": "plan", "preemptible": True}, steps.plan, job_id, job["object_key"], job["language"]
        )
        if chunks is None:
            return
        handles = []
        for index, chunk in enumerate(chunks):
            partition = SetEnqueueOptions(queue_partition_key=job["project_id"])
            with SetWorkflowID(f"{job_id}.{index}"), partition, trace_goes_on():
                handles.append(await DBOS.enqueue_workflow_async(CHUNK_QUEUE, measure_chunk, job, index, chunk))
        for index, handle in enumerate(handles):
            try:
                await handle.get_result(polling_interval_sec=poll_s)
            except Exception as error:  # noqa: BLE001 - as above
                log.error("job %s: chunk %d ended without an outcome: %s", job_id, index, error)
                await DBOS.run_step_async(
                    {"name": "abandon"}, steps.abandon_chunk, job_id, index, chunks[index]["names"]
                )
        await DBOS.run_step_async({"name": "conclude"}, steps.conclude, job_id, job["object_key"], job["language"])


class _RecordingFailedError(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def _failure_of(name: str, error: Exception) -> Failure:
    advice = "leave it out or export it anew, and create a new job"
    if isinstance(error, ChildDiedError):
        return Failure("recording_crashed", f"measuring {name!r} crashed each time; {advice}")
    if isinstance(error, ChildTimeoutError):
        return Failure("recording_timed_out", f"measuring {name!r} {error} each time; {advice}")
    return Failure("recording_failed", f"measuring {name!r} failed each time; {advice}, or tell the operator")


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


async def _until_database_answers(action: Callable[[], T]) -> T:
    """Repeat an action while the database is away or locked, as the engine does with its own."""
    delay_s = FIRST_DELAY_S
    while True:
        try:
            return await asyncio.to_thread(action)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            log.warning("the database does not answer; trying again in %.1f s: %s", delay_s, error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, MAX_DELAY_S)
