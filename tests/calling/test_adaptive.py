from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from statistics import mean
from typing import Any, Protocol

import pytest

from sagemaker_eval.calling.adaptive import AdaptiveLimit, Limited
from sagemaker_eval.calling.pacing import Pace, Paced
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, Invoke, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]

REQUEST = Request("llama", b"")
SECONDS = 0.2
JITTER = 0.2
WORKERS = 64
LEARNING = 200
CALLS = 600


def now() -> float:
    return asyncio.get_running_loop().time()


class Server(Protocol):
    async def __call__(self, request: Request) -> Answer: ...


class Queueing:
    """Answers K calls at a time, in times that differ; the others stand in line, and nobody is refused."""

    def __init__(self, capacity: int, seed: int) -> None:
        self._places = asyncio.Semaphore(capacity)
        self._random = Random(seed)

    async def __call__(self, request: Request) -> Answer:
        began = now()
        async with self._places:
            await asyncio.sleep(SECONDS * math.exp(self._random.gauss(0, JITTER)))
        return Answer(b"", timings=Timings(wire=(now() - began) * 1000))


class Refusing:
    """Answers K calls at a time, in times that differ, and refuses each further one within 10 ms."""

    def __init__(self, capacity: int, seed: int) -> None:
        self._capacity = capacity
        self._random = Random(seed)
        self._inside = 0

    async def __call__(self, request: Request) -> Answer:
        began = now()
        await asyncio.sleep(0.005)
        if self._inside >= self._capacity:
            await asyncio.sleep(0.005)
            raise EndpointFault("slow down", code="ThrottlingException", retry=Retry.PATIENT)
        self._inside += 1
        await asyncio.sleep(SECONDS * math.exp(self._random.gauss(0, JITTER)))
        self._inside -= 1
        return Answer(b"", timings=Timings(wire=(now() - began) * 1000))


@dataclass
class Story:
    """What became of the calls of a run: for each that ended, when it did and what the limit was then."""

    ends: list[float] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    errors: int = 0

    @property
    def late_widths(self) -> list[int]:
        """After the time for learning, without the last calls, which leave slots free."""
        return self.widths[LEARNING:-WORKERS]

    @property
    def late_throughput(self) -> float:
        ends = self.ends[LEARNING:-WORKERS]
        return (len(ends) - 1) / (ends[-1] - ends[0])


async def calls(server: Invoke, in_flight: int, limit: AdaptiveLimit | None, seed: int) -> Story:
    """600 calls, up to so many at once, with the retries of a run."""
    line = Retrying(server if limit is None else Limited(server, limit), 3, clock=now, random=Random(seed))
    story, numbers = Story(), iter(range(CALLS))

    async def work() -> None:
        for _ in numbers:
            try:
                await line(REQUEST)
            except EndpointFault:
                story.errors += 1
            story.ends.append(now())
            story.widths.append(limit.width if limit else in_flight)

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return story


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("server", [Queueing, Refusing])
@pytest.mark.parametrize("capacity", [2, 7, 32])
def test_it_finds_the_capacity_within_200_calls_and_loses_little_by_searching(
    run: Run, capacity: int, server: Callable[[int, int], Server], seed: int
) -> None:
    """A whole number within 20 % of 2 is 2 alone, which nobody can hold who still looks about: 1 and 3 pass there."""

    async def scene() -> None:
        limit = AdaptiveLimit(WORKERS, now)
        found = await calls(server(capacity, seed), WORKERS, limit, seed)
        assert found.errors == 0
        assert mean(found.late_widths) == pytest.approx(capacity, rel=0.2)
        near = [abs(width - capacity) <= max(1, 0.2 * capacity) for width in found.late_widths]
        assert mean(near) >= 0.9
        fixed = [await calls(server(capacity, seed), most, None, seed) for most in (capacity, capacity + 1)]
        assert found.late_throughput >= 0.9 * max(story.late_throughput for story in fixed)

    run(scene())


def test_an_endpoint_that_refuses_everything_for_a_while_is_asked_as_before_afterwards(run: Run) -> None:
    async def scene() -> None:
        healthy, limit = Queueing(16, 0), AdaptiveLimit(WORKERS, now)

        async def server(request: Request) -> Answer:
            if 2 <= now() <= 10:
                raise EndpointFault("slow down", code="ThrottlingException", retry=Retry.PATIENT)
            return await healthy(request)

        story = await calls(server, WORKERS, limit, 0)
        assert story.errors == 0
        assert min(story.widths[50:]) <= 2
        assert mean(story.late_widths[-100:]) == pytest.approx(16, rel=0.3)

    run(scene())


def overload(code: str, original_status: int | None = None) -> EndpointFault:
    return EndpointFault("too much", code=code, original_status=original_status)


async def width_after(fault: Exception) -> int:
    """The width of a limit of 2 after one of two calls has ended so."""
    limit, both_are_sent = AdaptiveLimit(2), asyncio.Event()

    async def fail(request: Request) -> Answer:
        await both_are_sent.wait()
        raise fault

    async def answer(request: Request) -> Answer:
        both_are_sent.set()
        return Answer(b"")

    await asyncio.gather(Limited(fail, limit)(REQUEST), Limited(answer, limit)(REQUEST), return_exceptions=True)
    return limit.width


@pytest.mark.parametrize(
    "fault",
    [
        overload("ThrottlingException"),
        overload("TooManyRequestsException"),
        overload("ServiceUnavailable"),
        overload("503"),
        overload("ModelError", 429),
        overload("ModelError", 503),
    ],
    ids=lambda fault: f"{fault.code} {fault.original_status or ''}",
)
def test_the_signals_of_sagemaker_cut_it(run: Run, fault: EndpointFault) -> None:
    async def scene() -> None:
        assert await width_after(fault) == 1

    run(scene())


@pytest.mark.parametrize(
    "fault",
    [
        overload("ModelError", 500),
        overload("ModelError"),
        overload("ModelNotReadyException"),
        overload("ValidationError"),
        overload("InternalFailure", 503),
        SetupError("no credentials"),
    ],
    ids=str,
)
def test_other_faults_do_not(run: Run, fault: Exception) -> None:
    async def scene() -> None:
        assert await width_after(fault) == 2

    run(scene())


def test_a_wait_for_a_slot_is_queue_time_of_answers_and_of_faults(run: Run) -> None:
    async def scene() -> None:
        async def server(request: Request) -> Answer:
            await asyncio.sleep(1)
            if request.body:
                raise EndpointFault("broken", code="500")
            return Answer(b"", timings=Timings(queue=5.0, wire=1000.0))

        limited = Limited(server, AdaptiveLimit(1, now))
        first, second, third = await asyncio.gather(
            limited(REQUEST), limited(REQUEST), limited(Request("llama", b"bad")), return_exceptions=True
        )
        assert isinstance(first, Answer)
        assert isinstance(second, Answer)
        assert isinstance(third, EndpointFault)
        assert (first.timings.queue, second.timings.queue, third.queued) == (5.0, 1005.0, 2000.0)

    run(scene())


@pytest.mark.parametrize("error", [SetupError("no credentials"), EndpointFault("broken", code="500"), ValueError()])
def test_a_call_that_fails_gives_its_slot_back(run: Run, error: Exception) -> None:
    async def scene() -> None:
        async def server(request: Request) -> Answer:
            raise error

        limited = Limited(server, AdaptiveLimit(1, now))
        for _ in range(3):
            with pytest.raises(type(error)):
                await asyncio.wait_for(limited(REQUEST), 1)

    run(scene())


def test_a_call_that_is_cancelled_gives_its_slot_back(run: Run) -> None:
    async def scene() -> None:
        limited = Limited(Queueing(1, 0), AdaptiveLimit(1, now))
        under_way, in_line = (asyncio.create_task(limited(REQUEST)) for _ in range(2))
        await asyncio.sleep(0.01)
        in_line.cancel()
        under_way.cancel()
        await asyncio.wait([under_way, in_line])
        await asyncio.wait_for(limited(REQUEST), 1)

    run(scene())


def test_calls_that_something_else_paces_do_not_make_it_grow(run: Run) -> None:
    """With a call each 100 ms that takes 200 ms two are in flight; those that wait for their pace are not."""

    async def scene() -> None:
        limit = AdaptiveLimit(WORKERS, now)
        await calls(Paced(Queueing(WORKERS, 0), Pace(100, now)), WORKERS, limit, 0)
        assert limit.width <= 8

    run(scene())


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (Queueing, "saturated at about 7 calls in flight (34 answers/s): more only waits"),
        (Refusing, "saturated at about 7 calls in flight (34 answers/s): more is refused"),
    ],
)
def test_the_report_says_where_an_endpoint_is_saturated(
    run: Run, server: Callable[[int, int], Server], expected: str
) -> None:
    async def scene() -> None:
        limit = AdaptiveLimit(WORKERS, now)
        await calls(server(7, 0), WORKERS, limit, 0)
        assert limit.report() == expected

    run(scene())


def test_the_report_says_how_far_an_endpoint_is_not_saturated(run: Run) -> None:
    async def scene() -> None:
        limit = AdaptiveLimit(40, now)
        await calls(Queueing(1_000, 0), WORKERS, limit, 0)
        assert limit.report() == "not saturated at 40 in flight"

    run(scene())


def test_the_report_does_not_speak_of_what_few_calls_have_shown(run: Run) -> None:
    async def scene() -> None:
        limit = AdaptiveLimit(40, now)
        limited = Limited(Refusing(1, 0), limit)
        await asyncio.gather(*(limited(REQUEST) for _ in range(10)), return_exceptions=True)
        assert limit.report() is None

    run(scene())
