"""A spell in which an endpoint cannot answer: one call at a time asks, the others wait for what it finds."""

from __future__ import annotations

import asyncio
import time

from sagemaker_eval.calling.clock import Clock, Sleep
from sagemaker_eval.errors import EndpointFault, Retry

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 15.0
"""Seconds before the first question, doubled from one to the next, and the most that they become."""

ASK_AGAIN_AFTER = 30.0
"""Seconds between questions to an endpoint that was given up."""


class Outage:
    """What is known of one endpoint, which may be up or down; shared by all who call it.

    Down, it may be asked by the holder of `line` when `turn` has come back. When the time set by `begin` is over,
    the endpoint is given up: nobody waits any more, and one call in 30 s is let through to ask.
    """

    def __init__(self, clock: Clock = time.monotonic, sleep: Sleep = asyncio.sleep) -> None:
        self.line = asyncio.Lock()
        """Held by the call that asks; the others stand in line behind it."""
        self.fault: EndpointFault | None = None
        """The last answer of an endpoint that is down; None while it is up."""
        self.given_up = False
        self.clock = clock
        self._sleep = sleep
        self._deadline = 0.0
        self._pauses_left = 0.0
        self._pause = FIRST_PAUSE
        self._asked = 0.0

    def begin(self, fault: EndpointFault, seconds: float) -> None:
        """The endpoint has gone down, and is to be waited for so long. Down already, it stays so."""
        if self.fault is None:
            self.fault = _kept(fault)
            self.given_up = False
            self._deadline = self.clock() + seconds
            self._pauses_left = seconds
            self._pause = FIRST_PAUSE

    def goes_on(self, fault: EndpointFault) -> None:
        """The endpoint was asked and is still down."""
        self.fault = _kept(fault)
        self._asked = self.clock()
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self.given_up = self._asked >= self._deadline or self._pauses_left <= 0

    def end(self) -> None:
        """The endpoint is up."""
        self.fault = None
        self.given_up = False

    @property
    def refuses(self) -> bool:
        """Whether the endpoint was given up and is not to be asked again yet."""
        return self.given_up and self.clock() < self._asked + ASK_AGAIN_AFTER

    async def turn(self) -> None:
        """Returns when the holder of `line` may ask: after a pause, or at once where the endpoint was given up."""
        if not self.given_up:
            pause = max(0.0, min(self._pause, self._pauses_left, self._deadline - self.clock()))
            await self._sleep(pause)
            self._pauses_left -= pause


def _kept(fault: EndpointFault) -> EndpointFault:
    """A copy that stays as it is when the fault is worded further on its way out."""
    return EndpointFault(
        fault.message,
        code=fault.code,
        retry=Retry.NEVER,
        hint=fault.hint,
        request_id=fault.request_id,
        original_status=fault.original_status,
    )
