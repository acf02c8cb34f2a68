"""Ctrl-C and SIGTERM during a run: what is done when one comes depends on what is going on."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from sagemaker_eval.cli.exit_codes import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def leave_at_once(number: int, frame: FrameType | None) -> None:
    """Ctrl-C before a run: nothing was sent, so nothing has to be kept.

    A KeyboardInterrupt would not do: raised in a callback while modules are loading, Python drops it.
    """
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


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
            signal.signal(number, signal.default_int_handler if handler is leave_at_once else handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.react is not None:
            self.react()
        elif self.deferred:
            raise KeyboardInterrupt
        else:
            self.deferred = True
            self._defer()
