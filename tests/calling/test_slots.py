from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.slots import Slots

Run = Callable[[Coroutine[Any, Any, None]], None]


async def queue_up(slots: Slots, count: int) -> tuple[list[asyncio.Task[None]], list[int]]:
    """So many who want to enter, in the line by now, and the list in which each notes that it is inside."""
    entered: list[int] = []

    async def visit(number: int) -> None:
        await slots.enter()
        entered.append(number)

    visits = [asyncio.create_task(visit(number)) for number in range(count)]
    await asyncio.sleep(0)
    return visits, entered


def test_as_many_get_in_as_there_is_room_for_and_the_rest_in_order(run: Run) -> None:
    async def scene() -> None:
        slots = Slots(2)
        visits, entered = await queue_up(slots, 4)
        await asyncio.sleep(0)
        assert entered == [0, 1]
        slots.leave()
        slots.leave()
        await asyncio.gather(*visits)
        assert entered == [0, 1, 2, 3]

    run(scene())


def test_more_room_lets_in_those_who_wait(run: Run) -> None:
    async def scene() -> None:
        slots = Slots(1)
        visits, entered = await queue_up(slots, 4)
        slots.width = 3
        await asyncio.wait(visits, timeout=1)
        assert entered == [0, 1, 2]
        slots.leave()
        await asyncio.gather(*visits)

    run(scene())


def test_less_room_puts_nobody_out(run: Run) -> None:
    async def scene() -> None:
        slots = Slots(3)
        visits, entered = await queue_up(slots, 5)
        slots.width = 1
        for inside in (2, 1):
            slots.leave()
            await asyncio.sleep(0)
            assert (slots.inside, len(entered)) == (inside, 3)
        slots.leave()
        slots.width = 2
        await asyncio.gather(*visits)

    run(scene())


def test_nobody_overtakes_the_line(run: Run) -> None:
    async def scene() -> None:
        slots = Slots(1)
        visits, entered = await queue_up(slots, 2)
        slots.leave()
        late = asyncio.create_task(slots.enter())
        await asyncio.wait([*visits, late], timeout=1)
        assert entered == [0, 1]
        assert not late.done()
        slots.leave()
        await late

    run(scene())


@pytest.mark.parametrize("already_called", [False, True])
def test_who_is_cancelled_passes_the_place_on(run: Run, already_called: bool) -> None:
    async def scene() -> None:
        slots = Slots(1)
        visits, entered = await queue_up(slots, 3)
        if already_called:
            slots.leave()
        visits[1].cancel()
        if not already_called:
            slots.leave()
        await asyncio.wait(visits)
        assert entered == [0, 2]
        assert slots.inside == 1

    run(scene())


@given(
    st.lists(st.one_of(st.just("enter"), st.just("leave"), st.just("cancel"), st.integers(1, 4)), max_size=40),
    st.integers(1, 4),
)
def test_whatever_happens_no_place_is_lost(run: Run, story: list[str | int], width: int) -> None:
    async def scene() -> None:
        slots, visits = Slots(width), list[asyncio.Task[None]]()
        for event in story:
            if isinstance(event, int):
                slots.width = event
            elif event == "enter":
                visits.append(asyncio.create_task(slots.enter()))
            elif event == "cancel" and (waiting := [visit for visit in visits if not visit.done()]):
                visits.remove(waiting[-1])
                waiting[-1].cancel()
            elif event == "leave" and (inside := [visit for visit in visits if visit.done()]):
                visits.remove(inside[0])
                slots.leave()
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        slots.width = 1_000
        await asyncio.gather(*visits)
        assert slots.inside == len(visits)

    run(scene())
