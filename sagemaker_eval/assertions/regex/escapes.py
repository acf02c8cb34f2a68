"""What a backslash means in a JavaScript regular expression (ECMA-262 §22.2.1 and Annex B.1.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sagemaker_eval.assertions.regex.nodes import Characters, PatternError, complement

_DIGITS = ((0x30, 0x39),)
_WORD = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACES = (
    (0x09, 0x0D),
    (0x20, 0x20),
    (0xA0, 0xA0),
    (0x1680, 0x1680),
    (0x2000, 0x200A),
    (0x2028, 0x2029),
    (0x202F, 0x202F),
    (0x205F, 0x205F),
    (0x3000, 0x3000),
    (0xFEFF, 0xFEFF),
)
_SETS = {
    "d": _DIGITS,
    "w": _WORD,
    "s": _SPACES,
    "D": complement(_DIGITS),
    "W": complement(_WORD),
    "S": complement(_SPACES),
}
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_SYNTAX = frozenset("^$\\.*+?()[]{}|/")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})")
_UNIT = re.compile(r"u([0-9A-Fa-f]{4})")
_PAIR = re.compile(r"u([dD][89aAbB][0-9A-Fa-f]{2})\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_CODE_POINT = re.compile(r"u\{([0-9A-Fa-f]+)\}")
_PROPERTY = re.compile(r"[pP]\{([A-Za-z_]+=)?([A-Z][A-Za-z0-9_]*|punct|digit|cntrl)\}")
_ENUMERATED = ("", "General_Category=", "gc=", "Script=", "sc=", "Script_Extensions=", "scx=")


@dataclass(frozen=True, slots=True)
class Escape:
    """One escape that ends before `end`: an edge, a reference by name or by its digits, else a set of characters."""

    end: int
    characters: Characters = field(default=Characters(()))
    edge: str | None = None
    name: str | None = None
    number: str | None = None


class Escapes:
    """Reads escapes. `unicode` is the `u` flag; `named` says that the pattern has named groups, which `\\k` needs."""

    def __init__(self, unicode: bool, named: bool) -> None:
        self._unicode = unicode
        self._named = named or unicode

    def read(self, source: str, position: int, in_class: bool) -> Escape:
        """The escape whose backslash stands at `position`. Raises `PatternError`."""
        start = position + 1
        letter = source[start : start + 1]
        if not letter:
            raise PatternError("`\\` at the end of the pattern", "write `\\\\` for the character itself")
        if letter in _SETS:
            return Escape(start + 1, Characters(_SETS[letter]))
        if letter in "bB" and not in_class:
            return Escape(start + 1, edge=f"\\{letter}")
        if letter in "123456789" and not in_class:
            digits = re.compile("[0-9]+").match(source, start)
            assert digits is not None
            return Escape(digits.end(), number=digits.group())
        if letter == "k" and self._named:
            return self._named_reference(source, start, in_class)
        if letter in "pP":
            return self._property(source, start)
        return self._character(source, start, in_class)

    def _named_reference(self, source: str, start: int, in_class: bool) -> Escape:
        found = re.compile(r"k<([^>]*)>").match(source, start)
        if found is None or in_class:
            raise PatternError("`\\k` needs the name of a group", "write `\\k<name>`")
        return Escape(found.end(), name=found[1])

    def _property(self, source: str, start: int) -> Escape:
        found = _PROPERTY.match(source, start)
        if not self._unicode:
            if source.startswith("{", start + 1):
                raise PatternError(
                    f"`\\{source[start]}{{…}}` needs JavaScript's `u` flag, which this pattern has no place for",
                    "without the flag it would match the text as written; list the characters, such as `[a-zà-ÿ]`",
                )
            return Escape(start + 1, _code(ord(source[start])))
        if found is None or (found[1] or "") not in _ENUMERATED:
            raise PatternError(f"`\\{source[start]}` needs the name of a Unicode property", "for example `\\p{L}`")
        return Escape(found.end(), Characters((), (f"\\{found.group()}",)))

    def _character(self, source: str, start: int, in_class: bool) -> Escape:
        """An escape that stands for one character."""
        letter = source[start]
        if letter in _CONTROLS:
            return Escape(start + 1, _code(ord(_CONTROLS[letter])))
        if letter == "b":
            return Escape(start + 1, _code(0x08))
        if letter == "c":
            return self._control(source, start, in_class)
        if letter in "01234567":
            return self._octal(source, start)
        if letter in "xu" and (found := self._hexadecimal(source, start)):
            return found
        if self._unicode and letter not in _SYNTAX and not (letter == "-" and in_class):
            raise PatternError(f"`\\{letter}` is no escape", f"write `{letter}` without the backslash")
        return Escape(start + 1, _code(ord(letter)))

    def _control(self, source: str, start: int, in_class: bool) -> Escape:
        letter = source[start + 1 : start + 2]
        wide = in_class and not self._unicode and re.fullmatch("[0-9_]", letter)
        if re.fullmatch("[A-Za-z]", letter) or wide:
            return Escape(start + 2, _code(ord(letter) % 32))
        if self._unicode:
            raise PatternError("`\\c` needs a letter")
        return Escape(start, _code(ord("\\")))

    def _octal(self, source: str, start: int) -> Escape:
        pattern = r"0(?![0-9])" if self._unicode else r"[0-3][0-7]{0,2}|[4-7][0-7]?"
        found = re.compile(pattern).match(source, start)
        if found is None:
            raise PatternError(f"`\\{source[start]}` is no escape", "write a character by its code as `\\x41`")
        return Escape(found.end(), _code(int(found.group(), 8)))

    def _hexadecimal(self, source: str, start: int) -> Escape | None:
        """`\\x41`, `\\u0041`, and with the flag also `\\u{1F600}` and surrogate pairs; None where it is none."""
        if self._unicode and (pair := _PAIR.match(source, start)):
            high, low = int(pair[1], 16), int(pair[2], 16)
            return Escape(pair.end(), _code(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00))
        if found := _CODE_POINT.match(source, start):
            return self._code_point(found)
        found = _HEX.match(source, start) or _UNIT.match(source, start)
        return Escape(found.end(), _code(int(found[1], 16))) if found else None

    def _code_point(self, found: re.Match[str]) -> Escape:
        if not self._unicode:
            raise PatternError(
                f"`\\{found.group()}` needs JavaScript's `u` flag, which this pattern has no place for",
                "without the flag it would not be that character; write the character itself",
            )
        digits = found[1].lstrip("0") or "0"
        if len(digits) > 6 or int(digits, 16) > 0x10FFFF:
            raise PatternError(f"`\\{found.group()}` is beyond the last code point")
        return Escape(found.end(), _code(int(digits, 16)))


def _code(point: int) -> Characters:
    return Characters(((point, point),))
