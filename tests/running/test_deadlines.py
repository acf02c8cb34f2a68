"""What a time limit makes of what is being done when it is reached."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sagemaker_eval.running.deadlines import (
    CASE_TIMEOUT,
    MAX_TIME,
    Deadlines,
    OutOfTime,
    TimeLimit,
    TimeLimits,
    in_words,
)

LONG = TimeLimit(3600, "evaluateOptions.timeoutMs")
SHORT = TimeLimit(0.01, "--max-time")


async def forever() -> None:
    await asyncio.Event().wait()


async def nothing() -> None:
    pass


def cut_short(limits: TimeLimits, work: Callable[[], Awaitable[None]] = forever) -> OutOfTime:
    """What is raised for a case that does not end in time."""

    async def one_case() -> None:
        deadlines = Deadlines(limits)
        deadlines.start()
        async with deadlines.of_case():
            await work()

    with pytest.raises(OutOfTime) as caught:
        asyncio.run(one_case())
    return caught.value


def test_a_case_ends_at_its_own_limit() -> None:
    error = cut_short(TimeLimits(case=TimeLimit(0.01, "evaluateOptions.timeoutMs"), run=LONG))
    assert (error.code, error.kind) == (CASE_TIMEOUT, "timeout")
    assert error.message == "timed out after 0.01 s (`evaluateOptions.timeoutMs`)"


def test_a_case_ends_at_the_limit_of_the_run_where_that_comes_first() -> None:
    error = cut_short(TimeLimits(case=LONG, run=SHORT))
    assert error.code == MAX_TIME
    assert error.message == "cut short: the run reached its limit of 0.01 s (`--max-time`)"


def test_what_is_done_when_time_is_up_has_been_cancelled() -> None:
    cancelled = []

    async def work() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    cut_short(TimeLimits(case=SHORT), work)
    assert cancelled == [True]


def test_work_that_ends_in_time_is_left_alone() -> None:
    async def one_case() -> None:
        deadlines = Deadlines(TimeLimits(case=LONG, run=LONG))
        deadlines.start()
        async with deadlines.of_case():
            await nothing()
        assert not deadlines.passed

    asyncio.run(one_case())


@pytest.mark.parametrize("limits", [TimeLimits(), TimeLimits(case=LONG)])
def test_a_time_out_of_the_work_itself_is_not_ours(limits: TimeLimits) -> None:
    async def one_case() -> None:
        async with Deadlines(limits).of_case():
            raise TimeoutError("of the work")

    with pytest.raises(TimeoutError, match="of the work"):
        asyncio.run(one_case())


def test_being_cancelled_from_outside_is_no_time_out() -> None:
    async def cancelled() -> bool:
        async def one_case() -> None:
            async with Deadlines(TimeLimits(case=LONG)).of_case():
                await forever()

        task = asyncio.create_task(one_case())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert asyncio.run(cancelled())


def test_the_time_of_a_run_without_a_limit_never_passes() -> None:
    async def passed() -> bool:
        deadlines = Deadlines(TimeLimits(case=SHORT))
        deadlines.start()
        return deadlines.passed

    assert not asyncio.run(passed())


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.25, "0.25 s"), (90, "90 s"), (60, "1 min"), (900, "15 min"), (7200, "2 h"), (5400, "90 min"), (3601, "3601 s")],
)
def test_a_limit_is_told_as_it_was_written(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
