"""JavaScript regular expressions (ECMA-262, no flags) by way of Python's `re`.

The two dialects agree on nearly everything that people write. What differs is rewritten where Python can say the
same, and refused by name where it cannot, so that no pattern silently means something else.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SPACES = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": _SPACES}
_LINE_ENDS = r"\n\r\u2028\u2029"


class PatternError(ValueError):
    """A pattern that JavaScript would refuse, or that cannot be said in Python."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@lru_cache(maxsize=1024)
def compile_pattern(source: str) -> re.Pattern[str]:
    """The compiled equivalent of a JavaScript pattern. Raises `PatternError`."""
    translated = _Translator(source).translate()
    try:
        return re.compile(translated, re.ASCII)
    except (re.error, OverflowError, RecursionError) as error:
        raise PatternError(f"invalid regular expression `{source}`: {error}") from error


class _Translator:
    """One pass over a pattern, left to right."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.out: list[str] = []

    def translate(self) -> str:
        while self.position < len(self.source):
            character = self.source[self.position]
            if character == "\\":
                self.out.append(self._escape(in_class=False))
            elif character == "[":
                self.out.append(self._character_class())
            elif character == "(":
                self._group()
            else:
                self.out.append(self._plain(character))
        return "".join(self.out)

    def _plain(self, character: str) -> str:
        self.position += 1
        if character == ".":
            return f"[^{_LINE_ENDS}]"
        if character == "$":
            return r"\Z"
        if character in "+?*" and self.source[self.position : self.position + 1] == "+":
            raise PatternError(f"invalid regular expression `{self.source}`: nothing to repeat at `+`")
        if character == "{" and not re.match(r"\d+(,\d*)?\}", self.source[self.position :]):
            return r"\{"
        return character

    def _group(self) -> None:
        opening = re.match(r"\((\?(:|=|!|<=|<!|<(?P<name>[A-Za-z_$][\w$]*)>)?)?", self.source[self.position :])
        assert opening is not None
        text = opening.group()
        if text == "(?":
            flag = self.source[self.position : self.position + 4]
            raise PatternError(
                f"invalid regular expression `{self.source}`: `{flag}` is not a group of JavaScript",
                "JavaScript has no inline flags such as `(?i)`; use `icontains`, or spell both cases: `[Yy]es`",
            )
        name = opening.group("name")
        self.out.append(f"(?P<{_group_name(name)}>" if name else text)
        self.position += len(text)

    def _escape(self, in_class: bool) -> str:
        rest = self.source[self.position + 1 :]
        if not rest:
            raise PatternError(f"invalid regular expression `{self.source}`: `\\` at the end of the pattern")
        for pattern, rewrite in _ESCAPES:
            if found := pattern.match(rest):
                self.position += 1 + found.end()
                return rewrite(found, in_class)
        self.position += 2
        return re.escape(rest[0])

    def _character_class(self) -> str:
        self.position += 1
        negated = self.source[self.position : self.position + 1] == "^"
        self.position += negated
        members: list[str] = []
        while self.position < len(self.source) and self.source[self.position] != "]":
            members.append(self._class_member())
        if self.position >= len(self.source):
            raise PatternError(f"invalid regular expression `{self.source}`: `[` is never closed")
        self.position += 1
        if not members:
            return r"[\s\S]" if negated else r"(?!)"
        return f"[{'^' if negated else ''}{''.join(members)}]"

    def _class_member(self) -> str:
        character = self.source[self.position]
        if character == "\\":
            return self._escape(in_class=True)
        self.position += 1
        return character if character == "-" else re.escape(character)


def _shorthand(found: re.Match[str], in_class: bool) -> str:
    letter = found.group()
    members = _CLASSES[letter.lower()]
    if letter.islower():
        return members if in_class else f"[{members}]"
    if in_class:
        return f"\\{letter}"
    return f"[^{members}]"


def _code_point(found: re.Match[str], in_class: bool) -> str:
    return re.escape(chr(int(found.group(1), 16)))


def _named_reference(found: re.Match[str], in_class: bool) -> str:
    return f"(?P={_group_name(found.group(1))})"


def _number(found: re.Match[str], in_class: bool) -> str:
    digits = found.group()
    return r"\x00" if digits == "0" else f"(?:\\{digits})"


def _boundary(found: re.Match[str], in_class: bool) -> str:
    if in_class:
        return r"\x08"
    word, start = "[A-Za-z0-9_]", found.group() == "b"
    edge = f"(?<!{word})(?={word})|(?<={word})(?!{word})"
    inside = f"(?<={word})(?={word})|(?<!{word})(?!{word})"
    return f"(?:{edge if start else inside})"


def _property(found: re.Match[str], in_class: bool) -> str:
    raise PatternError(
        f"`\\{found.group()}` is not supported in a regular expression here",
        "Unicode properties need JavaScript's `u` flag, which a pattern has no place for here; list the characters",
    )


_ESCAPES = (
    (re.compile(r"[dDwWsS]"), _shorthand),
    (re.compile(r"[bB]"), _boundary),
    (re.compile(r"x([0-9A-Fa-f]{2})"), _code_point),
    (re.compile(r"u([0-9A-Fa-f]{4})"), _code_point),
    (re.compile(r"k<([A-Za-z_$][\w$]*)>"), _named_reference),
    (re.compile(r"[pP]\{[^}]*\}"), _property),
    (re.compile(r"0|[1-9]\d*"), _number),
    (re.compile(r"c[A-Za-z]"), lambda found, _: re.escape(chr(ord(found.group()[1]) % 32))),
    (re.compile(r"[tnvfr]"), lambda found, _: f"\\{found.group()}"),
)


def _group_name(name: str) -> str:
    return name.replace("$", "_dollar_")
