"""The health of one endpoint: whether trying again is worth a call, and whether it is worth asking at all."""

from __future__ import annotations

import asyncio
import time
from bisect import insort

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.calling.ledger import delayed
from sagemaker_eval.calling.outage import Outage
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Invoke, Request
from sagemaker_eval.sagemaker.hints import RUN_AGAIN

WINDOW = 50
"""Calls that the retry budget looks back on, the latest by their starts."""

LEAST_SUCCESSES = WINDOW // 10
"""Successes among them below which nothing is retried."""

FAILURES_IN_A_ROW = 20
"""Failures that open the circuit. Where 3 calls in 10 fail by chance, so many in a row come once in 10^10 calls."""

TRIAL_SECONDS = 30.0
"""How long an endpoint with an open circuit is tried, with one call at a time, before it is given up."""

CIRCUIT_OPEN = "CircuitOpen"

_ANSWERED = frozenset({"EmptyBody"})
"""Codes of answers that cannot be used: the endpoint did answer."""


class Health:
    """What the last calls to one endpoint say of it; shared by all providers and graders that call it.

    The circuit breaker follows M. Nygard, "Release It!", and the retry budget the idea of Google's "Site Reliability
    Engineering", chapter 21: retries are for faults of single calls, and make it worse for an endpoint that is down.
    Throttling and loading say nothing of health. `sleep` is how a trial waits for its time.

    Calls are judged in the order of their starts, by the number that `began` gave them: where failures take longer
    than answers, as timeouts do, those of many calls in flight end together, after answers to calls that were made
    later than they.
    """

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.outage = Outage(clock, sleep)
        self._window: list[tuple[int, bool]] = []
        self._successes = 0
        self._failures_in_a_row = 0
        self._begun = 0
        self._latest_answered = 0

    def allows_retry(self) -> bool:
        """Whether a call that failed may be made again, as far as the endpoint is concerned."""
        spent = len(self._window) == WINDOW and self._successes < LEAST_SUCCESSES
        return not spent and not self.outage.given_up

    def began(self) -> int:
        """A call is made: its number, with which its end is told."""
        self._begun += 1
        return self._begun

    def succeeded(self, number: int) -> None:
        """A call was answered."""
        self._note(number, success=True)
        self._recovered(number)

    def failed(self, number: int, fault: EndpointFault) -> None:
        """A call ended in a fault, which may well be an answer of a sound endpoint to this one request."""
        if not fault.attempts or fault.stops_run:
            return
        if fault.retry in (Retry.PATIENT, Retry.LOADING) or fault.original_status == 429:
            self._recovered(number)
        elif _is_failure(fault):
            self._note(number, success=False)
            self._failures_in_a_row += number > self._latest_answered
            if self.outage.fault is None and self._failures_in_a_row >= FAILURES_IN_A_ROW:
                self.outage.begin(fault, TRIAL_SECONDS)
        else:
            self._note(number, success=fault.retry is Retry.NEVER)
            self._recovered(number)

    def _note(self, number: int, *, success: bool) -> None:
        insort(self._window, (number, success))
        self._successes += success
        if len(self._window) > WINDOW:
            self._successes -= self._window.pop(0)[1]

    def _recovered(self, number: int) -> None:
        self._failures_in_a_row = 0
        self._latest_answered = max(number, self._latest_answered)
        if self.outage.fault is not None:
            self.outage.end()


def _is_failure(fault: EndpointFault) -> bool:
    """Whether a fault says that the endpoint is ill, not that it cannot do with this one request."""
    if fault.original_status == 0:
        return True
    if fault.retry is Retry.NEVER or fault.code in _ANSWERED:
        return False
    return fault.original_status is None or fault.original_status >= 500


class Guarded:
    """A circuit breaker before an endpoint, which learns from each call that passes.

    While the circuit is open, one call at a time is let through as a trial, after 1, 2, 4 … s; the others stand in
    line, which counts as queue. Once the endpoint is given up, calls end at once in a fault with the code
    `CircuitOpen` and 0 attempts, and one call in 30 s is a trial. Any trial that is answered closes the circuit.
    """

    def __init__(self, inner: Invoke, health: Health) -> None:
        self._inner = inner
        self._health = health

    async def __call__(self, request: Request) -> Answer:
        if self._health.outage.fault is not None:
            return await self._in_line(request)
        return await self._asked(request)

    async def _asked(self, request: Request) -> Answer:
        number = self._health.began()
        try:
            answer = await self._inner(request)
        except EndpointFault as fault:
            self._health.failed(number, fault)
            raise
        self._health.succeeded(number)
        return answer

    async def _in_line(self, request: Request) -> Answer:
        outage = self._health.outage
        arrived = outage.clock()
        if outage.given_up and outage.line.locked():
            raise self._refusal(request, arrived)
        async with outage.line:
            if outage.refuses:
                raise self._refusal(request, arrived)
            if outage.fault is not None:
                await outage.turn()
            if outage.fault is not None:
                return await self._tried(request, arrived)
        return await self._after_wait(request, arrived)

    async def _tried(self, request: Request, arrived: float) -> Answer:
        try:
            return await self._after_wait(request, arrived)
        except EndpointFault as fault:
            if self._health.outage.fault is not None and fault.attempts:
                self._health.outage.goes_on(fault)
            raise

    async def _after_wait(self, request: Request, arrived: float) -> Answer:
        waited = (self._health.outage.clock() - arrived) * 1000
        try:
            return delayed(await self._asked(request), queue=waited)
        except EndpointFault as fault:
            fault.queued += waited
            raise

    def _refusal(self, request: Request, arrived: float) -> EndpointFault:
        said = self._health.outage.fault
        assert said is not None
        fault = EndpointFault(
            f"endpoint `{request.endpoint}` has failed call after call and is not asked any more ({CIRCUIT_OPEN}): "
            f"{said.message}",
            code=CIRCUIT_OPEN,
            hint=f"{said.hint}; when it is sound, {RUN_AGAIN}" if said.hint else f"when it is sound, {RUN_AGAIN}",
            request_id=said.request_id,
            original_status=said.original_status,
        )
        fault.attempts = 0
        fault.queued = (self._health.outage.clock() - arrived) * 1000
        return fault
