"""What a run uses of each endpoint, and the limits that the user set for the run as a whole."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sagemaker_eval.calling.clock import Clock
from sagemaker_eval.errors import LimitReached
from sagemaker_eval.model import Answer, Invoke, Request


@dataclass(slots=True)
class Meter:
    """The use of one endpoint: real calls, and when the first began and the last ended, in seconds.

    `hourly_usd` is what an hour of all its instances costs, None where that is not known.
    """

    endpoint: str
    calls: int = 0
    began: float | None = None
    ended: float = 0.0
    hourly_usd: float | None = None

    @property
    def seconds(self) -> float:
        """From the first call's start to the last one's end."""
        return 0.0 if self.began is None else self.ended - self.began

    def dollars_at(self, now: float) -> float:
        """What the endpoint has cost since the first call, were it still in use."""
        if self.began is None or self.hourly_usd is None:
            return 0.0
        return (now - self.began) * self.hourly_usd / 3600


@dataclass(slots=True)
class Budget:
    """The limits of a run, over all its endpoints: real calls (graders' and retries included), and US dollars."""

    max_calls: int | None = None
    max_cost: float | None = None
    meters: list[Meter] = field(default_factory=list)
    calls: int = 0

    def spend(self, now: float) -> None:
        """Count a call that is about to be made. Raises `LimitReached` where the run may make none."""
        if self.max_calls is not None and self.calls >= self.max_calls:
            raise LimitReached(
                f"the run has made the {self.max_calls:,} calls that `--max-calls` allows",
                "raise the limit; what was answered is kept",
            )
        if self.max_cost is not None:
            cost = sum(meter.dollars_at(now) for meter in self.meters)
            if cost >= self.max_cost:
                raise LimitReached(
                    f"the endpoints have cost ${cost:,.4f}, and `--max-cost` allows ${self.max_cost:,.4f}",
                    "raise the limit; what was answered is kept",
                )
        self.calls += 1


class Counted:
    """Counts every real call on its endpoint's meter, within the budget of the run."""

    def __init__(self, inner: Invoke, meter: Meter, budget: Budget, clock: Clock = time.monotonic) -> None:
        self._inner = inner
        self._meter = meter
        self._budget = budget
        self._clock: Callable[[], float] = clock

    async def __call__(self, request: Request) -> Answer:
        meter, now = self._meter, self._clock()
        self._budget.spend(now)
        meter.calls += 1
        if meter.began is None:
            meter.began = now
        try:
            return await self._inner(request)
        finally:
            meter.ended = self._clock()
