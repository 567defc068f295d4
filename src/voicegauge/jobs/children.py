"""Child processes for the heavy work: what crashes, hangs or eats memory takes one child, never the worker."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import multiprocessing
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

__all__ = ["ChildDiedError", "ChildProcesses", "ChildStartError", "ChildTimeoutError"]

P = ParamSpec("P")
T = TypeVar("T")

PR_SET_PDEATHSIG = 1
# The kernel kills the process with the highest score first when memory runs out.
OOM_SCORE_ADJ = 1000


class ChildDiedError(Exception):
    """The child process ended without an answer."""


class ChildStartError(Exception):
    """No child process can be started: a fault of the machine or the installation, not of what it was to do."""


class ChildTimeoutError(Exception):
    """The child process took longer than it may, and was killed."""


class ChildProcesses:
    """A fixed number of child processes, each started anew after a death, a kill, or `max_calls` calls.

    Parameters
    ----------
    count : int >= 1
        Children that run at the same time.
    max_calls : int >= 1
        Calls after which a child is replaced, so that memory leaked by decoders is given back.
    """

    def __init__(self, count: int, *, max_calls: int = 100) -> None:
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="jobs-child")
        self._children = [_Child(max_calls) for _ in range(count)]
        # Last in, first out: a warm child with its models loaded is taken before a cold one.
        self._idle: queue.LifoQueue[_Child] = queue.LifoQueue()
        for child in self._children:
            self._idle.put(child)

    async def call(self, timeout_s: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a picklable function in a child and return its answer; cancelling the call kills the child.

        Raises
        ------
        ChildStartError
            No child can be started.
        ChildDiedError
            The child was killed or crashed.
        ChildTimeoutError
            `timeout_s` passed, counted from the moment a child was free.
        Exception
            What the function raised.
        """
        call = _Call()

        def run() -> T:
            child = self._idle.get()
            try:
                return child.call(call, timeout_s, function, *args, **kwargs)
            finally:
                self._idle.put(child)

        future = self._threads.submit(run)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            call.cancel()
            raise

    def stop(self) -> None:
        """Kill the children and refuse further calls."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for child in self._children:
            child.close()
        self._threads.shutdown(wait=True)


class _Call:
    """One call: cancelled before it reaches a child, or by killing the child it is in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._child: _Child | None = None

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

    def __init__(self, max_calls: int) -> None:
        self._max_calls = max_calls
        self._calls = 0
        self._executor: ProcessPoolExecutor | None = None
        self._pid: int | None = None
        self._closed = False
        self._lock = threading.Lock()

    def call(self, call: _Call, timeout_s: float, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        try:
            self._start()
            if not call.enter(self):
                raise ChildDiedError("the call was cancelled")
            future = self._submit(function, *args, **kwargs)
            try:
                return future.result(timeout_s)
            except TimeoutError as error:
                if future.done():
                    return future.result()  # just in time, or the function's own TimeoutError
                self.kill()
                self._discard()
                raise ChildTimeoutError(f"took longer than {timeout_s:.0f} s") from error
        except BrokenProcessPool as error:
            self._discard()
            raise ChildDiedError("the process died") from error
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
            return self._start().submit(function, *args, **kwargs)
        except BrokenProcessPool:
            # It died while it was idle, so this call is not to blame.
            self._discard()
            return self._start().submit(function, *args, **kwargs)
        finally:
            self._calls += 1

    def _start(self) -> ProcessPoolExecutor:
        if self._calls >= self._max_calls:
            self._discard()
        with self._lock:
            if self._closed:
                raise ChildDiedError("the worker is stopping")
            if self._executor is not None:
                return self._executor
            self._calls = 0
            executor = self._executor = ProcessPoolExecutor(
                1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_become_child,
                initargs=(os.getpid(),),
            )
        # Outside the lock, because a start takes long: `close` may come in between, and waits for the start then.
        try:
            pid = executor.submit(os.getpid).result()
        except (BrokenProcessPool, OSError) as error:
            self._discard()
            raise ChildStartError("a child process cannot be started; its own message is in the log") from error
        with self._lock:
            self._pid = pid if self._executor is executor else None
        return executor

    def _discard(self) -> None:
        with self._lock:
            executor, self._executor, self._pid = self._executor, None, None
        if executor is not None:
            executor.shutdown(wait=True)


def _become_child(parent_pid: int) -> None:
    # Ctrl-C and a supervisor's SIGTERM reach the whole group: the worker decides what becomes of its children.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(OOM_SCORE_ADJ), encoding="ascii")
    # The parent may have died before the line above took effect.
    if os.getppid() != parent_pid:
        os._exit(1)
