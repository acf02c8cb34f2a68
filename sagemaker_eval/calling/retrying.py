"""Retries: one loop for every fault, driven by the class that the fault table gave it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random

from tenacity import AsyncRetrying, retry_if_exception

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, Invoke, Request
from sagemaker_eval.sagemaker.faults import FAULTS

FIRST_WINDOW = 0.5
"""Seconds from which the first pause is drawn; each further pause of its kind draws from twice as many."""

LONGEST_WINDOW = {Retry.ONCE: 20.0, Retry.COUNTED: 20.0, Retry.PATIENT: 30.0}

THROTTLES = frozenset(code for code, row in FAULTS.items() if row is FAULTS["ThrottlingException"])
"""Codes that say nothing but: too many calls."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one case puts up with PATIENT faults: so many of them, or so many seconds since the first."""

    attempts: int = 12
    seconds: float = 300.0


class Retrying:
    """Makes a call again after faults that may pass, and tells how often it was made and how long it paused.

    `max_retries` bounds the retries after COUNTED and ONCE faults of one case, and 0 switches all retries off;
    PATIENT faults (throttling, a model that is still loading) have `patience` instead. Pauses grow exponentially
    with full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    Raises the last `EndpointFault` with its `attempts`, and `SetupError` at once for a fault that stops the run.
    """

    def __init__(
        self,
        inner: Invoke,
        max_retries: int,
        patience: Patience = Patience(),
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        random: Random | None = None,
    ) -> None:
        self._inner = inner
        self.max_retries = max_retries
        self.patience = patience
        self._sleep = sleep
        self.clock = clock
        self.random = random or Random()

    async def __call__(self, request: Request) -> Answer:
        started = self.clock()
        try:
            answer = await self._inner(request)
            calls, paused = 1, 0.0
        except EndpointFault as fault:
            tries = _Tries(self)
            answer = await self._again(request, fault, tries)
            calls, paused = tries.calls, tries.paused
        total = self.clock() - started
        timings = replace(answer.timings, backoff=paused * 1000, total=total * 1000)
        return replace(answer, attempts=calls, timings=timings)

    async def _again(self, request: Request, first: EndpointFault, tries: _Tries) -> Answer:
        """Runs the loop of one case whose first call has already ended in `first`: calls without faults pay nothing."""

        async def attempt() -> Answer:
            tries.calls += 1
            if tries.calls == 1:
                raise first
            return await self._inner(request)

        async def pause(seconds: float) -> None:
            began = self.clock()
            await self._sleep(seconds)
            tries.paused += self.clock() - began

        loop = AsyncRetrying(sleep=pause, retry=retry_if_exception(tries.allow), wait=lambda _: tries.pause())
        try:
            return await _run(loop, attempt)
        except EndpointFault as fault:
            if fault.stops_run:
                raise SetupError(fault.message, fault.hint) from fault
            fault.attempts = tries.calls
            if tries.calls > 1:
                verb = "throttled" if tries.throttled == tries.calls else "tried"
                fault.message = f"{fault.message} ({verb} {tries.calls} times)"
            raise


async def _run(loop: AsyncRetrying, attempt: Callable[[], Awaitable[Answer]]) -> Answer:
    answer: Answer = await loop(attempt)
    return answer


class _Tries:
    """What one case has used up, and what that leaves it."""

    def __init__(self, retrying: Retrying) -> None:
        self._max_retries = retrying.max_retries
        self._patience = retrying.patience
        self._clock = retrying.clock
        self._random = retrying.random
        self.calls = 0
        self.paused = 0.0
        self.throttled = 0
        self._faults = dict.fromkeys(Retry, 0)
        self._last = Retry.NEVER
        self._patient_until = 0.0

    def allow(self, error: BaseException) -> bool:
        """Counts `error` and says whether the call may be made once more."""
        if not isinstance(error, EndpointFault):
            return False
        self._last = error.retry
        self._faults[error.retry] += 1
        self.throttled += error.code in THROTTLES
        if error.stops_run or self._max_retries <= 0:
            return False
        match error.retry:
            case Retry.PATIENT:
                return self._has_patience()
            case Retry.ONCE:
                return self._faults[Retry.ONCE] == 1 and self._counted <= self._max_retries
            case Retry.COUNTED:
                return self._counted <= self._max_retries
            case Retry.NEVER:
                return False

    @property
    def _counted(self) -> int:
        return self._faults[Retry.COUNTED] + self._faults[Retry.ONCE]

    def _has_patience(self) -> bool:
        if self._faults[Retry.PATIENT] == 1:
            self._patient_until = self._clock() + self._patience.seconds
        return self._faults[Retry.PATIENT] < self._patience.attempts and self._clock() < self._patient_until

    def pause(self) -> float:
        """Seconds until the next call; after a PATIENT fault no more than the patience still lasts."""
        patient = self._last is Retry.PATIENT
        doublings = (self._faults[Retry.PATIENT] if patient else self._counted) - 1
        window = min(LONGEST_WINDOW[self._last], FIRST_WINDOW * 2 ** min(doublings, 16))
        seconds = self._random.uniform(0.0, window)
        return max(0.0, min(seconds, self._patient_until - self._clock())) if patient else seconds
