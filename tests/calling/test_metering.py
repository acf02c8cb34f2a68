from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sagemaker_eval.calling.metering import Budget, Counted, Meter
from sagemaker_eval.errors import EndpointFault, LimitReached
from sagemaker_eval.model import Answer, Request

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"{}")


def now() -> float:
    return asyncio.get_running_loop().time()


async def answered(request: Request) -> Answer:
    await asyncio.sleep(10)
    return Answer(b"hi")


async def refused(request: Request) -> Answer:
    await asyncio.sleep(10)
    raise EndpointFault("no", code="500")


def test_the_time_of_an_endpoint_runs_from_the_first_call_to_the_end_of_the_last(run: Run) -> None:
    meter, budget = Meter("llama"), Budget()

    async def story() -> None:
        await asyncio.sleep(5)
        await asyncio.gather(*(Counted(answered, meter, budget, now)(REQUEST) for _ in range(3)))
        with pytest.raises(EndpointFault):
            await Counted(refused, meter, budget, now)(REQUEST)

    run(story())
    assert (meter.calls, meter.began, meter.ended, meter.seconds) == (4, 5, 25, 20)


def test_no_call_is_made_beyond_the_limit(run: Run) -> None:
    meter, budget = Meter("llama"), Budget(max_calls=2)

    async def story() -> None:
        counted = Counted(answered, meter, budget, now)
        await counted(REQUEST)
        await counted(REQUEST)
        with pytest.raises(LimitReached, match="the 2 calls that `--max-calls` allows"):
            await counted(REQUEST)

    run(story())
    assert meter.calls == 2


def test_no_call_is_made_once_the_endpoints_have_cost_too_much(run: Run) -> None:
    meter = Meter("llama", hourly_usd=360.0)
    budget = Budget(max_cost=2.0, meters=[meter])

    async def story() -> None:
        counted = Counted(answered, meter, budget, now)
        await counted(REQUEST)
        await counted(REQUEST)
        with pytest.raises(LimitReached, match=r"have cost \$2.0000, and `--max-cost` allows \$2.0000"):
            await counted(REQUEST)

    run(story())
    assert meter.calls == 2


def test_an_endpoint_without_a_price_costs_nothing_that_could_be_told() -> None:
    assert Meter("llama", began=0.0).dollars_at(3600) == 0.0
    assert Meter("llama", hourly_usd=2.0).dollars_at(3600) == 0.0
