"""The first call to an endpoint goes alone, so that a wrong setup costs one call and is reported once."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from sagemaker_eval.calling.clock import Clock
from sagemaker_eval.errors import CaseError, EndpointFault, SetupError
from sagemaker_eval.model import Answer, Invoke, Request

UNREACHABLE = frozenset({"BadResponse", "ConnectTimeout", "ConnectionError", "DNSError", "ProxyError", "SSLError"})
"""Codes of the faults that say that there is no way to the endpoint, or that something else is at its end."""


class Gate:
    """What is known of one endpoint; shared by all providers that call it with the same setup.

    The gate opens when a call has come back with anything that the endpoint itself said, be it a refusal. Where the
    first call shows that none can succeed, the gate stays shut and `refusal` is what every other call gets.
    """

    def __init__(self, unreachable: frozenset[str] = UNREACHABLE) -> None:
        self.is_open = False
        self.refusal: SetupError | None = None
        self.line = asyncio.Lock()
        """Held by the call that is under way alone; the others stand in line behind it."""
        self._unreachable = unreachable

    async def try_alone(self, inner: Invoke, request: Request) -> Answer:
        """Makes the call that decides whether the gate opens. A call that is cancelled decides nothing."""
        try:
            answer = await inner(request)
        except SetupError as refusal:
            self.refusal = refusal
            raise
        except CaseError as error:
            if isinstance(error, EndpointFault) and error.code in self._unreachable:
                self.refusal = SetupError(error.message, error.hint)
                raise self.refusal from error
            self.is_open = True
            raise
        self.is_open = True
        return answer


class FirstAlone:
    """Holds calls back until one has proved that the endpoint answers; raises `SetupError` where it does not.

    The wait at the gate is counted as `Timings.queue`. Behind an open gate a call passes as if there were none.
    """

    def __init__(self, inner: Invoke, gate: Gate, clock: Clock = time.monotonic) -> None:
        self._inner = inner
        self._gate = gate
        self._clock = clock

    async def __call__(self, request: Request) -> Answer:
        if self._gate.is_open:
            return await self._inner(request)
        return await self._at_gate(request)

    async def _at_gate(self, request: Request) -> Answer:
        gate, arrived = self._gate, self._clock()
        async with gate.line:
            if gate.refusal is not None:
                raise gate.refusal
            if not gate.is_open:
                return await gate.try_alone(self._inner, request)
        waited = (self._clock() - arrived) * 1000
        answer = await self._inner(request)
        timings = answer.timings
        return replace(answer, timings=replace(timings, queue=timings.queue + waited, total=timings.total + waited))
