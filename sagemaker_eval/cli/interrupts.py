"""Ctrl-C and SIGTERM during a run: what is done when one comes depends on what is going on."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from sagemaker_eval.cli.exit_codes import INTERRUPTED

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_MOST_REACTIONS = 2
"""A run is asked to stop, then to drop what is in flight; code of the user may keep it from doing either."""


def leave_at_once(number: int, frame: FrameType | None) -> None:
    """Ctrl-C before a run: nothing was sent, so nothing has to be kept.

    A KeyboardInterrupt would not do: raised in a callback while modules are loading, Python drops it.
    """
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


class Interrupts:
    """A context in which signals are answered by `react`, twice, and where that is None by `defer`, once.

    The signal after these raises KeyboardInterrupt, and one more after `react` ends the process, so that nothing can
    hold the user up for good. Outside the main thread, where signals never arrive, it does nothing.
    """

    def __init__(self, defer: Callable[[], None]) -> None:
        self.react: Callable[[], object] | None = None
        self.deferred = False
        self._defer = defer
        self._reactions = 0
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
        if kind is KeyboardInterrupt:
            sys.stderr.write("interrupted before the results were written\n")

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.react is not None:
            self._react(self.react, number, frame)
        elif self.deferred:
            raise KeyboardInterrupt
        else:
            self.deferred = True
            self._defer()

    def _react(self, react: Callable[[], object], number: int, frame: FrameType | None) -> None:
        self._reactions += 1
        if self._reactions <= _MOST_REACTIONS:
            react()
        elif self._reactions == _MOST_REACTIONS + 1:
            raise KeyboardInterrupt
        else:
            leave_at_once(number, frame)
