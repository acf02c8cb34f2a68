"""Notes to the user, each said once, above whatever progress is being shown."""

from __future__ import annotations

from collections.abc import Callable

from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.streams import stderr
from sagemaker_eval.reporting.messages import print_notice


class Notices:
    """A callable that takes a message. `sink`, where set, shows it (a progress display does so above its bar)."""

    def __init__(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._said: set[str] = set()
        self.sink: Callable[[str], None] | None = None

    def __call__(self, message: str) -> None:
        message = self._scrubber.text(message)
        if message in self._said:
            return
        self._said.add(message)
        if self.sink is not None:
            self.sink(message)
        else:
            print_notice(stderr(), message)
