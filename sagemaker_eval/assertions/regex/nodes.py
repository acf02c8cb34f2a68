"""What a JavaScript regular expression consists of, as a tree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

LAST_CODE_POINT = 0x10FFFF


class PatternError(ValueError):
    """A pattern that JavaScript would refuse, or whose meaning cannot be had here; `hint` says what to do."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of a set: sorted, separate ranges of code points, and Unicode properties as `\\p{…}`."""

    ranges: tuple[tuple[int, int], ...]
    properties: tuple[str, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """A condition on a position: `^`, `$`, `\\b` or `\\B`."""

    sign: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group; groups count from 1 in the order of their opening brackets."""

    number: int
    body: Node


@dataclass(frozen=True, slots=True)
class Reference:
    """What the group of that number captured, once more."""

    number: int


@dataclass(frozen=True, slots=True)
class Look:
    """A condition on the text ahead or behind."""

    body: Node
    behind: bool
    negated: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` is None for no limit."""

    body: Node
    least: int
    most: int | None
    lazy: bool


Node: TypeAlias = Characters | Edge | Sequence | Alternatives | Group | Reference | Look | Repeat


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node, in the order of the pattern."""
    match node:
        case Sequence(parts):
            return parts
        case Alternatives(branches):
            return branches
        case Group(body=body) | Look(body=body) | Repeat(body=body):
            return (body,)
        case _:
            return ()


def paths(root: Node) -> Iterator[tuple[Node, ...]]:
    """Every node of a tree, as the path that leads to it from the root."""
    waiting: list[tuple[Node, ...]] = [(root,)]
    while waiting:
        path = waiting.pop()
        yield path
        waiting += [(*path, child) for child in reversed(children(path[-1]))]


def merged(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The same set of code points as sorted ranges that neither overlap nor touch."""
    result: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if result and first <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(last, result[-1][1]))
        else:
            result.append((first, last))
    return tuple(result)


def complement(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """All other code points."""
    result: list[tuple[int, int]] = []
    start = 0
    for first, last in merged(ranges):
        if first > start:
            result.append((start, first - 1))
        start = last + 1
    return (*result, (start, LAST_CODE_POINT)) if start <= LAST_CODE_POINT else tuple(result)
