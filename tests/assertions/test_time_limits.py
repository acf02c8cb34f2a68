"""A check that could take for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest

from sagemaker_eval.assertions.regex.patterns import TooSlow, compile_pattern
from sagemaker_eval.assertions.time_limits import in_time
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Verdict

VERDICT = Verdict(True, 1.0, "Assertion passed")


def test_what_is_quick_is_decided_at_once() -> None:
    assert in_time(lambda deadline: VERDICT, "whether it is so") is VERDICT


def test_what_is_not_quick_is_begun_again_with_more_time() -> None:
    deadlines: list[float] = []

    def judge(deadline: float) -> Verdict:
        deadlines.append(deadline)
        if len(deadlines) == 1:
            raise TooSlow
        return VERDICT

    later = in_time(judge, "whether it is so", seconds=30)
    assert isinstance(later, Awaitable)

    async def wait() -> Verdict:
        return await later

    assert asyncio.run(wait()) is VERDICT
    assert deadlines[1] > deadlines[0] + 20


async def _given_up_beside_a_ticking_clock() -> int:
    """Ticks of the loop until an endless search is given up."""
    pattern, text = compile_pattern("(a|aa)+$"), "a" * 100 + "b"

    def judge(deadline: float) -> Verdict:
        assert not pattern.found_in(text, deadline)
        return VERDICT

    later = in_time(judge, "whether the output matches", seconds=0.5)
    assert isinstance(later, Awaitable)
    task = asyncio.ensure_future(later)
    ticks = 0
    while not task.done():
        await asyncio.sleep(0.005)
        ticks += 1
    with pytest.raises(CaseError) as caught:
        await task
    assert str(caught.value) == "whether the output matches could not be decided within 0.5 s"
    assert "(a|aa)+" in str(caught.value.hint)
    return ticks


def test_other_cases_go_on_meanwhile() -> None:
    assert asyncio.run(_given_up_beside_a_ticking_clock()) > 1
