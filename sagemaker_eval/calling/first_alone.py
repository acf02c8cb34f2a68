"""The first call to an endpoint goes alone, so that a wrong setup costs one call and is reported once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from sagemaker_eval.calling.clock import Clock
from sagemaker_eval.calling.ledger import delayed
from sagemaker_eval.calling.warm_up import Readiness
from sagemaker_eval.errors import CaseError, EndpointFault, SetupError
from sagemaker_eval.model import Answer, Invoke, Request

UNREACHABLE = frozenset({"BadResponse", "ConnectTimeout", "ConnectionError", "DNSError", "ProxyError", "SSLError"})
"""Codes of the faults that say that there is no way to the endpoint, or that something else is at its end."""

Preflight: TypeAlias = Callable[[], Awaitable[SetupError | None]]
"""Looks at an endpoint before the first call to it: what makes every call hopeless, or None."""


class Gate:
    """What is known of one endpoint; shared by all providers that call it with the same setup.

    The gate opens when a call has come back with anything that the endpoint itself said, be it a refusal. Where the
    first call shows that none can succeed, the gate stays shut and `refusal` is what every other call gets.
    `preflight` runs once, before the first call that is made.
    """

    def __init__(self, unreachable: frozenset[str] = UNREACHABLE, preflight: Preflight | None = None) -> None:
        self.is_open = False
        self.preflight = preflight
        self.refusal: SetupError | None = None
        self.line = asyncio.Lock()
        """Held by the call that is under way alone; the others stand in line behind it."""
        self._unreachable = unreachable

    async def try_alone(self, inner: Invoke, request: Request) -> Answer:
        """Makes the call that decides whether the gate opens. One that is cancelled or never sent decides nothing."""
        try:
            answer = await inner(request)
        except SetupError as refusal:
            self.refusal = refusal
            raise
        except CaseError as error:
            if isinstance(error, EndpointFault) and error.code in self._unreachable:
                self.refusal = SetupError(error.message, error.hint)
                raise self.refusal from error
            self.is_open = not isinstance(error, EndpointFault) or error.attempts > 0
            raise
        self.is_open = True
        return answer

    async def look_ahead(self) -> None:
        """Runs the preflight, where there is one that has not come to its end yet. Raises what it refuses with."""
        if self.preflight is None:
            return
        try:
            self.refusal = await self.preflight()
        except SetupError as refusal:
            self.refusal = refusal
        self.preflight = None
        if self.refusal is not None:
            raise self.refusal


class FirstAlone:
    """Holds calls back until one has proved that the endpoint answers; raises `SetupError` where it does not.

    The wait at the gate is queue, except for the time in which the first call waited for an endpoint that was not
    ready: that is a cold start for all. Behind an open gate a call passes as if there were none.
    """

    def __init__(
        self, inner: Invoke, gate: Gate, clock: Clock = time.monotonic, readiness: Readiness | None = None
    ) -> None:
        self._inner = inner
        self._gate = gate
        self._clock = clock
        self._readiness = readiness

    async def __call__(self, request: Request) -> Answer:
        if self._gate.is_open:
            return await self._inner(request)
        return await self._at_gate(request)

    async def _at_gate(self, request: Request) -> Answer:
        gate, arrived, unready = self._gate, self._clock(), self._unready()
        async with gate.line:
            if gate.refusal is not None:
                raise gate.refusal
            if not gate.is_open:
                await gate.look_ahead()
                waited, cold = self._clock() - arrived, self._unready() - unready
                answer = await gate.try_alone(self._inner, request)
                return self._after(answer, waited, cold)
        waited, cold = self._clock() - arrived, self._unready() - unready
        return self._after(await self._inner(request), waited, cold)

    def _unready(self) -> float:
        return 0.0 if self._readiness is None else self._readiness.unready()

    def _after(self, answer: Answer, waited: float, cold: float) -> Answer:
        """`answer` after a wait of so many seconds, some of which were the endpoint's cold start."""
        cold_start = min(cold, waited) * 1000
        return delayed(answer, queue=waited * 1000 - cold_start, cold_start=cold_start)
