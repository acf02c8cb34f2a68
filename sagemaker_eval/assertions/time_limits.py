"""Judging what may take for ever: a search for a pattern that some text makes explode.

A check is tried at once for a moment, which is enough for nearly all. Where it is not, it is begun again on a thread,
so that the calls of other cases go on, and is given up for good after a while.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from sagemaker_eval.assertions.regex.patterns import TooSlow
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import Verdict

MOMENT_SECONDS = 0.05
LIMIT_SECONDS = 2.0


def in_time(
    judge: Callable[[float], Verdict], what: str, seconds: float = LIMIT_SECONDS
) -> Verdict | Awaitable[Verdict]:
    """The verdict of `judge`, which takes a deadline (of `time.perf_counter`) and raises `TooSlow` when it is over.

    The awaitable raises `CaseError` where `seconds` are not enough either; `what` is the subject of its message.
    """
    try:
        return judge(time.perf_counter() + MOMENT_SECONDS)
    except TooSlow:
        return _on_a_thread(judge, what, seconds)


async def _on_a_thread(judge: Callable[[float], Verdict], what: str, seconds: float) -> Verdict:
    try:
        return await asyncio.to_thread(lambda: judge(time.perf_counter() + seconds))
    except TooSlow:
        raise CaseError(
            f"{what} could not be decided within {seconds:g} s",
            "some repetition in it can match the same text in too many ways, such as `(a|aa)+` or `(.*,)*`",
        ) from None
