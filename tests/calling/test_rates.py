from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.rates import BURST_SECONDS, EndpointRates, Rated
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Rates, Request, Timings, TokenUsage

Run = Callable[[Coroutine[Any, Any, None]], None]

STEP = 1 / 20


def now() -> float:
    return asyncio.get_running_loop().time()


def rates(per_second: float | None = None, tokens_per_minute: int | None = None) -> EndpointRates:
    made = EndpointRates(now)
    made.limit(Rates(per_second, tokens_per_minute))
    return made


def sleeping_late(seconds: Callable[[], float]) -> Callable[[float], Coroutine[Any, Any, None]]:
    """An `asyncio.sleep` on a loop that is busy with other things."""

    async def sleep(wanted: float) -> None:
        await asyncio.sleep(wanted + seconds())

    return sleep


async def starts(line: EndpointRates, tokens: Sequence[int]) -> list[float]:
    """When calls of so many tokens start that all come at once."""
    began: list[float] = []

    async def call(size: int) -> None:
        await line.turn(size)
        began.append(now())

    await asyncio.gather(*(call(size) for size in tokens))
    return began


def fullest_second(began: Sequence[float]) -> int:
    """The most starts that any second holds, its first and its last moment included."""
    return max(sum(first <= other <= first + 1 for other in began) for first in began)


def test_a_hundred_calls_at_twenty_a_second_are_evenly_spaced(run: Run) -> None:
    async def scene() -> None:
        began = await starts(rates(20), [0] * 100)
        assert fullest_second(began) <= 21
        assert [later - earlier for earlier, later in pairwise(began)] == pytest.approx([STEP] * 99)
        assert began[-1] == pytest.approx(4.95)

    run(scene())


@pytest.mark.parametrize("seed", range(5))
def test_a_loop_that_wakes_late_neither_slows_them_down_nor_bunches_them(run: Run, seed: int) -> None:
    async def scene() -> None:
        random = Random(seed)
        line = EndpointRates(now, sleeping_late(lambda: random.uniform(0, 0.9 * STEP)))
        line.limit(Rates(20))
        began = await starts(line, [0] * 100)
        assert fullest_second(began) <= 21
        assert began[-1] == pytest.approx(4.95, abs=STEP)

    run(scene())


def test_what_a_long_stall_has_missed_is_not_caught_up(run: Run) -> None:
    async def scene() -> None:
        stalls = iter([0.0, 3.0])
        line = EndpointRates(now, sleeping_late(lambda: next(stalls, 0.0)))
        line.limit(Rates(20))
        assert fullest_second(await starts(line, [0] * 100)) <= 21

    run(scene())


@given(arrivals=st.lists(st.floats(0, 4), max_size=60).map(sorted), late=st.floats(0, 0.2))
def test_no_second_ever_holds_more_starts_than_the_rate_and_one(run: Run, arrivals: list[float], late: float) -> None:
    async def scene() -> None:
        line = EndpointRates(now, sleeping_late(lambda: late))
        line.limit(Rates(10))
        began: list[float] = []

        async def call(at: float) -> None:
            await asyncio.sleep(at)
            await line.turn(0)
            began.append(now())

        await asyncio.gather(*map(call, arrivals))
        assert not began or fullest_second(began) <= 11

    run(scene())


def test_a_quiet_time_earns_nothing(run: Run) -> None:
    async def scene() -> None:
        line = rates(20)
        await starts(line, [0])
        await asyncio.sleep(10)
        assert await starts(line, [0, 0, 0]) == pytest.approx([10.0, 10.05, 10.1])

    run(scene())


def test_of_several_limits_the_strictest_hold(run: Run) -> None:
    async def scene() -> None:
        line = rates(10, 60_000)
        line.limit(Rates(2))
        line.limit(Rates(5, 600))
        line.limit(Rates())
        began = await starts(line, [30, 30, 30, 30, 30])
        assert began == pytest.approx([0.0, 0.5, 3.0, 6.0, 9.0])

    run(scene())


def test_without_a_limit_nobody_waits(run: Run) -> None:
    async def scene() -> None:
        line = EndpointRates(now)
        line.limit(Rates())
        assert not line.is_limited
        assert await starts(line, [1_000_000] * 3) == [0.0, 0.0, 0.0]

    run(scene())


def test_tokens_are_used_at_once_as_far_as_the_bucket_goes_and_then_as_they_come(run: Run) -> None:
    async def scene() -> None:
        began = await starts(rates(tokens_per_minute=6_000), [200] * 6)
        assert began == pytest.approx([0, 0, 0, 2, 4, 6])

    run(scene())


@given(sizes=st.lists(st.integers(0, 900), min_size=1, max_size=40))
def test_no_minute_uses_more_tokens_than_the_limit_and_a_burst(run: Run, sizes: list[int]) -> None:
    async def scene() -> None:
        per_minute = 3_000
        began = await starts(rates(tokens_per_minute=per_minute), sizes)
        most = per_minute * (1 + BURST_SECONDS / 60) + max(sizes)
        for first in began:
            inside = sum(size for size, at in zip(sizes, began, strict=True) if first <= at < first + 60)
            assert inside <= most + 1e-6

    run(scene())


def test_a_call_larger_than_the_bucket_starts_when_it_is_full_and_others_wait_for_its_debt(run: Run) -> None:
    async def scene() -> None:
        began = await starts(rates(tokens_per_minute=600), [60, 160, 10])
        assert began == pytest.approx([0, 6, 17])

    run(scene())


def test_what_a_call_gives_back_lets_the_next_one_start_at_once(run: Run) -> None:
    async def scene() -> None:
        line = rates(tokens_per_minute=600)
        await line.turn(60)
        waiting = asyncio.create_task(line.turn(50))
        await asyncio.sleep(1)
        line.settle(60, 20)
        assert await waiting == pytest.approx(1_000)

    run(scene())


def test_what_a_call_used_beyond_its_estimate_is_owed(run: Run) -> None:
    async def scene() -> None:
        line = rates(tokens_per_minute=600)
        await line.turn(10)
        line.settle(10, 90)
        assert await line.turn(10) == pytest.approx(4_000)

    run(scene())


def test_who_is_cancelled_in_line_leaves_no_hole_and_uses_nothing(run: Run) -> None:
    async def scene() -> None:
        line = rates(2, 1_200)
        waiting = [asyncio.create_task(line.turn(100)) for _ in range(4)]
        await asyncio.sleep(0.2)
        waiting[1].cancel()
        waiting[2].cancel()
        await asyncio.wait(waiting)
        assert now() == pytest.approx(4.0)

    run(scene())


class Endpoint:
    """Gives its answer or its fault, and notes when it was called."""

    def __init__(self, end: Answer | EndpointFault) -> None:
        self.end = end
        self.starts: list[float] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append(now())
        if isinstance(self.end, EndpointFault):
            raise self.end
        return self.end


ANSWER = Answer(b"", timings=Timings(queue=1.0, wire=5.0))


def test_the_wait_is_added_to_the_queue_time(run: Run) -> None:
    async def scene() -> None:
        rated = Rated(Endpoint(ANSWER), rates(2), lambda _: 0)
        answers = await asyncio.gather(*(rated(Request("llama", b"")) for _ in range(3)))
        assert [answer.timings.queue for answer in answers] == pytest.approx([1.0, 501.0, 1001.0])
        assert {answer.timings.wire for answer in answers} == {5.0}

    run(scene())


def test_the_wait_of_a_call_that_fails_is_told_by_its_fault(run: Run) -> None:
    async def scene() -> None:
        rated = Rated(Endpoint(EndpointFault("down", code="500", retry=Retry.COUNTED)), rates(2), lambda _: 0)
        with pytest.raises(EndpointFault):
            await rated(Request("llama", b""))
        with pytest.raises(EndpointFault) as raised:
            await rated(Request("llama", b""))
        assert raised.value.queued == pytest.approx(500.0)

    run(scene())


@pytest.mark.parametrize(
    ("end", "next_start"),
    [
        (replace(ANSWER, usage=TokenUsage(prompt=5, completion=5)), 0.0),
        (replace(ANSWER, usage=TokenUsage(prompt=40, completion=40)), 8.0),
        (ANSWER, 6.0),
        (EndpointFault("slow down", code="ThrottlingException", retry=Retry.PATIENT), 0.0),
        (EndpointFault("scaled to zero", code="ValidationError", retry=Retry.LOADING), 0.0),
        (EndpointFault("broken", code="500", retry=Retry.COUNTED), 6.0),
    ],
    ids=["used less", "used more", "does not tell", "throttled", "loading", "failed"],
)
def test_what_a_call_really_used_counts(run: Run, end: Answer | EndpointFault, next_start: float) -> None:
    async def scene() -> None:
        endpoint = Endpoint(end)
        rated = Rated(endpoint, rates(tokens_per_minute=600), lambda request: len(request.body))
        await asyncio.gather(rated(Request("llama", bytes(60))), return_exceptions=True)
        endpoint.end = ANSWER
        await rated(Request("llama", bytes(50 if next_start == 0.0 else 60)))
        assert endpoint.starts == pytest.approx([0.0, next_start])

    run(scene())


def test_providers_of_one_endpoint_share_its_rate(run: Run) -> None:
    async def scene() -> None:
        line = rates(2)
        model, grader = Endpoint(ANSWER), Endpoint(ANSWER)
        calls = [Rated(model, line, lambda _: 0), Rated(grader, line, lambda _: 0)] * 2
        await asyncio.gather(*(call(Request("llama", b"")) for call in calls))
        assert (model.starts, grader.starts) == ([0.0, 1.0], [0.5, 1.5])

    run(scene())


def test_what_a_call_needs_is_made_ready_before_its_turn(run: Run) -> None:
    async def find_credentials(request: Request) -> None:
        if request.endpoint == "first":
            await asyncio.sleep(2.0)

    async def scene() -> None:
        endpoint = Endpoint(ANSWER)
        rated = Rated(endpoint, rates(2), lambda _: 0, find_credentials)
        await asyncio.gather(*(rated(Request(name, b"")) for name in ("first", "second")))
        assert endpoint.starts == [0.0, 2.0]

    run(scene())
