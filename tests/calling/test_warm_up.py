from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sagemaker_eval.calling.first_alone import FirstAlone, Gate
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.calling.warm_up import Readiness, WarmUp
from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, Invoke, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"hello")
SCALED_TO_ZERO = "endpoint `llama` has no instance running (ValidationError)"


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Is not ready before `ready_at`; then it answers each call after a second. A refusal takes a tenth of one."""

    def __init__(self, ready_at: float = float("inf"), message: str = SCALED_TO_ZERO) -> None:
        self.ready_at = ready_at
        self.message = message
        self.starts: list[float] = []
        self.then: BaseException | None = None

    async def __call__(self, request: Request) -> Answer:
        self.starts.append(now())
        if now() < self.ready_at:
            await asyncio.sleep(0.1)
            raise EndpointFault(self.message, code="ValidationError", retry=Retry.LOADING, hint="scale it out")
        await asyncio.sleep(1)
        if self.then is not None:
            error, self.then = self.then, None
            raise error
        return Answer(b"hi", timings=Timings(wire=1000, total=1000))

    @property
    def questions(self) -> list[float]:
        """When it was asked while it was not ready."""
        return [start for start in self.starts if start < self.ready_at]


class Story:
    """Everything before one endpoint, as providers have it; the notices that were given."""

    def __init__(self, endpoint: Invoke, seconds: float = 900) -> None:
        self.notices: list[str] = []
        self.readiness = Readiness(now)
        self.warm_up = WarmUp(endpoint, self.readiness, seconds, self.notices.append)
        self.retrying = Retrying(self.warm_up, 3, clock=now, random=Random(7))

    async def answers(self, number: int) -> list[Answer | BaseException]:
        calls = (self.retrying(REQUEST) for _ in range(number))
        return await asyncio.gather(*calls, return_exceptions=True)


def answered(ends: list[Answer | BaseException]) -> list[Answer]:
    return [end for end in ends if isinstance(end, Answer)]


def faults(ends: list[Answer | BaseException]) -> list[EndpointFault]:
    return [end for end in ends if isinstance(end, EndpointFault)]


def test_an_endpoint_that_is_ready_is_called_as_if_nobody_watched(run: Run) -> None:
    async def scene() -> None:
        story = Story(Endpoint(ready_at=0))
        (answer,) = answered(await story.answers(1))
        assert answer.timings == Timings(wire=1000, total=1000)
        assert story.notices == []

    run(scene())


def test_one_call_asks_until_the_endpoint_is_ready_and_then_all_go_on(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=90)
        story = Story(endpoint)
        first = await story.warm_up(REQUEST)
        assert endpoint.starts == pytest.approx([0, 1.1, 3.2, 7.3, 15.4, 30.5, 45.6, 60.7, 75.8, 90.9])
        assert first.attempts == 10
        assert (first.timings.queue, first.timings.backoff, first.timings.wire) == (0, 0, 1000)
        assert (first.timings.cold_start, first.timings.total) == pytest.approx((90_900, 91_900))

    run(scene())


def test_while_one_asks_the_others_wait(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=90)
        story = Story(endpoint)
        first = asyncio.create_task(story.retrying(REQUEST))
        await asyncio.sleep(5)
        others = answered(await story.answers(200))
        assert len(others) == 200
        assert len(endpoint.questions) == 9, "one stream of questions, however many wait"
        assert len(endpoint.starts) == 9 + 201
        assert {other.attempts for other in others} == {1}
        assert (await first).attempts == 10
        for other in others:
            timings = other.timings
            assert (timings.queue, timings.backoff, timings.wire) == (0, 0, 1000)
            assert timings.cold_start == pytest.approx(86_900)
            assert timings.queue + timings.backoff + timings.cold_start + timings.wire == timings.total

    run(scene())


def test_calls_that_were_in_flight_together_become_one_question_at_a_time(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=90)
        story = Story(endpoint)
        assert len(answered(await story.answers(20))) == 20
        assert endpoint.questions[:20] == [0.0] * 20
        assert len(endpoint.questions) == 20 + 8
        assert len(story.notices) == 1

    run(scene())


def test_calls_at_the_gate_count_the_same_wait_as_their_cold_start(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=90)
        story = Story(endpoint)
        alone = FirstAlone(story.retrying, Gate(), now, story.readiness)
        first, *others = await asyncio.gather(*(alone(REQUEST) for _ in range(10)))
        assert (first.attempts, len(endpoint.questions)) == (10, 9)
        for other in others:
            assert other.timings.cold_start == pytest.approx(91_900 - 100)
            assert other.timings.queue == pytest.approx(100)
            assert other.timings.wire == 1000
            parts = other.timings.queue + other.timings.backoff + other.timings.cold_start + other.timings.wire
            assert parts == other.timings.total == pytest.approx(92_900)

    run(scene())


@pytest.mark.parametrize(
    ("message", "seconds", "notice"),
    [
        (SCALED_TO_ZERO, 900, "endpoint `llama` is scaled to zero: waiting up to 15 min, asking once at a time"),
        ("not ready yet", 90, "endpoint `llama` is loading its model: waiting up to 90 s, asking once at a time"),
    ],
)
def test_the_wait_is_announced_once(run: Run, message: str, seconds: float, notice: str) -> None:
    async def scene() -> None:
        story = Story(Endpoint(ready_at=20, message=message), seconds)
        await story.answers(3)
        assert story.notices == [notice]

    run(scene())


def test_after_the_deadline_everybody_gets_the_fault_and_nobody_waits_as_long_again(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        story = Story(endpoint)
        ends = faults(await story.answers(50))
        assert len(ends) == 50
        assert now() == pytest.approx(900, abs=1)
        assert all(end.retry is Retry.NEVER and end.hint == "scale it out" for end in ends)
        assert all(end.message.startswith(f"{SCALED_TO_ZERO} (waited 15 min for it)") for end in ends)
        assert len(faults(await story.answers(50))) == 50
        assert now() == pytest.approx(900, abs=1)

    run(scene())


def test_an_endpoint_that_was_given_up_is_asked_again_every_30_seconds(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        story = Story(endpoint, seconds=60)
        await story.answers(5)
        asked = len(endpoint.starts)
        for _ in range(120):
            await story.answers(5)
            await asyncio.sleep(1)
        assert len(endpoint.starts) - asked == 3
        endpoint.ready_at = now()
        await asyncio.sleep(30)
        assert len(answered(await story.answers(5))) == 5

    run(scene())


def test_any_other_fault_means_that_the_endpoint_is_ready(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=10)
        endpoint.then = EndpointFault("busy", code="ServiceUnavailable", retry=Retry.COUNTED)
        story = Story(endpoint)
        (answer,) = answered(await story.answers(1))
        assert answer.attempts == len(endpoint.starts) == 6
        assert answer.timings.cold_start == pytest.approx(15_400)
        assert answer.timings.backoff == pytest.approx((now() - 15.4 - 1) * 1000)
        assert answer.timings.total == pytest.approx(now() * 1000)

    run(scene())


def test_when_the_one_who_asks_is_cancelled_the_next_asks_on(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=90)
        story = Story(endpoint)
        first = asyncio.create_task(story.retrying(REQUEST))
        await asyncio.sleep(20)
        others = asyncio.create_task(story.answers(4))
        await asyncio.sleep(0.5)
        first.cancel()
        assert len(answered(await others)) == 4
        assert len(endpoint.questions) <= 10

    run(scene())


def test_a_refused_setup_goes_through_to_each_who_asks(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=3)
        endpoint.then = SetupError("the AWS session has expired")
        ends = await Story(endpoint).answers(1)
        assert [str(end) for end in ends] == ["the AWS session has expired"]

    run(scene())


def test_switched_off_it_leaves_a_loading_model_to_the_patience_of_the_retries(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        story = Story(endpoint, seconds=0)
        (end,) = faults(await story.answers(1))
        assert len(endpoint.starts) == end.attempts == 12
        assert end.message == f"{SCALED_TO_ZERO} (tried 12 times)"
        assert story.notices == []

    run(scene())


def test_an_endpoint_that_stops_being_ready_is_waited_for_anew(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=0)
        story = Story(endpoint)
        await story.answers(2)
        endpoint.ready_at = now() + 600
        assert len(answered(await story.answers(2))) == 2
        assert len(story.notices) == 1

    run(scene())


def test_a_long_way_to_the_first_refusal_is_no_part_of_the_patience(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(ready_at=1500)

        async def far_away(request: Request) -> Answer:
            await asyncio.sleep(0 if endpoint.starts else 1000)
            return await endpoint(request)

        assert len(answered(await Story(far_away).answers(1))) == 1

    run(scene())


@settings(deadline=None, max_examples=40)
@given(ready_at=st.floats(0, 1200), arrivals=st.lists(st.floats(0, 1000), min_size=1, max_size=8))
def test_whenever_calls_come_and_the_endpoint_is_ready_the_parts_add_up(
    run: Run, ready_at: float, arrivals: list[float]
) -> None:
    async def scene() -> None:
        story = Story(Endpoint(ready_at))

        async def call(arrival: float) -> None:
            await asyncio.sleep(arrival)
            began = now()
            try:
                timings = (await story.retrying(REQUEST)).timings
            except EndpointFault:
                assert ready_at > 900
                return
            assert timings.queue + timings.backoff + timings.cold_start + timings.wire == timings.total
            assert timings.total == pytest.approx((now() - began) * 1000)
            assert timings.cold_start == pytest.approx(timings.total - 1000)

        await asyncio.gather(*map(call, arrivals))

    run(scene())
