"""JSON as models write it: objects and lists somewhere in a text, with the liberties that small models take.

Read as JSON where that is possible. Else these are forgiven: any quotation marks or none, quotation marks and line
breaks inside texts, comments, commas too many or too few, Python's `True` and `None`, and an end that is missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sagemaker_eval.model import Json

MOST_CHARACTERS = 40_000
"""Of a text that are looked at, from its end: that is where answers are."""

_MOST_STARTS = 400
_DEEPEST = 30

_START = re.compile(r"\{|\[(?=\s*[\[{\"'“‘])")
_BLANK = re.compile(r"(?:[\s,;]|//[^\n]*|\#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_CLOSERS = {'"': '"”“', "'": "'’‘", "“": '”“"', "”": '”“"', "‘": "’‘'", "’": "’‘'", "`": "`´"}
_QUOTES = "".join(_CLOSERS)
_NAME = rf"[*{_QUOTES}]*\s*(?P<name>[^\W\d][\w .-]{{0,40}}?)\s*[*{_QUOTES}]*\s*[:=]>?"
_KEY = re.compile(_NAME)
_NEXT = rf"(?:\s*,\s*|\s+){_NAME.replace('?P<name>', '?:')}"
_AFTER_MEMBER = re.compile(rf"\s*(?:$|[}}\]]|```|//|/\*|,\s*(?:$|[}}\]]|//|/\*))|{_NEXT}")
_AFTER_ITEM = re.compile(rf"\s*(?:$|[\],}}]|```)|\s+[{_QUOTES}]")
_BARE_MEMBER = re.compile(rf"(?:(?!{_NEXT})(?:[^,}}\n]|,(?!\s*(?:$|[}}\]\n]))))*")
_BARE_ITEM = re.compile(r"[^,\]}\n]*")
_COMMENT = re.compile(r"\s*(?://|/\*|\s\#).*$", re.DOTALL)
_LOOSE_ENDS = " \t\r\n,;"
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?")
_WORDS: dict[str, Json] = {"true": True, "false": False, "null": None, "none": None}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)

_CUT: Final = object()
"""A value of which too little is there."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A list or an object out of a text; `complete` is False where the text ended before it did."""

    value: Json
    complete: bool


def pieces(text: str) -> Iterator[Piece]:
    """The lists and objects in a text, in order, none inside another."""
    text = text[-MOST_CHARACTERS:]
    decoder = json.JSONDecoder(strict=False)
    position = 0
    for _ in range(_MOST_STARTS):
        if (start := _START.search(text, position)) is None:
            return
        try:
            value, position = decoder.raw_decode(text, start.start())
            yield Piece(value, True)
            continue
        except (ValueError, RecursionError):
            pass
        reader = _Reader(text, start.start())
        try:
            yield Piece(reader.value(_AFTER_ITEM, _BARE_ITEM), reader.complete)
            position = reader.position
        except _Broken:
            position = start.end()


class _Broken(Exception):
    """Not even loosely JSON."""


class _Reader:
    """One value, read from a position of a text. Where the text ends too early, `complete` becomes False."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position
        self.complete = True
        self._depth = 0

    def value(self, after: re.Pattern[str], bare: re.Pattern[str]) -> Json:
        """The value here; `after` is what may follow a text, `bare` one without quotation marks."""
        self._skip()
        first = self.text[self.position : self.position + 1]
        if first in ("{", "["):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _Broken
            value: Json = self._object() if first == "{" else self._list()
            self._depth -= 1
            return value
        if first and first in _QUOTES:
            return self._quoted(_CLOSERS[first], after)
        return self._bare(bare)

    def _object(self) -> Json:
        members: dict[str, Json] = {}
        self.position += 1
        while not self._closed("}"):
            name = self._key()
            value = _CUT if name is None else self.value(_AFTER_MEMBER, _BARE_MEMBER)
            if name is None or value is _CUT:
                break
            members[name] = value
        return members

    def _list(self) -> Json:
        items: list[Json] = []
        self.position += 1
        while not self._closed("]"):
            value = self.value(_AFTER_ITEM, _BARE_ITEM)
            if value is _CUT:
                break
            items.append(value)
        return items

    def _closed(self, closer: str) -> bool:
        """Whether the list or object ends here, as it should or because the text does (or its code fence)."""
        self._skip()
        found = self.text[self.position : self.position + 1]
        if not found or self.text.startswith("```", self.position):
            self.complete = False
            return True
        if found == closer:
            self.position += 1
            return True
        if found in "}]":
            raise _Broken
        return False

    def _key(self) -> str | None:
        found = _KEY.match(self.text, self.position)
        if found is not None:
            self.position = found.end()
            return found["name"]
        if re.search(r"[:=}\n]", self.text[self.position :]):
            raise _Broken
        self._end()
        return None

    def _quoted(self, closers: str, after: re.Pattern[str]) -> str:
        """A text in quotation marks. One inside it is known by what follows: it is not what may follow a text."""
        start = self.position + 1
        for mark in re.finditer(rf"\\.|[{closers}]", self.text[start:], re.DOTALL):
            end = start + mark.end()
            if mark[0] in closers and after.match(self.text, end):
                self.position = end
                return _unescaped(self.text[start : end - 1])
        self._end()
        return _unescaped(self.text[start:]) + "…"

    def _bare(self, pattern: re.Pattern[str]) -> Json:
        found = pattern.match(self.text, self.position)
        written = _COMMENT.sub("", found[0]).strip(_LOOSE_ENDS) if found else ""
        if found is None or not found[0]:
            if self.position < len(self.text):
                raise _Broken
            self._end()
            return _CUT
        self.position = found.end()
        if self.position < len(self.text):
            return _scalar(written)
        self._end()
        return _scalar(written) if written.lower() in _WORDS or re.fullmatch(r"\d*\.\d+", written) else _CUT

    def _skip(self) -> None:
        """Over blanks, comments and commas."""
        found = _BLANK.match(self.text, self.position)
        self.position = found.end() if found else self.position

    def _end(self) -> None:
        self.complete = False
        self.position = len(self.text)


def _scalar(written: str) -> Json:
    if written.lower() in _WORDS:
        return _WORDS[written.lower()]
    if _NUMBER.fullmatch(written):
        return float(written.replace(",", "."))
    return written


def _unescaped(written: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]), written)
