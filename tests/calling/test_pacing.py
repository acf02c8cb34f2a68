from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.pacing import Pace, Paced
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Notes who was called when, and takes its time to answer."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.starts: list[tuple[str, float]] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append((request.endpoint, now()))
        await asyncio.sleep(self.seconds)
        return Answer(b"", timings=Timings(queue=1.0, wire=5.0))


@given(
    arrivals=st.lists(st.floats(0, 3), max_size=12).map(sorted),
    delay_ms=st.integers(1, 900),
    seconds=st.floats(0, 2),
)
def test_starts_are_a_delay_apart_and_in_order_of_arrival(
    run: Run, arrivals: list[float], delay_ms: int, seconds: float
) -> None:
    async def scene() -> None:
        endpoint = Endpoint(seconds)
        paced = Paced(endpoint, Pace(delay_ms, clock=now))

        async def call(name: str, at: float) -> None:
            await asyncio.sleep(at)
            await paced(Request(name, b""))

        async with asyncio.TaskGroup() as calls:
            for number, at in enumerate(arrivals):
                calls.create_task(call(str(number), at + number * 1e-6))
        assert [name for name, _ in endpoint.starts] == [str(number) for number in range(len(arrivals))]
        for (_, earlier), (_, later) in itertools.pairwise(endpoint.starts):
            assert later - earlier >= delay_ms / 1000 - 1e-9

    run(scene())


def test_calls_that_come_at_once_start_as_soon_as_the_delay_allows(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(seconds=60)
        paced = Paced(endpoint, Pace(500, clock=now))
        await asyncio.gather(*(paced(Request(name, b"")) for name in "abc"))
        assert endpoint.starts == [("a", 0.0), ("b", 0.5), ("c", 1.0)]

    run(scene())


def test_the_wait_is_added_to_the_queue_time(run: Run) -> None:
    async def scene() -> None:
        paced = Paced(Endpoint(), Pace(500, clock=now))
        answers = await asyncio.gather(*(paced(Request("llama", b"")) for _ in range(3)))
        assert [answer.timings.queue for answer in answers] == [1.0, 501.0, 1001.0]
        assert all(answer.timings.wire == 5.0 for answer in answers)

    run(scene())


def test_the_wait_of_a_call_that_fails_is_told_by_its_fault(run: Run) -> None:
    async def refuse(request: Request) -> Answer:
        raise EndpointFault("slow down", code="ThrottlingException")

    async def scene() -> None:
        paced = Paced(refuse, Pace(500, clock=now))
        faults = await asyncio.gather(*(paced(Request("llama", b"")) for _ in range(3)), return_exceptions=True)
        assert [fault.queued for fault in faults if isinstance(fault, EndpointFault)] == [0.0, 500.0, 1000.0]

    run(scene())


def test_a_call_that_starts_late_moves_the_next_one(run: Run) -> None:
    async def scene() -> None:
        async def oversleep(seconds: float) -> None:
            await asyncio.sleep(seconds + 0.3)

        endpoint = Endpoint()
        paced = Paced(endpoint, Pace(500, clock=now, sleep=oversleep))
        await asyncio.gather(*(paced(Request(name, b"")) for name in "abc"))
        assert [at for _, at in endpoint.starts] == pytest.approx([0.0, 0.8, 1.6])

    run(scene())


@pytest.mark.parametrize("cancelled", [1, 2])
def test_a_cancelled_call_leaves_neither_a_hole_nor_a_smaller_gap(run: Run, cancelled: int) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        paced = Paced(endpoint, Pace(500, clock=now))
        calls = [asyncio.create_task(paced(Request(name, b""))) for name in "abcd"]
        await asyncio.sleep(0.2)
        calls[cancelled].cancel()
        await asyncio.wait(calls)
        assert [at for _, at in endpoint.starts] == [0.0, 0.5, 1.0]

    run(scene())


def test_without_a_delay_nobody_waits(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(seconds=1)
        paced = Paced(endpoint, Pace(0, clock=now))
        answers = await asyncio.gather(*(paced(Request("llama", b"")) for _ in range(5)))
        assert {at for _, at in endpoint.starts} == {0.0}
        assert {answer.timings.queue for answer in answers} == {1.0}

    run(scene())


def test_what_a_call_needs_is_made_ready_before_its_turn(run: Run) -> None:
    """A first call that had to find credentials after its turn would start late, and the second too soon after it."""
    endpoint = Endpoint()

    async def find_credentials(request: Request) -> None:
        if request.endpoint == "first":
            await asyncio.sleep(2.0)

    paced = Paced(endpoint, Pace(500, clock=now), find_credentials)

    async def story() -> None:
        await asyncio.gather(*(paced(Request(name, b"")) for name in ("first", "second")))

    run(story())
    (_, one), (_, other) = endpoint.starts
    assert other - one >= 0.5
