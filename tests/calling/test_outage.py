from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sagemaker_eval.calling.outage import Outage
from sagemaker_eval.errors import EndpointFault, Retry

Run = Callable[[Coroutine[Any, Any, None]], None]


def now() -> float:
    return asyncio.get_running_loop().time()


def down(message: str = "down") -> EndpointFault:
    return EndpointFault(message, code="ServiceUnavailable", retry=Retry.COUNTED, hint="wait")


async def questions(outage: Outage) -> list[float]:
    """When an endpoint that stays down is asked, until it is given up."""
    asked = []
    while not outage.given_up:
        await outage.turn()
        asked.append(now())
        outage.goes_on(down())
    return asked


@pytest.mark.parametrize(
    ("seconds", "asked"),
    [(30, [1, 3, 7, 15, 30]), (60, [1, 3, 7, 15, 30, 45, 60]), (5, [1, 3, 5]), (0, [0])],
)
def test_pauses_double_up_to_15_seconds_and_the_last_question_comes_at_the_deadline(
    run: Run, seconds: float, asked: list[float]
) -> None:
    async def scene() -> None:
        outage = Outage(now)
        outage.begin(down(), seconds)
        assert await questions(outage) == asked

    run(scene())


def test_once_given_up_it_may_be_asked_every_30_seconds_without_a_pause(run: Run) -> None:
    async def scene() -> None:
        outage = Outage(now)
        outage.begin(down(), 5)
        await questions(outage)
        refuses = [outage.refuses]
        await asyncio.sleep(30)
        refuses.append(outage.refuses)
        await outage.turn()
        assert now() == 35
        outage.goes_on(down())
        refuses.append(outage.refuses)
        assert refuses == [True, False, True]

    run(scene())


def test_each_outage_begins_anew(run: Run) -> None:
    async def scene() -> None:
        outage = Outage(now)
        outage.begin(down(), 5)
        await questions(outage)
        outage.end()
        assert [outage.fault, outage.given_up, outage.refuses] == [None, False, False]
        outage.begin(down(), 5)
        assert await questions(outage) == [6, 8, 10]

    run(scene())


def test_what_is_down_already_does_not_go_down_again(run: Run) -> None:
    async def scene() -> None:
        outage = Outage(now)
        outage.begin(down("first"), 5)
        await asyncio.sleep(3)
        outage.begin(down("second"), 5)
        assert str(outage.fault) == "first"
        assert await questions(outage) == [4, 5]

    run(scene())


def test_the_last_words_stay_as_they_were(run: Run) -> None:
    async def scene() -> None:
        outage, fault = Outage(now), down()
        outage.begin(fault, 5)
        fault.message += " (tried 4 times)"
        assert outage.fault is not None
        assert (outage.fault.message, outage.fault.code, outage.fault.hint) == ("down", "ServiceUnavailable", "wait")

    run(scene())


def test_it_comes_to_an_end_even_where_sleeping_takes_no_time(run: Run) -> None:
    async def no_time(seconds: float) -> None:
        return None

    async def scene() -> None:
        outage = Outage(lambda: 0.0, no_time)
        outage.begin(down(), 60)
        asked = 0
        while not outage.given_up:
            await outage.turn()
            outage.goes_on(down())
            asked += 1
        assert asked == 7

    run(scene())
