"""Where the values and the keys of a YAML document stand, through its aliases and merge keys."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

Pointer = tuple[str | int, ...]
Mark = tuple[int, int]

MERGE_KEY = "<<"


@dataclass(frozen=True, slots=True)
class Places:
    """Line and column, both from 1, of the values of a document and of the keys they stand under, by pointer.

    Pointers are those of the text: what an alias or a merge key brings in has no place but where it is written.
    `aliases` leads from each alias to the value that it stands for.
    """

    values: dict[Pointer, Mark] = field(default_factory=dict)
    keys: dict[Pointer, Mark] = field(default_factory=dict)
    aliases: dict[Pointer, Pointer] = field(default_factory=dict)

    def written(self, pointer: Pointer) -> Pointer:
        """Where the text has the value that `pointer` leads to in the document. An alias at its very end stays.

        A pointer that leads nowhere comes back from its first wrong step on.
        """
        at: Pointer = ()
        for number, step in enumerate(pointer):
            found = self._member(self.aliases.get(at, at), step)
            if found is None:
                return at + pointer[number:]
            at = found
        return at

    def _member(self, at: Pointer, step: str | int) -> Pointer | None:
        """The member of a list or a map, which may come out of a merge key."""
        if (*at, step) in self.values:
            return (*at, step)
        found = (self._member(source, step) for source in self._merged_into(at))
        return next((member for member in found if member is not None), None)

    def _merged_into(self, at: Pointer) -> Iterator[Pointer]:
        """The maps that the merge key of a map brings in: one, or those of a list."""
        key = (*at, MERGE_KEY)
        if key not in self.values:
            return
        yield self.aliases.get(key, key)
        for number in itertools.count():
            item = (*key, number)
            if item not in self.values:
                return
            yield self.aliases.get(item, item)
