"""A word to the user when nothing has finished for a while: what is in flight, and since when."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sagemaker_eval.model import Case, ProviderSpec

FIRST_SILENCE = 60.0
"""Seconds without a finished case until the first word; each further silence is twice as long."""

ANSWERING = "waiting for an answer"
_SHOWN = 3
_LONGEST_NAME = 60


@dataclass(slots=True)
class _InFlight:
    case: Case
    since: float
    doing: str = ANSWERING


class Watchdog:
    """Knows the cases in flight, and tells `notice` of the longest when none has finished for long.

    `clock` and `sleep` are in seconds. `waiting_for` may know what the calls to a provider are waiting for.
    """

    def __init__(
        self,
        notice: Callable[[str], None],
        waiting_for: Callable[[ProviderSpec], str | None] = lambda spec: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._notice = notice
        self._waiting_for = waiting_for
        self._clock = clock
        self._sleep = sleep
        self._in_flight: dict[int, _InFlight] = {}
        self._quiet_since = clock()
        self._silence = FIRST_SILENCE

    def enter(self, case: Case) -> None:
        """A case is being carried out from now on."""
        self._in_flight[case.index] = _InFlight(case, self._clock())

    def step(self, case: Case, doing: str) -> None:
        """What the case is at now, in words that follow its name."""
        self._in_flight[case.index].doing = doing

    def leave(self, case: Case) -> None:
        """A case is over."""
        del self._in_flight[case.index]
        self._quiet_since = self._clock()
        self._silence = FIRST_SILENCE

    async def watch(self) -> None:
        """Look whenever a silence may have lasted too long, until cancelled."""
        while True:
            await self._sleep(self.look())

    def look(self) -> float:
        """Break a silence that has lasted too long. Returns the seconds until the next look."""
        now = self._clock()
        quiet = now - self._quiet_since
        if quiet >= self._silence:
            if self._in_flight:
                self._notice(self._told(now, quiet))
            self._silence *= 2
        return self._quiet_since + self._silence - now

    def _told(self, now: float, quiet: float) -> str:
        longest = sorted(self._in_flight.values(), key=lambda one: one.since)
        told = [self._one(one, now) for one in longest[:_SHOWN]]
        if len(longest) > _SHOWN:
            told.append(f"{len(longest) - _SHOWN} more")
        return f"nothing has finished for {quiet:.0f} s; in flight: {'; '.join(told)}"

    def _one(self, one: _InFlight, now: float) -> str:
        case, doing = one.case, one.doing
        spec = case.row.test.provider or case.column.provider
        if doing == ANSWERING:
            doing = self._waiting_for(spec) or doing
        return f"{case.column.provider.name}, {_name(case)}, for {now - one.since:.0f} s, {doing}"


def _name(case: Case) -> str:
    """`test 3`, `test 3 (its description)`; tests are counted from 0, as `testIdx` does."""
    description = " ".join((case.row.test.description or "").split())
    if len(description) > _LONGEST_NAME:
        description = f"{description[: _LONGEST_NAME - 1]}…"
    return f"test {case.row.index} ({description})" if description else f"test {case.row.index}"
