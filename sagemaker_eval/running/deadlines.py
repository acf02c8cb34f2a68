"""How long a case may take, and how long the whole run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from sagemaker_eval.errors import CaseError, LimitReached

CASE_TIMEOUT = "CaseTimeout"
MAX_TIME = "MaxTime"


@dataclass(frozen=True, slots=True)
class TimeLimit:
    """A limit that the user set, and what the user set it with."""

    seconds: float
    source: str

    def __str__(self) -> str:
        return f"{in_words(self.seconds)} (`{self.source}`)"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """`case`: answering and judging one case; `run`: all cases. None: as long as it takes."""

    case: TimeLimit | None = None
    run: TimeLimit | None = None


class OutOfTime(CaseError):
    """A case was cut short. `code` says by which limit: `CASE_TIMEOUT` or `MAX_TIME`."""

    kind = "timeout"

    def __init__(self, message: str, code: str, hint: str) -> None:
        super().__init__(message, hint)
        self.code = code


class Deadlines:
    """The limits of a run as moments of the event loop's clock. `start` begins the run's time."""

    def __init__(self, limits: TimeLimits) -> None:
        self._limits = limits
        self.run_ends: float | None = None
        """When the run's time is used up; None: never, or the run has not started."""

    def start(self) -> None:
        """To be called once, inside the event loop."""
        if self._limits.run is not None:
            self.run_ends = asyncio.get_running_loop().time() + self._limits.run.seconds

    @property
    def passed(self) -> bool:
        """Whether the run's time is used up."""
        return self.run_ends is not None and asyncio.get_running_loop().time() >= self.run_ends

    def of_case(self) -> AbstractAsyncContextManager[None]:
        """Cancels what is done inside once the case or the run has no time left, and raises `OutOfTime` for it."""
        return nullcontext() if self._limits.case is None and self.run_ends is None else self._limited()

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        case, moments = self._limits.case, []
        if case is not None:
            moments.append(asyncio.get_running_loop().time() + case.seconds)
        if self.run_ends is not None:
            moments.append(self.run_ends)
        until = min(moments)
        try:
            async with asyncio.timeout_at(until) as scope:
                yield
        except TimeoutError:
            if not scope.expired():
                raise
            raise self._cut_short(by_run=until == self.run_ends) from None

    def _cut_short(self, *, by_run: bool) -> OutOfTime:
        if by_run:
            return OutOfTime(
                f"cut short: the run reached its limit of {self._limits.run}",
                MAX_TIME,
                "`--retry-errors` runs it again, with what the run never came to",
            )
        return OutOfTime(
            f"timed out after {self._limits.case}",
            CASE_TIMEOUT,
            "allow a case more time, or find out what takes so long: the limit is for answering and judging, waiting "
            "and retrying included",
        )

    def limit_reached(self) -> LimitReached:
        """Why the run ends once its time is used up."""
        return LimitReached(
            f"the run reached its limit of {self._limits.run}",
            "allow it more time; `--retry-errors` also runs the cases again that were cut short",
        )


def in_words(seconds: float) -> str:
    """`0.5 s`, `90 s`, `15 min`, `2 h`: as the user wrote it, in the largest unit that has no fraction."""
    for unit, size in (("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"
