"""From the tree of a JavaScript pattern to a pattern of the `regex` package that finds a match in the same texts.

Only whether there is a match is kept, not where it lies. What differs between the two engines:

- a reference to a group that has captured nothing matches the empty text in JavaScript and fails in `regex`;
- each round of a repetition forgets in JavaScript what the groups inside captured in the round before;
- a round that matches nothing does not count in JavaScript once the least number of rounds is reached.

The first is translated. The others only show where a reference looks into a repetition; such a pattern is refused
unless every round is sure to set the group, and to match some text.
"""

from __future__ import annotations

from sagemaker_eval.assertions.regex.nodes import (
    Alternatives,
    Characters,
    Edge,
    Group,
    Look,
    Node,
    PatternError,
    Reference,
    Repeat,
    Sequence,
    children,
    paths,
)

_MAX_SIZE = 20_000
_WORD = "[0-9A-Za-z_]"
_BOUNDARY = f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))"
_EDGES = {"^": r"\A", "$": r"\Z", r"\b": _BOUNDARY, r"\B": f"(?!{_BOUNDARY})"}


def translate(tree: Node) -> str:
    """The pattern for `regex.compile`. Raises `PatternError` where there is none."""
    if _size(tree) > _MAX_SIZE:
        hint = f"all least numbers of rounds together may come to {_MAX_SIZE} characters; `{{0,n}}` has no limit"
        raise PatternError("the pattern repeats too much", hint)
    return _Translation(tree).text(tree)


class _Translation:
    """Knows what each reference of a tree can see."""

    def __init__(self, tree: Node) -> None:
        groups: dict[int, tuple[Node, ...]] = {}
        references: list[tuple[Reference, tuple[Node, ...]]] = []
        for path in paths(tree):
            match path[-1]:
                case Group(number):
                    groups[number] = path
                case Reference() as reference:
                    references.append((reference, path))
        self._sights = {id(reference): _sight(path, groups[reference.number]) for reference, path in references}
        self._named = {reference.number for reference, _ in references if self._sights[id(reference)]}

    def text(self, node: Node) -> str:
        """`node` as a pattern that may stand in a sequence."""
        match node:
            case Characters():
                return _characters(node)
            case Edge(sign):
                return _EDGES[sign]
            case Sequence(parts):
                return "".join(map(self.text, parts))
            case Alternatives(branches):
                return f"(?:{'|'.join(map(self.text, branches))})"
            case Group(number, body):
                return f"(?{f'P<g{number}>' if number in self._named else ':'}{self.text(body)})"
            case Reference():
                return self._sights[id(node)]
            case Look(body, behind, negated):
                return f"(?{'<' * behind}{'!' if negated else '='}{self.text(body)})"
            case Repeat():
                return self._repeat(node)

    def _repeat(self, node: Repeat) -> str:
        if _is_void(node):
            return ""
        body = f"(?:{self.text(node.body)})"
        if _consumes_nothing(node.body):
            return body
        most = "" if node.most is None else node.most
        return f"{body}{{{node.least},{most}}}{'?' * node.lazy}"


def _sight(reference: tuple[Node, ...], group: tuple[Node, ...]) -> str:
    """What a reference becomes, by the paths to it and to its group: nothing where it sees only an empty capture."""
    shared = sum(one is other for one, other in zip(reference, group, strict=False))
    below = group[shared:]
    if not _runs_before(group, reference, shared) or any(map(_forgets, below)):
        return ""
    target = group[-1]
    assert isinstance(target, Group)
    rounds = [index for index, node in enumerate(below) if _has_rounds(node)]
    stale = _may_be_skipped(below) and any(map(_has_rounds, group[:shared]))
    if stale or any(_may_be_skipped(below[index + 1 :]) or _may_be_empty(below[index + 1]) for index in rounds):
        message = f"`\\{target.number}` refers to a group that a round of a repetition may leave out or leave empty"
        raise PatternError(message, "what such a reference means is not worked out here; repeat the group instead")
    name = f"g{target.number}"
    return f"(?({name})(?P={name})|)" if _may_be_skipped(below) else f"(?P={name})"


def _runs_before(group: tuple[Node, ...], reference: tuple[Node, ...], shared: int) -> bool:
    """Whether a group is over when its reference is reached; behind a position, matching goes from right to left."""
    fork = group[shared - 1]
    if not isinstance(fork, Sequence) or shared >= len(group):
        return False
    looks = [node for node in group[:shared] if isinstance(node, Look)]
    backwards = bool(looks) and looks[-1].behind
    first = next(part for part in fork.parts if part is group[shared] or part is reference[shared])
    return (first is group[shared]) is not backwards


def _forgets(node: Node) -> bool:
    """Whether captures made inside a node are undone when it is left, or never made at all."""
    return (isinstance(node, Look) and node.negated) or (isinstance(node, Repeat) and _is_void(node))


def _is_void(node: Repeat) -> bool:
    """Whether a repetition comes to nothing: a round beyond the least number must match some text to count."""
    return node.most == 0 or (node.least == 0 and _consumes_nothing(node.body))


def _has_rounds(node: Node) -> bool:
    return isinstance(node, Repeat) and node.most != 1


def _may_be_skipped(path: tuple[Node, ...]) -> bool:
    """Whether a match can go past the end of a path without entering it."""
    return any(isinstance(node, Alternatives) or (isinstance(node, Repeat) and node.least == 0) for node in path)


def _consumes_nothing(node: Node) -> bool:
    """Whether a node can only ever match the empty text."""
    match node:
        case Characters() | Reference():
            return False
        case Edge() | Look():
            return True
        case Repeat(most=0):
            return True
        case _:
            return all(map(_consumes_nothing, children(node)))


def _may_be_empty(node: Node) -> bool:
    """Whether a node can match the empty text."""
    match node:
        case Characters():
            return False
        case Alternatives(branches):
            return any(map(_may_be_empty, branches))
        case Repeat(body, least):
            return least == 0 or _may_be_empty(body)
        case _:
            return all(map(_may_be_empty, children(node)))


def _size(node: Node) -> int:
    """How many characters a pattern has once the rounds that it must make are written out."""
    size = 1 + sum(map(_size, children(node)))
    return size * max(node.least, 1) if isinstance(node, Repeat) else size


def _characters(node: Characters) -> str:
    if not node.properties:
        if not node.ranges:
            return r"[\s\S]" if node.negated else "(?!)"
        if node.ranges == ((node.ranges[0][0], node.ranges[0][0]),) and not node.negated:
            return _character(node.ranges[0][0])
    members = [
        _character(first) if first == last else f"{_character(first)}-{_character(last)}" for first, last in node.ranges
    ]
    return f"[{'^' * node.negated}{''.join(members)}{''.join(node.properties)}]"


def _character(point: int) -> str:
    character = chr(point)
    if character.isalnum() and character.isascii():
        return character
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\U{point:08x}"
