"""What every template can name besides its variables."""

from __future__ import annotations

from collections.abc import Mapping

from jinja2.sandbox import MAX_RANGE, safe_range
from jinja2.utils import Cycler

from sagemaker_eval.errors import RenderError
from sagemaker_eval.text.templating.javascript_values import to_number


class Environ:
    """The environment variables, to be looked up one by one and never printed as a whole."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values


class NunjucksCycler(Cycler):
    """A cycler whose `current` is what `next` gave last, and nothing before that."""

    _last: object = None

    def next(self) -> object:
        self._last = self.items[self.pos]
        self.pos = (self.pos + 1) % len(self.items)
        return self._last

    def reset(self) -> None:
        super().reset()
        self._last = None

    @property
    def current(self) -> object:
        return self._last


def whole_range(*bounds: object) -> list[int]:
    """`range`: the numbers from, to and by. Raises `RenderError` for more than a template may make."""
    try:
        return list(safe_range(*(int(to_number(bound)) for bound in bounds)))
    except OverflowError:
        raise RenderError(f"`range` goes up to {MAX_RANGE} items") from None
