"""Child processes for the heavy work: what crashes, hangs or eats memory takes one child, never the worker."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import heapq
import itertools
import multiprocessing
import os
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

__all__ = ["ChildDiedError", "ChildMemoryError", "ChildProcesses", "ChildStartError", "ChildTimeoutError", "Stopwatch"]

P = ParamSpec("P")
T = TypeVar("T")

PR_SET_PDEATHSIG = 1
# The kernel kills the process with the highest score first when memory runs out.
OOM_SCORE_ADJ = 1000
# A child that died is taken to have died of its memory limit where it was last seen this near to it.
NEAR_LIMIT = 0.8
MEMORY_LOOK_S = 0.2
# Not a death, which would be held against what was to be done.
STOPPING = "the worker is stopping and starts no child process"


class ChildDiedError(Exception):
    """The child process ended without an answer."""


class ChildMemoryError(Exception):
    """The child process wanted more memory than it may have."""


class ChildStartError(Exception):
    """No child process can be started: a fault of the machine or the installation, not of what it was to do."""


class ChildTimeoutError(Exception):
    """The child process took longer than it may, and was killed."""


class Stopwatch:
    """How long a call has been in a child; 0 before it reached one."""

    def __init__(self) -> None:
        self._started_s: float | None = None

    def start(self) -> None:
        """Begin to count."""
        self._started_s = time.monotonic()

    @property
    def seconds(self) -> float:
        """The time since the start."""
        return 0.0 if self._started_s is None else time.monotonic() - self._started_s


class ChildProcesses:
    """A fixed number of child processes, each started anew after a death, a kill, or `max_calls` calls.

    Parameters
    ----------
    count : int >= 1
        Children that run at the same time.
    memory_mb : int, optional
        What a child may allocate, in MiB; more raises MemoryError there.
    temp_folder : Path, optional
        Each child gets a folder of its own in it for its temporary files, which is removed when the child is gone.
    max_calls : int >= 1
        Calls after which a child is replaced, so that memory leaked by decoders is given back.
    """

    def __init__(
        self,
        count: int,
        *,
        memory_mb: int | None = None,
        temp_folder: Path | None = None,
        max_calls: int = 100,
    ) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="jobs-child")
        self._children = [_Child(max_calls, memory_mb, temp_folder) for _ in range(count)]
        # Last in, first out: a warm child with its models loaded is taken before a cold one.
        self._idle = list(self._children)
        self._waiting: list[tuple[int, int, _Call]] = []
        self._order = itertools.count()
        self._lock = threading.Lock()
        self._held = False

    async def call(
        self,
        timeout_s: float,
        function: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Call a picklable function in a child and return its answer; cancelling the call kills the child.

        Raises
        ------
        ChildStartError
            No child can be started.
        ChildDiedError
            The child was killed or crashed.
        ChildMemoryError
            The memory limit was reached.
        ChildTimeoutError
            `timeout_s` passed, counted from the moment a child was free.
        Exception
            What the function raised.
        """
        return await self.call_by(0, Stopwatch(), timeout_s, function, *args, **kwargs)

    async def call_by(
        self,
        due: int,
        stopwatch: Stopwatch,
        timeout_s: float,
        function: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """The same, where of the calls that wait for a child the one with the smallest `due` goes first."""
        call = _Call(lambda child: child.call(call, stopwatch, timeout_s, function, *args, **kwargs))
        with self._lock:
            heapq.heappush(self._waiting, (due, next(self._order), call))
        try:
            self._threads.submit(self._run_next)
        except RuntimeError as error:
            raise ChildStartError(STOPPING) from error
        try:
            answer: T = await asyncio.wrap_future(call.answer)
        except asyncio.CancelledError:
            call.cancel()
            raise
        return answer

    def hold(self) -> None:
        """Begin no further call: those that wait for a child go on waiting until they are cancelled."""
        with self._lock:
            self._held = True

    def stop(self) -> None:
        """Kill the children and refuse further calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            self._held = True
            for _, _, call in self._waiting:
                call.answer.cancel()
        for child in self._children:
            child.close()
        self._threads.shutdown(wait=True)

    def _run_next(self) -> None:
        with self._lock:
            if self._held:
                return
            _, _, call = heapq.heappop(self._waiting)
            child = self._idle.pop()

        def release() -> None:
            with self._lock:
                self._idle.append(child)

        call.run(child, release)


class _Call:
    """One call: cancelled before it reaches a child, or by killing the child it is in."""

    def __init__(self, work: Callable[[_Child], Any]) -> None:
        self.answer: Future[Any] = Future()
        self._work = work
        self._lock = threading.Lock()
        self._cancelled = False
        self._child: _Child | None = None

    def run(self, child: _Child, release: Callable[[], None]) -> None:
        """Do the work, and let go of the child before it is known, so that the next call finds this one warm."""
        if not self.answer.set_running_or_notify_cancel():
            release()
            return
        try:
            answer = self._work(child)
        except BaseException as error:  # noqa: BLE001 - it is the caller's
            release()
            self.answer.set_exception(error)
        else:
            release()
            self.answer.set_result(answer)

    def enter(self, child: _Child) -> bool:
        with self._lock:
            self._child = child
            return not self._cancelled

    def leave(self) -> None:
        with self._lock:
            self._child = None

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._child is not None:
                self._child.kill()


class _Child:
    """One child process at a time, used by one thread at a time; `kill` and `close` may come from any thread."""

    def __init__(self, max_calls: int, memory_mb: int | None, temp_folder: Path | None) -> None:
        self._max_calls = max_calls
        self._memory_mb = memory_mb
        self._temp_parent = temp_folder
        self._temp_folder: str | None = None
        self._calls = 0
        self._executor: ProcessPoolExecutor | None = None
        self._pid: int | None = None
        self._closed = False
        self._lock = threading.Lock()

    def call(
        self,
        call: _Call,
        stopwatch: Stopwatch,
        timeout_s: float,
        function: Callable[..., T],
        *args: Any,
        **kwargs: Any,
    ) -> T:
        try:
            self._start()
            if not call.enter(self):
                raise ChildDiedError("the call was cancelled")
            stopwatch.start()
            try:
                future = self._submit(function, *args, **kwargs)
            except RuntimeError as error:  # of an interpreter that ends; a broken pool is one too
                self._discard()
                raise ChildStartError(STOPPING) from error
            return self._answer_of(future, timeout_s)
        finally:
            call.leave()

    def kill(self) -> None:
        with self._lock:
            if self._pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._pid, signal.SIGKILL)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self.kill()
        self._discard()

    def _submit(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
        try:
            return self._start().submit(_within_memory, function, *args, **kwargs)
        except BrokenProcessPool:
            # It died while it was idle, so this call is not to blame.
            self._discard()
            return self._start().submit(_within_memory, function, *args, **kwargs)
        finally:
            self._calls += 1

    def _answer_of(self, future: Future[T], timeout_s: float) -> T:
        deadline_s = time.monotonic() + timeout_s
        data_mb = 0.0
        while True:
            left_s = deadline_s - time.monotonic()
            try:
                return future.result(max(0.0, min(left_s, MEMORY_LOOK_S)))
            except TimeoutError as error:
                if future.done():
                    return future.result()  # just in time, or the function's own TimeoutError
                if left_s <= 0:
                    self.kill()
                    self._discard()
                    raise ChildTimeoutError(f"took longer than {timeout_s:.0f} s") from error
                data_mb = _data_mb(self._pid) or data_mb
            except ChildMemoryError as error:
                # Its memory is in pieces now; the next call gets a fresh child.
                self._discard()
                raise ChildMemoryError(self._limit()) from error
            except BrokenProcessPool as error:
                self._discard()
                if self._memory_mb is not None and data_mb > NEAR_LIMIT * self._memory_mb:
                    raise ChildMemoryError(self._limit()) from error
                raise ChildDiedError("the process died") from error

    def _limit(self) -> str:
        return f"more than {self._memory_mb} MB of memory"

    def _start(self) -> ProcessPoolExecutor:
        if self._calls >= self._max_calls:
            self._discard()
        with self._lock:
            if self._closed:
                raise ChildStartError(STOPPING)
            if self._executor is not None:
                return self._executor
            self._calls = 0
            if self._temp_parent is not None:
                try:
                    self._temp_folder = tempfile.mkdtemp(prefix="child-", dir=self._temp_parent)
                except OSError as error:
                    raise ChildStartError(f"cannot make a folder in {self._temp_parent}: {error.strerror}") from error
            executor = self._executor = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_become_child,
                initargs=(os.getpid(), self._memory_mb, self._temp_folder),
            )
        # Outside the lock, because a start takes long: `close` may come in between, and waits for the start then.
        try:
            pid = executor.submit(os.getpid).result()
        except (RuntimeError, OSError) as error:
            self._discard()
            raise ChildStartError("a child process cannot be started; its own message is in the log") from error
        with self._lock:
            self._pid = pid if self._executor is executor else None
        return executor

    def _discard(self) -> None:
        with self._lock:
            executor, self._executor, self._pid = self._executor, None, None
            temp_folder, self._temp_folder = self._temp_folder, None
        if executor is not None:
            executor.shutdown(wait=True)
        if temp_folder is not None:
            shutil.rmtree(temp_folder, ignore_errors=True)


def _become_child(parent_pid: int, memory_mb: int | None, temp_folder: str | None) -> None:
    # Ctrl-C and a supervisor's SIGTERM reach the whole group: the worker decides what becomes of its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if temp_folder is not None:
        os.environ["TMPDIR"] = tempfile.tempdir = temp_folder
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE_ADJ), encoding="ascii")
        if memory_mb is not None:
            limit_bytes = memory_mb * 2**20
            resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    # The parent may have died before the line above took effect.
    if os.getppid() != parent_pid:
        os._exit(1)


def _within_memory(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call a function in the child, and say in one way what Python, numpy and C++ say in three."""
    try:
        return function(*args, **kwargs)
    except Exception as error:
        if isinstance(error, MemoryError) or "bad_alloc" in str(error):
            raise ChildMemoryError(str(error)) from None
        raise


def _data_mb(pid: int | None) -> float | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    for line in status.splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) / 1024
    return None
