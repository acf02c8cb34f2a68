"""`delay`: the least time between the starts of two calls; and how a wait for a turn is accounted for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Invoke, Request

MakeReady: TypeAlias = Callable[[Request], Awaitable[None]]
"""Gets everything that a request needs before it can be sent at once. May raise as the call itself."""


class Pace:
    """Lets calls start one by one, in order of arrival, each at least `delay_ms` after the one before.

    One Pace serves all calls of a provider, however many are in flight. Calls stand in line for their turn and only
    the first in line sleeps, until the delay has passed since the start that really was the last: a call that starts
    late moves all behind it, and one that is cancelled leaves the line without a trace.
    """

    def __init__(self, delay_ms: float, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.delay = max(0.0, delay_ms / 1000)
        self._clock = clock
        self._sleep = sleep
        self._line = asyncio.Lock()
        self._next_start = float("-inf")

    async def turn(self) -> float:
        """Returns when the caller may start, which it must do at once: the milliseconds that it waited."""
        arrived = self._clock()
        async with self._line:
            now = self._clock()
            if now < self._next_start:
                await self._sleep(self._next_start - now)
                now = max(self._clock(), self._next_start)
            self._next_start = now + self.delay
        return (now - arrived) * 1000


class Paced:
    """Starts every call, each try of a retried one included, at the pace of its provider.

    `make_ready` does what must not come between the turn and the start, such as finding credentials, which can take
    seconds. The wait is counted as `Timings.queue`, or as `EndpointFault.queued` where the call fails.
    """

    def __init__(self, inner: Invoke, pace: Pace, make_ready: MakeReady | None = None) -> None:
        self._inner = inner
        self._pace = pace
        self._make_ready = make_ready

    async def __call__(self, request: Request) -> Answer:
        if not self._pace.delay:
            return await self._inner(request)
        if self._make_ready is not None:
            await self._make_ready(request)
        return await after_waiting(await self._pace.turn(), self._inner, request)


async def after_waiting(waited: float, inner: Invoke, request: Request) -> Answer:
    """The answer to a call that has waited so many ms for its turn, which the answer, or else its fault, then tells."""
    try:
        answer = await inner(request)
    except EndpointFault as fault:
        fault.queued += waited
        raise
    return with_wait(answer, waited)


def with_wait(answer: Answer, waited: float) -> Answer:
    """`answer` with so many ms more in its queue."""
    if not waited:
        return answer
    timings = answer.timings
    return replace(answer, timings=replace(timings, queue=timings.queue + waited))
