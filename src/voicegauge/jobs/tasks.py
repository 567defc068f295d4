"""One task of a job: in a child process or a thread, timed, and waited for where the machine is at fault."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import sqlalchemy as sa

from voicegauge.errors import MachineError, ModelError
from voicegauge.jobs.children import (
    ChildDiedError,
    ChildMemoryError,
    ChildProcesses,
    ChildStartError,
    ChildTimeoutError,
    Stopwatch,
)
from voicegauge.jobs.ports import TaskEvent

__all__ = ["Task", "Tasks", "repeat_until_database_answers"]

log = logging.getLogger(__name__)
T = TypeVar("T")

# What the machine lacks is waited for without end: a job is not to blame for it.
FIRST_DELAY_S = 0.5
MAX_DELAY_S = 10.0

Outcome = Literal["done", "failed", "died", "timed_out", "out_of_memory", "cancelled"]


@dataclass(frozen=True)
class Task:
    """What is to be done, for whom, and how urgent it is: the smallest `due` comes first."""

    kind: Literal["plan", "measure", "conclude"]
    workflow_id: str
    job_id: str
    project_id: str
    due: int = 0


class Tasks:
    """Runs the tasks of this worker, and knows which of its workflows are at work and which only wait.

    Parameters
    ----------
    children : ChildProcesses
    on_task : callable
        Told of every task that is over, from any thread.
    """

    def __init__(self, children: ChildProcesses, on_task: Callable[[TaskEvent], None]) -> None:
        self._children = children
        self._on_task = on_task
        self._resting: set[str] = set()
        self._called: dict[str, Stopwatch] = {}
        self._trouble: str | None = None

    async def in_child(self, task: Task, timeout_s: float, function: Callable[..., T], *args: Any) -> T:
        """Call a function in a child process; what it raises comes back, but for what is the machine's fault."""

        async def call(stopwatch: Stopwatch) -> T:
            self._called[task.workflow_id] = stopwatch
            try:
                return await self._children.call_by(task.due, stopwatch, timeout_s, function, *args)
            finally:
                del self._called[task.workflow_id]

        return await self._until_machine_answers(task, call)

    async def in_thread(self, task: Task, function: Callable[..., T], *args: Any) -> T:
        """Call a quick function in this process, likewise."""

        async def call(stopwatch: Stopwatch) -> T:
            stopwatch.start()
            return await asyncio.to_thread(function, *args)

        return await self._until_machine_answers(task, call)

    @contextlib.contextmanager
    def resting(self, workflow_id: str) -> Iterator[None]:
        """Note that a workflow waits for something here, and would lose nothing by going on elsewhere."""
        self._resting.add(workflow_id)
        try:
            yield
        finally:
            self._resting.discard(workflow_id)

    def at_work(self, workflow_ids: Collection[str]) -> set[str]:
        """Return those of the workflows that do not merely wait."""
        called = dict(self._called)
        waiting = {workflow_id for workflow_id, stopwatch in called.items() if stopwatch.seconds == 0.0}
        return set(workflow_ids) - set(self._resting) - waiting

    async def _until_machine_answers(self, task: Task, call: Callable[[Stopwatch], Awaitable[T]]) -> T:
        delay_s = FIRST_DELAY_S
        while True:
            try:
                answer = await self._timed(task, call)
            except (ChildStartError, MachineError, ModelError) as error:
                if self._trouble != str(error):
                    self._trouble = str(error)
                    log.error("%s; waiting until this works again", error)
                with self.resting(task.workflow_id):
                    await asyncio.sleep(delay_s)
                delay_s = min(2 * delay_s, MAX_DELAY_S)
                continue
            if self._trouble is not None:
                self._trouble = None
                log.warning("the work goes on")
            return answer

    async def _timed(self, task: Task, call: Callable[[Stopwatch], Awaitable[T]]) -> T:
        stopwatch = Stopwatch()
        outcome: Outcome = "failed"
        try:
            answer = await call(stopwatch)
            outcome = "done"
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except ChildDiedError:
            outcome = "died"
            raise
        except ChildMemoryError:
            outcome = "out_of_memory"
            raise
        except ChildTimeoutError:
            outcome = "timed_out"
            raise
        finally:
            self._on_task(TaskEvent(task.kind, outcome, stopwatch.seconds, task.job_id, task.project_id))
        return answer


async def repeat_until_database_answers(action: Callable[[], T]) -> T:
    """Repeat an action while the database is away or locked, as the engine does with its own."""
    delay_s = FIRST_DELAY_S
    while True:
        try:
            return await asyncio.to_thread(action)
        except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
            log.warning("the database does not answer; trying again in %.1f s: %s", delay_s, error)
            await asyncio.sleep(delay_s)
            delay_s = min(2 * delay_s, MAX_DELAY_S)
