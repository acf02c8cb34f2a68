"""Retries: one loop for every fault, driven by the class that the fault table gave it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from tenacity import AsyncRetrying, retry_if_exception

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.calling.health import Health
from sagemaker_eval.calling.ledger import Lost, settled
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
    """Makes a call again after faults that may pass, and tells how often it was made and where its time went.

    `max_retries` bounds the retries after COUNTED and ONCE faults of one case, and 0 switches all retries off;
    PATIENT faults (throttling; a model that is still loading, where nothing else waits for that) have `patience`
    instead. Pauses grow exponentially with full jitter:
    https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/.
    `health` ends the retries of COUNTED and ONCE faults while hardly any call to the endpoint succeeds.
    Raises the last `EndpointFault` with the `attempts` of all, and `SetupError` at once for one that stops the run.
    """

    def __init__(
        self,
        inner: Invoke,
        max_retries: int,
        patience: Patience = Patience(),
        sleep: Sleep = asyncio.sleep,
        clock: Clock = time.monotonic,
        random: Random | None = None,
        health: Health | None = None,
    ) -> None:
        self._inner = inner
        self.max_retries = max_retries
        self.patience = patience
        self._sleep = sleep
        self.clock = clock
        self.random = random or Random()
        self.health = health

    async def __call__(self, request: Request) -> Answer:
        started = self.clock()
        lost = None
        try:
            answer = await self._inner(request)
        except EndpointFault as fault:
            lost = Lost()
            answer = await self._again(request, fault, started, lost)
        return settled(answer, (self.clock() - started) * 1000, lost)

    async def _again(self, request: Request, first: EndpointFault, started: float, lost: Lost) -> Answer:
        """Runs the loop of one case whose first call has already ended in `first`: calls without faults pay nothing."""
        tries = _Tries(self)
        ended = [first]
        lost.add(first, (self.clock() - started) * 1000)

        async def attempt() -> Answer:
            if ended:
                raise ended.pop()
            began = self.clock()
            try:
                return await self._inner(request)
            except EndpointFault as fault:
                lost.add(fault, (self.clock() - began) * 1000)
                raise

        async def pause(seconds: float) -> None:
            began = self.clock()
            await self._sleep(seconds)
            lost.backoff += (self.clock() - began) * 1000

        loop = AsyncRetrying(sleep=pause, retry=retry_if_exception(tries.allow), wait=lambda _: tries.pause())
        try:
            return await _run(loop, attempt)
        except EndpointFault as fault:
            if fault.stops_run:
                raise SetupError(fault.message, fault.hint) from fault
            fault.attempts = lost.attempts
            if lost.attempts > 1:
                fault.message = f"{fault.message} ({tries.verb} {lost.attempts} times)"
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
        self._health = retrying.health
        self._other_than_throttled = False
        self._faults = dict.fromkeys(Retry, 0)
        self._last = Retry.NEVER
        self._patient_until = 0.0

    @property
    def verb(self) -> str:
        """What became of all attempts."""
        return "tried" if self._other_than_throttled else "throttled"

    def allow(self, error: BaseException) -> bool:
        """Counts `error` and says whether the call may be made once more."""
        if not isinstance(error, EndpointFault):
            return False
        self._last = Retry.PATIENT if error.retry is Retry.LOADING else error.retry
        self._faults[self._last] += 1
        self._other_than_throttled |= error.code not in THROTTLES
        if error.stops_run or self._max_retries <= 0:
            return False
        match self._last:
            case Retry.PATIENT:
                return self._has_patience()
            case Retry.ONCE:
                return self._faults[Retry.ONCE] == 1 and self._is_worth_it()
            case Retry.COUNTED:
                return self._is_worth_it()
            case _:
                return False

    def _is_worth_it(self) -> bool:
        return self._counted <= self._max_retries and (self._health is None or self._health.allows_retry())

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
