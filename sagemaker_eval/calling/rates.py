"""`requestsPerSecond` and `tokensPerMinute`: how fast one endpoint is asked, whoever asks."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.calling.pacing import MakeReady, after_waiting
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Invoke, Rates, Request

BURST_SECONDS = 6.0
"""So many seconds' worth of tokens may be used at once: no minute holds more than 1.1 times the limit."""

_CLOSEST = 0.1
"""The least distance of two starts, in steps: what a late start may catch up is less than one step."""

_INSTANT = 1e-9
"""Seconds that are not worth waiting for: less than rounding leaves of a wait that is over."""

_NOTHING_GENERATED = frozenset({Retry.PATIENT, Retry.LOADING})


class EndpointRates:
    """Lets calls to one endpoint start in order of arrival, no faster than its rates; shared by all who call it.

    Requests start a step apart (1 / rate). Calls that had to wait are due at fixed moments, so that the event loop's
    being late with one does not slow down the rest; a time in which nobody called is lost.

    Tokens are a bucket (the continuous-state leaky bucket of ITU-T I.371) that refills evenly and holds those of
    `BURST_SECONDS`. A call takes its estimate when it starts and settles later; one that is larger than the bucket
    starts when the bucket is full, and leaves a debt.
    """

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._line = asyncio.Lock()
        self._step = 0.0
        self._due = -math.inf
        self._bucket: _Bucket | None = None
        self._settled = asyncio.Event()

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit at all."""
        return self._step > 0 or self._bucket is not None

    @property
    def counts_tokens(self) -> bool:
        """Whether it matters how many tokens a call uses."""
        return self._bucket is not None

    def limit(self, rates: Rates) -> None:
        """Keep these rates too: of all that were ever asked for, the strictest hold."""
        if rates.requests_per_second:
            self._step = max(self._step, 1 / rates.requests_per_second)
        if rates.tokens_per_minute:
            if self._bucket is None:
                self._bucket = _Bucket(rates.tokens_per_minute / 60, self._clock())
            self._bucket.tighten(rates.tokens_per_minute / 60, self._clock())

    async def turn(self, tokens: int) -> float:
        """Returns when a call of so many tokens may start, which it must do at once: the ms that it waited.

        A call that is cancelled here has used nothing and holds up nobody.
        """
        arrived = self._clock()
        async with self._line:
            now = self._clock()
            while (pause := self._pause(now, tokens)) > _INSTANT:
                await self._wait(pause)
                now = self._clock()
            late = arrived < self._due
            self._due = max(self._due + self._step, now + _CLOSEST * self._step) if late else now + self._step
            if self._bucket is not None:
                self._bucket.take(tokens, now)
        return (now - arrived) * 1000

    def settle(self, estimated: int, used: int) -> None:
        """A call that took `estimated` tokens has used so many: the rest is given back, or what was missing is owed."""
        if self._bucket is not None and used != estimated:
            self._bucket.take(used - estimated, self._clock())
            self._settled.set()

    def _pause(self, now: float, tokens: int) -> float:
        """Seconds until a call may start, as things stand."""
        for_tokens = 0.0 if self._bucket is None else self._bucket.pause(tokens, now)
        return max(self._due - now, for_tokens)

    async def _wait(self, seconds: float) -> None:
        """Sleeps so long, or until a call has settled: what it gives back may be enough."""
        if self._bucket is None:
            await self._sleep(seconds)
            return
        self._settled.clear()
        ends = (asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._settled.wait()))
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()


class _Bucket:
    """Tokens that may be used now; below 0 they are owed. Times are seconds of one clock, rates tokens per second."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._size = self._level = rate * BURST_SECONDS
        self._at = now

    def tighten(self, rate: float, now: float) -> None:
        self._refill(now)
        self._rate = min(self._rate, rate)
        self._size = self._rate * BURST_SECONDS
        self._level = min(self._level, self._size)

    def pause(self, tokens: int, now: float) -> float:
        """Seconds until so many tokens are there, or a full bucket."""
        self._refill(now)
        return (min(tokens, self._size) - self._level) / self._rate

    def take(self, tokens: int, now: float) -> None:
        self._refill(now)
        self._level = min(self._level - tokens, self._size)

    def _refill(self, now: float) -> None:
        self._level = min(self._level + (now - self._at) * self._rate, self._size)
        self._at = max(now, self._at)


class Rated:
    """Starts every call, each try of a retried one included, no faster than its endpoint may be asked.

    `estimate` says how many tokens a request will use, prompt and completion; what the answer reports is settled.
    A call that the endpoint did not take on is given back whole, one that broke in another way counts as estimated.
    `make_ready` is as for `Paced`. The wait is counted as `Timings.queue`, or as `EndpointFault.queued`.
    """

    def __init__(
        self,
        inner: Invoke,
        rates: EndpointRates,
        estimate: Callable[[Request], int],
        make_ready: MakeReady | None = None,
    ) -> None:
        self._inner = inner
        self._rates = rates
        self._estimate = estimate
        self._make_ready = make_ready

    async def __call__(self, request: Request) -> Answer:
        rates = self._rates
        tokens = self._estimate(request) if rates.counts_tokens else 0
        if self._make_ready is not None:
            await self._make_ready(request)
        waited = await rates.turn(tokens)
        try:
            answer = await after_waiting(waited, self._inner, request)
        except EndpointFault as fault:
            if fault.retry in _NOTHING_GENERATED:
                rates.settle(tokens, 0)
            raise
        if answer.usage is not None:
            rates.settle(tokens, answer.usage.total)
        return answer
