"""What log lines are about."""

from __future__ import annotations

import asyncio

from voicegauge.context import current_fields, note, working_on


def test_fields_hold_inside_the_block_and_add_up() -> None:
    with working_on(request_id="r"):
        with working_on(job_id="j"):
            assert current_fields() == {"request_id": "r", "job_id": "j"}
        assert current_fields() == {"request_id": "r"}
    assert current_fields() == {}


def test_a_note_from_a_thread_reaches_the_block_that_waits_for_it() -> None:
    async def handle() -> dict[str, str]:
        with working_on(request_id="r"):
            await asyncio.to_thread(note, job_id="j")
            return dict(current_fields())

    assert asyncio.run(handle()) == {"request_id": "r", "job_id": "j"}


def test_a_note_outside_of_a_block_is_lost() -> None:
    note(job_id="j")
    assert current_fields() == {}


def test_two_blocks_at_the_same_time_do_not_mix() -> None:
    async def handle(name: str) -> dict[str, str]:
        with working_on(request_id=name):
            await asyncio.sleep(0)
            note(job_id=f"{name}-job")
            await asyncio.sleep(0)
            return dict(current_fields())

    async def both() -> list[dict[str, str]]:
        return list(await asyncio.gather(handle("a"), handle("b")))

    assert asyncio.run(both()) == [{"request_id": name, "job_id": f"{name}-job"} for name in "ab"]
