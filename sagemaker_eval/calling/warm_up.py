"""Waiting for an endpoint that is scaled to zero or loading its model: one call asks, the others wait for it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import replace

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.calling.ledger import delayed
from sagemaker_eval.calling.outage import Outage
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Invoke, Request

_NO_INSTANCE = re.compile(r"no capacity|no instance", re.IGNORECASE)


class Readiness(Outage):
    """Whether one endpoint is ready, and for how long it was not; shared by all providers that call it."""

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        super().__init__(clock, sleep)
        self.announced = False
        self._before = 0.0
        self._since = 0.0

    def begin(self, fault: EndpointFault, seconds: float) -> None:
        if self.fault is None:
            self._since = self.clock()
        super().begin(fault, seconds)

    def end(self) -> None:
        self._before = self.unready()
        super().end()

    def unready(self) -> float:
        """The seconds for which the endpoint has not been ready up to now, all told."""
        return self._before + (self.clock() - self._since if self.fault is not None else 0.0)


class WarmUp:
    """Holds calls back while their endpoint gets ready, `seconds` at most; with 0 it leaves that to the retries.

    A call that meets a LOADING fault asks again, alone, after 1, 2, 4 … 15 s, until the endpoint answers anything
    else. Its wait is `Timings.cold_start`, as is that of all who wait for it, and its attempts are all its own.
    After `seconds` all of them end in the fault, which is then retried by nobody. `notice` is told once for each
    endpoint when the waiting begins.
    """

    def __init__(self, inner: Invoke, readiness: Readiness, seconds: float, notice: Callable[[str], None]) -> None:
        self._inner = inner
        self._readiness = readiness
        self._seconds = seconds
        self._notice = notice

    async def __call__(self, request: Request) -> Answer:
        readiness, arrived = self._readiness, self._readiness.clock()
        if self._seconds <= 0:
            return await self._inner(request)
        visit = None
        if readiness.fault is None:
            try:
                return await self._inner(request)
            except EndpointFault as fault:
                if fault.retry is not Retry.LOADING:
                    raise
                visit = _Visit(arrived)
                self._met(fault, request, visit)
        return await self._waited(request, visit or _Visit(arrived))

    async def _waited(self, request: Request, visit: _Visit) -> Answer:
        readiness, answer = self._readiness, None
        until = readiness.clock() + self._seconds
        while answer is None:
            if readiness.clock() >= until:
                raise self._refusal(visit)
            async with readiness.line:
                if readiness.fault is not None:
                    answer = await self._probed(request, visit)
            if answer is None:
                answer = await self._asked(request, visit)
        return answer

    async def _probed(self, request: Request, visit: _Visit) -> Answer:
        """Asks until the endpoint answers anything else than that it is not ready; for the holder of the line."""
        readiness = self._readiness
        while not readiness.refuses:
            await readiness.turn()
            try:
                answer = await self._asked(request, visit)
            except EndpointFault:
                readiness.end()
                raise
            if answer is not None:
                readiness.end()
                return answer
            readiness.goes_on(visit.met)
        raise self._refusal(visit)

    async def _asked(self, request: Request, visit: _Visit) -> Answer | None:
        """One attempt; None where the endpoint is not ready."""
        began = self._readiness.clock()
        try:
            answer = await self._inner(request)
        except EndpointFault as fault:
            if fault.retry is not Retry.LOADING:
                visit.enter(fault, began)
                raise
            self._met(fault, request, visit)
            return None
        waited = visit.cold_start(began)
        answer = delayed(answer, queue=visit.queued, cold_start=waited)
        return replace(answer, attempts=answer.attempts + visit.attempts)

    def _met(self, fault: EndpointFault, request: Request, visit: _Visit) -> None:
        visit.add(fault)
        self._readiness.begin(fault, self._seconds)
        if not self._readiness.announced:
            self._readiness.announced = True
            self._notice(_announcement(fault, request, self._seconds))

    def _refusal(self, visit: _Visit) -> EndpointFault:
        """The end of a call that waited in vain: what the endpoint last said, to it or to another."""
        said = self._readiness.fault or visit.met
        fault = EndpointFault(
            f"{said.message} (waited {_in_words(self._seconds)} for it)",
            code=said.code,
            hint=said.hint,
            request_id=said.request_id,
            original_status=said.original_status,
        )
        fault.attempts = 0
        visit.enter(fault, self._readiness.clock())
        return fault


class _Visit:
    """One call's wait for its endpoint: since `arrived`, with so many attempts that found it not ready."""

    __slots__ = ("_met", "arrived", "attempts", "queued")

    def __init__(self, arrived: float) -> None:
        self.arrived = arrived
        self.attempts = 0
        self.queued = 0.0
        """Milliseconds that those attempts waited for their turn."""
        self._met: EndpointFault | None = None

    @property
    def met(self) -> EndpointFault:
        """The fault of the last attempt that found the endpoint not ready."""
        assert self._met is not None
        return self._met

    def add(self, fault: EndpointFault) -> None:
        self._met = fault
        self.attempts += fault.attempts
        self.queued += fault.queued

    def cold_start(self, until: float) -> float:
        """Milliseconds since the arrival that were spent on waiting for the endpoint, not for a turn."""
        return max(0.0, (until - self.arrived) * 1000 - self.queued)

    def enter(self, fault: EndpointFault, began: float) -> None:
        """Have a fault, whose own attempt began then, tell of what came before."""
        fault.cold_start += self.cold_start(began)
        fault.queued += self.queued
        fault.attempts += self.attempts


def _announcement(fault: EndpointFault, request: Request, seconds: float) -> str:
    state = "is scaled to zero" if _NO_INSTANCE.search(fault.message) else "is loading its model"
    return f"endpoint `{request.endpoint}` {state}: waiting up to {_in_words(seconds)}, asking once at a time"


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds:g} s"
