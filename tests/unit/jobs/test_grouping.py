from hypothesis import given
from hypothesis import strategies as st

from voicegauge.jobs.grouping import group


def _group(*cpu_s: float) -> list[tuple[str, ...]]:
    recordings = [(str(index), each) for index, each in enumerate(cpu_s)]
    return [chunk.names for chunk in group(recordings, target_cpu_s=10)]


def test_small_recordings_share_a_chunk() -> None:
    assert _group(3, 3, 3, 3, 3) == [("0", "1", "2"), ("3", "4")]


def test_a_long_recording_has_a_chunk_of_its_own() -> None:
    assert _group(1, 30, 1, 1) == [("0",), ("1",), ("2", "3")]


def test_a_chunk_may_reach_the_target() -> None:
    assert _group(5, 5, 5) == [("0", "1"), ("2",)]


def test_nothing_gives_no_chunk() -> None:
    assert _group() == []


@given(st.lists(st.floats(0, 40)))
def test_every_recording_is_in_one_chunk_in_order(cpu_s: list[float]) -> None:
    recordings = [(str(index), each) for index, each in enumerate(cpu_s)]
    chunks = group(recordings, target_cpu_s=10)
    assert [name for chunk in chunks for name in chunk.names] == [name for name, _ in recordings]
    assert all(chunk.cpu_s <= 10 or len(chunk.names) == 1 for chunk in chunks)
    assert all(chunk.names for chunk in chunks)
