"""Where the time of an answer went, over the whole line to an endpoint and on a clock that only the calls move."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import astuple
from random import Random
from typing import Any

import pytest

from sagemaker_eval.calling.cache_origin import Keys
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, ProviderSpec, Request, SageMakerOptions, Timings
from sagemaker_eval.providers.endpoints import Endpoints
from sagemaker_eval.providers.line import Line, Way
from sagemaker_eval.providers.services import Services
from sagemaker_eval.sagemaker.session import Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool

Run = Callable[[Coroutine[Any, Any, None]], None]

THROTTLED = ("ThrottlingException", Retry.PATIENT)
UNAVAILABLE = ("ServiceUnavailable", Retry.COUNTED)
LOADING = ("ModelNotReadyException", Retry.LOADING)


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Takes 50 ms for an answer and 10 ms for each of the faults that it begins with."""

    def __init__(self, *faults: tuple[str, Retry]) -> None:
        self.faults = list(faults)
        self.starts: list[float] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append(now())
        if self.faults:
            code, retry = self.faults.pop(0)
            await asyncio.sleep(0.01)
            raise EndpointFault("not now", code=code, retry=retry)
        await asyncio.sleep(0.05)
        return Answer(b"hi", timings=Timings(wire=50.0, total=50.0))

    async def make_ready(self, request: Request) -> None: ...


def line_to(endpoint: Endpoint, delay_ms: int = 0, **options: Any) -> Line:
    services = Services(
        ConnectionPool(1), Targets({}, lambda _: None), sleep=asyncio.sleep, endpoints=Endpoints(clock=now)
    )
    state = services.endpoints.of(("here",), "e")
    way = Way(endpoint, state, key=Keys("", "", ""), url=lambda request: "")
    spec = ProviderSpec("sagemaker:e", "sagemaker", options=SageMakerOptions("e", **options), delay_ms=delay_ms)
    return Line(lambda: way, lambda answer: None, spec, services)


def parts(answer: Answer) -> float:
    timings = answer.timings
    return timings.queue + timings.backoff + timings.cold_start + timings.wire


async def one_after_another(line: Line, number: int) -> list[Answer]:
    return [await line(Request("e", b"%d" % each)) for each in range(number)]


def test_two_throttles_and_a_delay_are_in_no_latency(run: Run) -> None:
    endpoint = Endpoint(THROTTLED, THROTTLED)

    async def story() -> None:
        began = now()
        (answer,) = await one_after_another(line_to(endpoint, delay_ms=700), 1)
        elapsed = (now() - began) * 1000
        timings = answer.timings
        assert timings.wire == 50.0
        assert timings.total == pytest.approx(elapsed, abs=1e-6)
        assert parts(answer) == timings.total
        pauses = [later - earlier for earlier, later in zip(endpoint.starts, endpoint.starts[1:], strict=False)]
        assert all(pause >= 0.7 - 1e-9 for pause in pauses)
        assert answer.attempts == 3
        assert timings.queue + timings.backoff == pytest.approx(elapsed - 50.0, abs=1e-6)
        assert timings.backoff >= 20.0

    run(story())


def test_a_delay_is_queue(run: Run) -> None:
    async def story() -> None:
        first, second = await one_after_another(line_to(Endpoint(), delay_ms=700), 2)
        assert astuple(first.timings) == (0.0, 0.0, 0.0, 50.0, None, None, 50.0)
        assert second.timings.queue == pytest.approx(650.0)
        assert (second.timings.backoff, second.timings.wire) == (0.0, 50.0)

    run(story())


def test_a_cold_start_is_no_latency_and_no_queue_of_anybody(run: Run) -> None:
    endpoint = Endpoint(LOADING, LOADING)

    async def story() -> None:
        line = line_to(endpoint)
        answers = await asyncio.gather(*(line(Request("e", b"%d" % number)) for number in range(5)))
        for answer in answers:
            assert answer.timings.wire == 50.0
            assert answer.timings.backoff == 0.0
            assert answer.timings.cold_start >= 3000.0
            assert parts(answer) == answer.timings.total
        assert sum(answer.attempts for answer in answers) == 5 + 2

    run(story())


@pytest.mark.parametrize("seed", range(25))
def test_the_parts_add_up_whatever_happens(run: Run, seed: int) -> None:
    chance = Random(seed)
    faults = chance.choices([THROTTLED, UNAVAILABLE, LOADING], k=chance.randrange(8))

    async def story() -> None:
        line = line_to(Endpoint(*faults), delay_ms=chance.choice([0, 100]), max_retries=20)
        for answer in await one_after_another(line, 5):
            assert parts(answer) == pytest.approx(answer.timings.total, abs=1e-6)

    run(story())
