"""The durable work of one job: plan, measure chunk by chunk, judge.

The engine runs a workflow again from its last recorded step after a crash, and a step may run more than once. So every
step here can be repeated: an outcome that is recorded stays, and a run of a job that is over is left alone.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dbos import DBOS, PropagateOtelContext, SetEnqueueOptions, SetWorkflowID, StepOptions

from voicegauge.context import note, working_on
from voicegauge.errors import ArchiveError
from voicegauge.jobs.children import ChildDiedError, ChildMemoryError, ChildTimeoutError
from voicegauge.jobs.grouping import group
from voicegauge.jobs.job import JobState, workflow_id
from voicegauge.jobs.ports import Pipeline
from voicegauge.jobs.store import Failure, JobStore
from voicegauge.jobs.tasks import Task, Tasks, repeat_until_database_answers
from voicegauge.jobs.workflows import outstanding

__all__ = ["ASSESS_WORKFLOW", "CHUNK_QUEUE", "JOB_QUEUE", "MEASURE_WORKFLOW", "Limits", "register_workflows"]

log = logging.getLogger(__name__)

JOB_QUEUE = "jobs"
CHUNK_QUEUE = "chunks"
ASSESS_WORKFLOW = "assess_job"
MEASURE_WORKFLOW = "measure_chunk"

# A worker that is stopped in order hands its work back uncounted; these count the deaths that one job may meet.
MAX_JOB_RESTARTS = 100
MAX_CHUNK_RESTARTS = 20

# A chunk is due a minute later for each one of its project that waits before it, so a project with little to do is
# served first, and an hour later at most, so that none waits for ever.
DUE_STEP_S = 60
DUE_MOST_STEPS = 60
# Jobs are planned side by side, so those of the project that are under way or wait count too, as so many chunks.
CHUNKS_OF_A_JOB = 8
# The engine's priorities have 31 bits: seconds since 2020 last until 2088.
DUE_EPOCH_S = 1_577_836_800


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
    # Without the compiled core a recording takes 20 times its estimate, and a busy machine is slower still.
    chunk_timeout_factor: float = 60.0
    plan_timeout_s: float = 60.0
    attempts: int = 3


class _Steps:
    """The steps of the workflows. `job` is what `begin` answered: plain values, since the engine stores them."""

    def __init__(self, store: JobStore, pipeline: Pipeline, tasks: Tasks, limits: Limits) -> None:
        self._store = store
        self._pipeline = pipeline
        self._tasks = tasks
        self._limits = limits

    async def begin(self, job_id: str, run: int) -> dict[str, Any]:
        job = await _database(lambda: self._store.begin(job_id, run))
        return {
            "processing": job.state is JobState.PROCESSING and job.run == run,
            "project_id": job.project_id,
            "object_key": job.object_key,
            "language": job.language,
        }

    async def plan(self, job: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return the chunks, or None after the job was failed."""
        try:
            recordings = await self._plan(job)
        except ArchiveError as error:
            failure = Failure(error.code, error.message(job["language"]))
        except (ChildDiedError, ChildMemoryError, ChildTimeoutError) as error:
            failure = _unreadable(error, job["language"])
        except Exception:
            log.exception("job %s: planning failed", job["job_id"])
            failure = Failure("internal_error", "the upload could not be opened; tell the operator")
        else:
            before = await _database(lambda: self._chunks_before(job["project_id"]))
            now_s = self._store.now_s()
            return [
                {"names": list(chunk.names), "cpu_s": chunk.cpu_s, "due": due_of(now_s, before + index)}
                for index, chunk in enumerate(group(recordings, target_cpu_s=self._limits.target_cpu_s))
            ]
        await _database(lambda: self._store.fail(job["job_id"], job["run"], failure))
        return None

    async def _plan(self, job: dict[str, Any]) -> Sequence[tuple[str, float]]:
        task = _task("plan", job)
        arguments = (self._limits.plan_timeout_s, self._pipeline.plan, job["object_key"])
        for _ in range(self._limits.attempts - 1):
            try:
                return await self._tasks.in_child(task, *arguments)
            except ChildDiedError:
                log.warning("a child process died while planning job %s", job["job_id"])
        return await self._tasks.in_child(task, *arguments)

    def _chunks_before(self, project_id: str) -> int:
        engine, most = self._store.engine, DUE_MOST_STEPS
        other_jobs = outstanding(engine, JOB_QUEUE, project_id, most=most) - 1
        return CHUNKS_OF_A_JOB * other_jobs + outstanding(engine, CHUNK_QUEUE, project_id, most=most)

    async def measure(self, job: dict[str, Any], index: int, chunk: dict[str, Any]) -> None:
        job_id, run = job["job_id"], job["run"]
        if not await _database(lambda: self._store.in_work(job_id, run)):
            return
        task = _task("measure", job, index, chunk["due"])
        try:
            measured = await self._measure(task, job, chunk["names"], chunk["cpu_s"])
        except ArchiveError as error:
            failure = Failure(error.code, error.message(job["language"]))
            await _database(lambda: self._store.record_chunk_failure(job_id, run, index, failure))
        except _RecordingFailedError as error:
            failed = error.failure
            await _database(lambda: self._store.record_chunk_failure(job_id, run, index, failed))
        else:
            await _database(lambda: self._store.record_chunk(job_id, run, index, measured))

    async def _measure(
        self, task: Task, job: dict[str, Any], names: list[str], cpu_s: float
    ) -> Sequence[dict[str, Any]]:
        if len(names) == 1:
            return await self._measure_one(task, job, names[0], cpu_s, self._limits.attempts)
        try:
            return await self._call(task, job, names, cpu_s)
        except ArchiveError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must become this job's end and nothing else's
            log.warning("job %s: measuring %d recordings: %r; trying each alone", job["job_id"], len(names), error)
        measured: list[dict[str, Any]] = []
        for name in names:
            measured.extend(await self._measure_one(task, job, name, cpu_s, self._limits.attempts - 1))
        return measured

    async def _measure_one(
        self, task: Task, job: dict[str, Any], name: str, cpu_s: float, attempts: int
    ) -> Sequence[dict[str, Any]]:
        for attempt in range(1, attempts + 1):
            try:
                return await self._call(task, job, [name], cpu_s)
            except ArchiveError:
                raise
            except Exception as error:
                log.warning("job %s: measuring %r, attempt %d", job["job_id"], name, attempt, exc_info=error)
                cause = error
        raise _RecordingFailedError(_failure_of(name, cause, job["language"]))

    async def _call(self, task: Task, job: dict[str, Any], names: list[str], cpu_s: float) -> Sequence[dict[str, Any]]:
        timeout_s = self._limits.chunk_timeout_s + self._limits.chunk_timeout_factor * cpu_s
        return await self._tasks.in_child(
            task, timeout_s, self._pipeline.measure, job["object_key"], names, job["language"]
        )

    async def abandon_chunk(self, job: dict[str, Any], index: int, names: list[str]) -> None:
        """Note a chunk whose workflow ended without an outcome."""
        failure = Failure("internal_error", f"measuring {_listed(names)} could not be completed; tell the operator")
        await _database(lambda: self._store.record_chunk_failure(job["job_id"], job["run"], index, failure))

    async def conclude(self, job: dict[str, Any]) -> None:
        job_id, run, language = job["job_id"], job["run"], job["language"]
        if not await _database(lambda: self._store.in_work(job_id, run)):
            return
        outcomes = await _database(lambda: self._store.chunk_outcomes(job_id, run))
        failures = [outcome.failure for outcome in outcomes if outcome.failure is not None]
        if failures:
            failure = Failure(failures[0].code, "; ".join(dict.fromkeys(each.reason for each in failures)))
        else:
            measured = [recording for outcome in outcomes for recording in outcome.measured or ()]
            try:
                result = await self._tasks.in_thread(
                    _task("conclude", job), self._pipeline.conclude, job["object_key"], measured, language
                )
            except ArchiveError as error:
                failure = Failure(error.code, error.message(language))
            except Exception:
                log.exception("job %s: judging failed", job_id)
                failure = Failure("internal_error", "the measurements could not be judged; tell the operator")
            else:
                await _database(lambda: self._store.succeed(job_id, run, result))
                return
        await _database(lambda: self._store.fail(job_id, run, failure))


def register_workflows(
    store: JobStore,
    pipeline: Pipeline,
    tasks: Tasks,
    limits: Limits,
    poll_s: float,
    *,
    traced: bool = False,
) -> None:
    """Tell the engine, before its launch, what the workflows do."""
    trace_goes_on = PropagateOtelContext if traced else contextlib.nullcontext
    steps = _Steps(store, pipeline, tasks, limits)

    @DBOS.workflow(name=MEASURE_WORKFLOW, max_recovery_attempts=MAX_CHUNK_RESTARTS)
    async def measure_chunk(job: dict[str, Any], index: int, chunk: dict[str, Any]) -> None:
        options: StepOptions = {"name": "measure", "preemptible": True}
        with working_on(job_id=job["job_id"], project_id=job["project_id"]):
            await DBOS.run_step_async(options, steps.measure, job, index, chunk)

    @DBOS.workflow(name=ASSESS_WORKFLOW, max_recovery_attempts=MAX_JOB_RESTARTS)
    async def assess_job(job_id: str, run: int = 1) -> None:
        with working_on(job_id=job_id):
            await see_through(job_id, run)

    async def see_through(job_id: str, run: int) -> None:
        job = {"job_id": job_id, "run": run, **await DBOS.run_step_async({"name": "begin"}, steps.begin, job_id, run)}
        if not job["processing"]:
            return
        note(project_id=job["project_id"])
        chunks = await DBOS.run_step_async({"name": "plan", "preemptible": True}, steps.plan, job)
        if chunks is None:
            return
        handles = []
        for index, chunk in enumerate(chunks):
            options = SetEnqueueOptions(queue_partition_key=job["project_id"], priority=chunk["due"])
            with SetWorkflowID(_chunk_workflow_id(job, index)), options, trace_goes_on():
                handles.append(await DBOS.enqueue_workflow_async(CHUNK_QUEUE, measure_chunk, job, index, chunk))
        for index, handle in enumerate(handles):
            try:
                with tasks.resting(workflow_id(job_id, run)):
                    await handle.get_result(polling_interval_sec=poll_s)
            except Exception as error:  # noqa: BLE001 - as above
                log.error("job %s: chunk %d ended without an outcome: %s", job_id, index, error)
                names = chunks[index]["names"]
                await DBOS.run_step_async({"name": "abandon"}, steps.abandon_chunk, job, index, names)
        await DBOS.run_step_async({"name": "conclude", "preemptible": True}, steps.conclude, job)


def due_of(now_s: float, before: int) -> int:
    """Say when a chunk is due, as the engine's priority, where its project has so many to be measured before it."""
    return int(now_s - DUE_EPOCH_S + DUE_STEP_S * min(before, DUE_MOST_STEPS))


_database = repeat_until_database_answers


class _RecordingFailedError(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def _chunk_workflow_id(job: dict[str, Any], index: int) -> str:
    return f"{workflow_id(job['job_id'], job['run'])}.{index}"


def _task(
    kind: Literal["plan", "measure", "conclude"], job: dict[str, Any], index: int | None = None, due: int = 0
) -> Task:
    of = workflow_id(job["job_id"], job["run"]) if index is None else _chunk_workflow_id(job, index)
    return Task(kind, of, job["job_id"], job["project_id"], due)


def _unreadable(error: Exception, language: str) -> Failure:
    if language == "CN":
        return Failure("archive_unreadable", f"无法打开上传的文件（{error}），请重新打包录音")
    return Failure("archive_unreadable", f"the upload cannot be opened ({error}); pack the recordings again")


def _failure_of(name: str, error: Exception, language: str) -> Failure:
    code, zh, en = "recording_failed", "每次都失败", "failed each time"
    if isinstance(error, ChildDiedError):
        code, zh, en = "recording_crashed", "每次都崩溃", "crashed each time"
    elif isinstance(error, ChildTimeoutError):
        code, zh, en = "recording_timed_out", f"每次都超时（{error}）", f"{error} each time"
    elif isinstance(error, ChildMemoryError):
        code, zh, en = "recording_out_of_memory", f"每次都内存不足（{error}）", f"took {error} each time"
    if language == "CN":
        return Failure(code, f"测量 {name!r} {zh}；请去掉或重新导出该录音，并新建任务，或告知管理员")
    return Failure(
        code, f"measuring {name!r} {en}; leave it out or export it anew, and create a new job, or tell the operator"
    )


def _listed(names: Sequence[str], most: int = 5) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
