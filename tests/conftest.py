"""A loop on which time passes at once: `asyncio.sleep` and the loop's clock agree, and nobody waits."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

import pytest


class LeapingSelector(selectors.DefaultSelector):
    """Instead of waiting for a timer, moves the clock on to it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everybody waits and nothing is due: a deadlock")
        self.now += max(0.0, timeout)
        return super().select(0)


class LeapingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = LeapingSelector()
        super().__init__(self._clock)

    def time(self) -> float:
        return self._clock.now


@pytest.fixture(scope="session")
def run() -> Callable[[Coroutine[Any, Any, None]], None]:
    """Runs the coroutine of a test to its end, on a clock that begins at 0."""

    def run_to_end(coroutine: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=LeapingLoop) as runner:
            runner.run(coroutine)

    return run_to_end
