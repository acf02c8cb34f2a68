"""Going on after a problem, so that the user hears of all of them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Place

T = TypeVar("T")
Item = TypeVar("Item")


class Problems:
    """The problems found so far, each once."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}

    def add(self, message: str, where: Place | None = None, hint: str | None = None) -> None:
        self.keep(Problem(message, where, hint))

    def keep(self, problem: Problem) -> None:
        self._found[problem] = None

    def attempt(self, build: Callable[[], T]) -> T | None:
        """The result of `build`; where it raised a `ConfigError`, whose problems are kept, what is usable of it."""
        try:
            return build()
        except ConfigError as error:
            self._found.update(dict.fromkeys(error.problems))
            usable: T | None = error.usable
            return usable

    def attempt_each(self, items: Iterable[Item], build: Callable[[Item], T]) -> list[T]:
        """The results of `build` for the items that it accepts; of the others, the problems and what is usable."""
        built: list[T] = []
        for item in items:
            try:
                built.append(build(item))
            except ConfigError as error:
                self._found.update(dict.fromkeys(error.problems))
                if error.usable is not None:
                    built.append(error.usable)
        return built

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self, usable: object = None) -> None:
        """Raise everything found as one `ConfigError` that carries `usable`; nothing where nothing was found."""
        if self._found:
            raise ConfigError(self._found, usable)
