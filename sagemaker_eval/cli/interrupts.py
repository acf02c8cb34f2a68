"""Ctrl-C and SIGTERM during a run: what is done when one comes depends on what is going on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """A context in which signals are answered by `react`, and where that is None by `defer`, once.

    A second signal without a reaction raises KeyboardInterrupt, so that nothing can hold the user up for good.
    Outside the main thread, where signals never arrive, it does nothing.
    """

    def __init__(self, defer: Callable[[], None]) -> None:
        self.react: Callable[[], object] | None = None
        self.deferred = False
        self._defer = defer
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.react is not None:
            self.react()
        elif self.deferred:
            raise KeyboardInterrupt
        else:
            self.deferred = True
            self._defer()
