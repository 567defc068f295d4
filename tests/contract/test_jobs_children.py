"""Child processes: what happens to a call never happens to the worker or to another call."""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.scripted_pipeline import wait_for
from voicegauge.errors import ArchiveError
from voicegauge.jobs.children import (
    ChildDiedError,
    ChildMemoryError,
    ChildProcesses,
    ChildStartError,
    ChildTimeoutError,
    Stopwatch,
)

AMPLE_S = 60.0


@pytest.fixture
def children() -> Iterator[ChildProcesses]:
    children = ChildProcesses(2)
    yield children
    children.stop()


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(coroutine)


def pid() -> int:
    return os.getpid()


def die() -> None:
    os._exit(7)


def raise_archive_error() -> None:
    raise ArchiveError("corrupt_archive", "坏了", "damaged")


def raise_timeout_error() -> None:
    raise TimeoutError("of the function itself")


def tell_and_hang(path: str) -> None:
    whole = Path(f"{path}.whole")
    whole.write_text(str(os.getpid()))
    whole.rename(path)
    time.sleep(600)


def ignores(number: int) -> bool:
    return signal.getsignal(number) == signal.SIG_IGN


def oom_score() -> int:
    return int(Path("/proc/self/oom_score_adj").read_text())


def allocate(mb: int) -> int:
    return len(bytearray(mb * 2**20))


def allocate_and_die(mb: int) -> None:
    kept = [bytearray(2**20) for _ in range(mb)]
    time.sleep(1.0)  # long enough to be seen at it
    os._exit(len(kept) % 2 + 1)


def refuse_as_cpp_does() -> None:
    raise RuntimeError("std::bad_alloc")


def make_temporary_file() -> str:
    handle, path = tempfile.mkstemp()
    os.close(handle)
    return path


def make_temporary_file_and_die(path: str) -> None:
    Path(path).write_text(make_temporary_file())
    os._exit(7)


def alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_call_runs_in_another_process_which_is_kept(children: ChildProcesses) -> None:
    first = _run(children.call(AMPLE_S, pid))
    assert first != os.getpid()
    assert _run(children.call(AMPLE_S, pid)) == first


def test_a_child_is_replaced_after_its_calls() -> None:
    children = ChildProcesses(1, max_calls=2)
    try:
        pids = [_run(children.call(AMPLE_S, pid)) for _ in range(4)]
    finally:
        children.stop()
    assert pids[0] == pids[1] != pids[2] == pids[3]


def test_a_crash_takes_its_own_call_only(children: ChildProcesses) -> None:
    async def crash_beside_others() -> list[object]:
        calls: list[Coroutine[Any, Any, object]] = [children.call(AMPLE_S, die)]
        calls += [children.call(AMPLE_S, pid) for _ in range(4)]
        return await asyncio.gather(*calls, return_exceptions=True)

    crashed, *others = _run(crash_beside_others())
    assert isinstance(crashed, ChildDiedError)
    assert all(isinstance(other, int) for other in others)


def test_an_idle_child_that_was_killed_is_replaced(children: ChildProcesses) -> None:
    first = _run(children.call(AMPLE_S, pid))
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not alive(first), "the death of the idle child")
    try:
        second = _run(children.call(AMPLE_S, pid))
    except ChildDiedError:  # its death was noticed only with the call
        second = _run(children.call(AMPLE_S, pid))
    assert second != first


def test_a_hang_is_killed(children: ChildProcesses, tmp_path: Path) -> None:
    _run(children.call(AMPLE_S, pid))
    with pytest.raises(ChildTimeoutError, match="longer than 1 s"):
        _run(children.call(1.0, tell_and_hang, str(tmp_path / "pid")))
    hung = int((tmp_path / "pid").read_text())
    wait_for(lambda: not alive(hung), "the death of the hung child")
    assert _run(children.call(AMPLE_S, pid)) != hung


def test_a_cancelled_call_kills_its_child(children: ChildProcesses, tmp_path: Path) -> None:
    path = tmp_path / "pid"

    async def cancel_once_started() -> None:
        task = asyncio.create_task(children.call(AMPLE_S, tell_and_hang, str(path)))
        await asyncio.to_thread(wait_for, path.exists, "the call's start")
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _run(cancel_once_started())
    wait_for(lambda: path.read_text() != "", "the child's word")
    wait_for(lambda: not alive(int(path.read_text())), "the death of the child")


def test_what_the_function_raises_comes_back(children: ChildProcesses) -> None:
    with pytest.raises(ArchiveError) as caught:
        _run(children.call(AMPLE_S, raise_archive_error))
    assert caught.value.code == "corrupt_archive"
    with pytest.raises(TimeoutError, match="of the function itself"):
        _run(children.call(AMPLE_S, raise_timeout_error))


def test_a_stop_kills_what_runs(tmp_path: Path) -> None:
    children = ChildProcesses(1)
    path = tmp_path / "pid"

    async def stop_while_running() -> None:
        task = asyncio.create_task(children.call(AMPLE_S, tell_and_hang, str(path)))
        await asyncio.to_thread(wait_for, path.exists, "the call's start")
        await asyncio.to_thread(children.stop)
        with pytest.raises(ChildDiedError):
            await task

    _run(stop_while_running())
    wait_for(lambda: not alive(int(path.read_text())), "the death of the child")


def test_signals_to_the_group_leave_children_to_the_worker(children: ChildProcesses) -> None:
    assert _run(children.call(AMPLE_S, ignores, signal.SIGINT))
    assert _run(children.call(AMPLE_S, ignores, signal.SIGTERM))


def test_the_kernel_prefers_to_kill_a_child(children: ChildProcesses) -> None:
    highest = 1000
    assert _run(children.call(AMPLE_S, oom_score)) == highest


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[ChildProcesses]:
    children = ChildProcesses(1, memory_mb=300, temp_folder=tmp_path)
    yield children
    children.stop()


def test_a_call_has_the_memory_it_may_have_and_no_more(limited: ChildProcesses) -> None:
    assert _run(limited.call(AMPLE_S, allocate, 100)) == 100 * 2**20
    for greedy in (limited.call(AMPLE_S, allocate, 400), limited.call(AMPLE_S, refuse_as_cpp_does)):
        with pytest.raises(ChildMemoryError, match="more than 300 MB"):
            _run(greedy)
    assert _run(limited.call(AMPLE_S, allocate, 100)) == 100 * 2**20


def test_a_death_at_the_limit_is_told_from_another(limited: ChildProcesses) -> None:
    with pytest.raises(ChildMemoryError, match="more than 300 MB"):
        _run(limited.call(AMPLE_S, allocate_and_die, 280))
    with pytest.raises(ChildDiedError):
        _run(limited.call(AMPLE_S, allocate_and_die, 20))


def test_temporary_files_go_with_the_child(limited: ChildProcesses, tmp_path: Path) -> None:
    kept = Path(_run(limited.call(AMPLE_S, make_temporary_file)))
    assert kept.is_relative_to(tmp_path)
    assert kept.exists()
    note = tmp_path / "note"
    with pytest.raises(ChildDiedError):
        _run(limited.call(AMPLE_S, make_temporary_file_and_die, str(note)))
    assert not kept.exists()
    assert not Path(note.read_text()).exists()
    limited.stop()
    assert list(tmp_path.iterdir()) == [note]


def test_of_what_waits_the_most_urgent_goes_first(tmp_path: Path) -> None:
    children = ChildProcesses(1)
    order: list[int] = []

    async def call(due: int) -> None:
        await children.call_by(due, Stopwatch(), AMPLE_S, pid)
        order.append(due)

    async def call_while_busy() -> None:
        path = tmp_path / "pid"
        busy = asyncio.create_task(children.call(AMPLE_S, tell_and_hang, str(path)))
        await asyncio.to_thread(wait_for, path.exists, "the call's start")
        waiting = [asyncio.create_task(call(due)) for due in (3, 1, 2)]
        await asyncio.sleep(0)
        busy.cancel()
        await asyncio.gather(*waiting)

    try:
        _run(call_while_busy())
    finally:
        children.stop()
    assert order == [1, 2, 3]


def test_what_is_held_does_not_begin(children: ChildProcesses) -> None:
    stopwatch = Stopwatch()

    async def call_and_cancel() -> None:
        children.hold()
        task = asyncio.create_task(children.call_by(0, stopwatch, AMPLE_S, pid))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    _run(call_and_cancel())
    assert stopwatch.seconds == 0


def test_a_pool_that_takes_no_more_is_not_held_against_the_call(tmp_path: Path) -> None:
    children = ChildProcesses(1)
    children.stop()
    with pytest.raises(ChildStartError, match="stopping"):
        _run(children.call(AMPLE_S, pid))
    # As the interpreter does at its end, where nobody stopped the worker.
    ending = ChildProcesses(1)
    try:
        assert _run(ending.call(AMPLE_S, pid))
        executor = ending._children[0]._executor
        assert executor is not None
        executor.shutdown()
        with pytest.raises(ChildStartError, match="stopping"):
            _run(ending.call(AMPLE_S, pid))
    finally:
        ending.stop()
