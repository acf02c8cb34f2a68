"""A registry: names to implementations, filled by a decorator, asked by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class UnknownName(KeyError):
    """A name that no implementation carries; `nearest` is the most similar one, if any is similar."""

    def __init__(self, what: str, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.what = what
        self.name = name
        self.known = known
        self.nearest = nearest_name(name, known)


def nearest_name(name: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known name most similar to `name`, or None where none is similar enough to suggest."""
    matches = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


class Registry(Generic[T]):
    """Implementations of one extension point, by name.

    `what` is the singular noun that messages use ("assertion", "model type").
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that files an implementation under `name`. Raises ValueError where the name is taken."""

        def file(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"{self.what} {name!r} is registered twice")
            self._entries[name] = entry
            return entry

        return file

    def get(self, name: str) -> T:
        """The implementation called `name`. Raises `UnknownName`, which carries the nearest known name."""
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownName(self.what, name, self.names()) from None

    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._entries))

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Forgets at the end of the block what was registered within it."""
        before = dict(self._entries)
        try:
            yield
        finally:
            self._entries = before

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())
