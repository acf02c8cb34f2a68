"""The syntax of JavaScript regular expressions: from a pattern to a tree of nodes.

ECMA-262 §22.2.1, and without the `u` flag its Annex B.1.2, where nearly every stray character is a literal.
`unicode` is that flag: schemas have it, the `regex` assertion does not.
"""

from __future__ import annotations

import re

from sagemaker_eval.assertions.regex.escapes import Escapes
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
    complement,
    merged,
)

_QUANTIFIER = re.compile(r"([*+?]|\{([0-9]+)(,([0-9]*))?\})(\??)")
_GROUP_OR_SKIPPED = re.compile(r"\\.|\[(?:\\.|[^\]\\])*\]?|\((?!\?)|\(\?<(?![=!])([^>]*)>", re.DOTALL)
_OPENING = re.compile(r"\((?:\?(?::|=|!|<=|<!|<(?P<name>[^>]*)>))?")
_LOOKS = {"(?=": (False, False), "(?!": (False, True), "(?<=": (True, False), "(?<!": (True, True)}
_LINE_ENDS = ((0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029))
_MAX_NESTING = 80


def parse(source: str, unicode: bool = False) -> Node:
    """The tree of a pattern. Raises `PatternError` for what is no JavaScript."""
    return _Parser(source, unicode).parse()


class _Parser:
    """One pass over a pattern, left to right."""

    def __init__(self, source: str, unicode: bool) -> None:
        self._source = source
        self._position = 0
        self._unicode = unicode
        self._depth = 0
        self._opened = 0
        self._names = self._find_groups()
        self._escapes = Escapes(unicode, bool(self._names))

    def _find_groups(self) -> dict[str, int]:
        """Count the groups and number the named ones: a reference may stand before its group."""
        names: dict[str, int] = {}
        self._groups = 0
        for found in _GROUP_OR_SKIPPED.finditer(self._source):
            if not found.group().startswith("("):
                continue
            self._groups += 1
            if (name := found.group(1)) is not None:
                self._check_name(name)
                if name in names:
                    raise PatternError(f"two groups are called `{name}`", "give each group a name of its own")
                names[name] = self._groups
        return names

    def _check_name(self, name: str) -> None:
        if not re.sub(r"[$\u200c\u200d]", "_", name).isidentifier():
            raise PatternError(f"`{name}` cannot be the name of a group")

    def parse(self) -> Node:
        tree = self._alternatives()
        if self._position < len(self._source):
            raise self._error("`)` closes nothing", "write `\\)` for the character itself")
        return tree

    def _alternatives(self) -> Node:
        self._depth += 1
        if self._depth > _MAX_NESTING:
            raise self._error(f"groups are nested more than {_MAX_NESTING} deep")
        branches = [self._sequence()]
        while self._skip("|"):
            branches.append(self._sequence())
        self._depth -= 1
        return branches[0] if len(branches) == 1 else Alternatives(tuple(branches))

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._position < len(self._source) and self._source[self._position] not in "|)":
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _term(self) -> Node:
        start = self._position
        atom = self._atom()
        found = _QUANTIFIER.match(self._source, self._position)
        if found is None:
            return atom
        if isinstance(atom, Edge) or (isinstance(atom, Look) and (atom.behind or self._unicode)):
            what = self._source[start : self._position]
            raise self._error(f"`{found[1]}` has nothing to repeat: `{what}` matches a position, not text")
        self._position = found.end()
        return self._repeat(atom, found)

    def _repeat(self, atom: Node, found: re.Match[str]) -> Node:
        sign, least, comma, most, lazy = found.groups()
        if not least:
            return Repeat(atom, int(sign == "+"), 1 if sign == "?" else None, bool(lazy))
        low, high = _count(least), _count(most) if most else None
        if comma is None:
            high = low
        if high is not None and high < low:
            raise self._error(f"the numbers of `{sign}` are out of order")
        return Repeat(atom, low, high, bool(lazy))

    def _atom(self) -> Node:
        character = self._source[self._position]
        if character == "(":
            return self._group()
        if character == "\\":
            return self._escape()
        if character == "[":
            return self._character_class()
        if character in "*+?" or (character == "{" and _QUANTIFIER.match(self._source, self._position)):
            raise self._nothing_to_repeat()
        if self._unicode and character in "{}]":
            raise self._error(f"`{character}` stands alone", f"write `\\{character}` for the character itself")
        self._position += 1
        if character in "^$":
            return Edge(character)
        return Characters(complement(_LINE_ENDS)) if character == "." else _one(character)

    def _nothing_to_repeat(self) -> PatternError:
        character = self._source[self._position]
        before = self._source[self._position - 1 : self._position]
        if character == "+" and before and before in "*+?}":
            return self._error("`+` has nothing to repeat", "possessive quantifiers such as `a++` are not JavaScript")
        return self._error(f"`{character}` has nothing to repeat", f"write `\\{character}` for the character itself")

    def _group(self) -> Node:
        found = _OPENING.match(self._source, self._position)
        assert found is not None
        opening = found.group()
        if opening == "(" and self._source.startswith("(?", self._position):
            raise self._unknown_group()
        self._position = found.end()
        number = 0
        if opening == "(" or found["name"] is not None:
            self._opened += 1
            number = self._opened
        body = self._alternatives()
        if not self._skip(")"):
            raise self._error("`(` is never closed", "write `\\(` for the character itself")
        if opening in _LOOKS:
            return Look(body, *_LOOKS[opening])
        # A group of its own even where it captures nothing, so that a quantifier takes hold of all of it.
        return Group(number, body) if number else Sequence((body,))

    def _unknown_group(self) -> PatternError:
        written = re.match(r"\(\?[^:)]*[:)]?|.+", self._source[self._position :], re.DOTALL)
        text = written.group()[:12] if written else "(?"
        if re.match(r"\(\?[a-zA-Z-]+[:)]", text):
            hint = "inline flags do not work here; use `icontains`, or spell both cases: `[Yy]es`"
        elif text.startswith("(?P"):
            hint = "JavaScript writes a named group `(?<name>…)` and refers to it as `\\k<name>`"
        elif text.startswith("(?>"):
            hint = "JavaScript has no atomic groups; use `(?:…)`"
        else:
            hint = "write `\\(` for the character itself"
        return self._error(f"`{text}` does not begin a group of JavaScript", hint)

    def _escape(self) -> Node:
        found = self._escapes.read(self._source, self._position, in_class=False)
        self._position = found.end
        if found.edge is not None:
            return Edge(found.edge)
        if found.name is not None:
            if found.name not in self._names:
                raise self._error(f"no group is called `{found.name}`")
            return Reference(self._names[found.name])
        if found.number is not None:
            return self._numbered(found.number)
        return found.characters

    def _numbered(self, digits: str) -> Node:
        """A reference where there are that many groups, else an octal code or the digit itself."""
        if _count(digits) <= self._groups:
            return Reference(int(digits))
        if self._unicode:
            raise self._error(f"`\\{digits}` refers to a group that is not there")
        self._position -= len(digits)
        octal = re.compile(r"[0-3][0-7]{0,2}|[4-7][0-7]?").match(self._source, self._position)
        text = octal.group() if octal else digits[0]
        self._position += len(text)
        return _one(chr(int(text, 8)) if octal else text)

    def _character_class(self) -> Node:
        opened = self._position
        self._position += 1
        negated = self._skip("^")
        ranges: list[tuple[int, int]] = []
        properties: list[str] = []
        while not self._skip("]"):
            if self._position >= len(self._source):
                self._position = opened
                raise self._error("`[` is never closed", "write `\\[` for the character itself")
            for member in self._class_range():
                ranges += member.ranges
                properties += member.properties
        return Characters(merged(ranges), tuple(properties), negated)

    def _class_range(self) -> list[Characters]:
        """One member of a class, or a range with both its ends."""
        start = self._position
        first = self._class_atom()
        after = self._source[self._position + 1 : self._position + 2]
        if not self._source.startswith("-", self._position) or after in ("]", ""):
            return [first]
        self._position += 1
        last = self._class_atom()
        low, high = _single(first), _single(last)
        written = self._source[start : self._position]
        if low is None or high is None:
            if self._unicode:
                raise self._error(f"`{written}` is no range of characters", "put `-` last in the class")
            return [first, _one("-"), last]
        if low > high:
            raise self._error(f"the range `{written}` is out of order")
        return [Characters(((low, high),))]

    def _class_atom(self) -> Characters:
        if self._source[self._position] != "\\":
            self._position += 1
            return _one(self._source[self._position - 1])
        found = self._escapes.read(self._source, self._position, in_class=True)
        self._position = found.end
        return found.characters

    def _skip(self, character: str) -> bool:
        if not self._source.startswith(character, self._position):
            return False
        self._position += 1
        return True

    def _error(self, message: str, hint: str | None = None) -> PatternError:
        return PatternError(f"{message} (at character {self._position + 1})", hint)


def _one(character: str) -> Characters:
    return Characters(((ord(character), ord(character)),))


def _single(characters: Characters) -> int | None:
    """The code point of a set that was written as one character."""
    if characters.properties or len(characters.ranges) != 1:
        return None
    first, last = characters.ranges[0]
    return first if first == last else None


def _count(digits: str) -> int:
    """A number of repetitions; what is beyond all counting is cut down, since it may have thousands of digits."""
    return int(digits) if len(digits) < 10 else 10**9
