"""Characters that libyaml (YAML 1.1) reads otherwise than YAML 1.2, carried past it by stand-ins.

YAML 1.2 knows no line breaks but LF and CR, so that U+0085, U+2028 and U+2029 are content like any other. JSON, and so
YAML 1.2, may write a character beyond U+FFFF as two `\\u` escapes. Most files hold neither and pass untouched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

import yaml

_NOT_BREAKS = "\x85\u2028\u2029"
_PAIR_SIGN = re.compile(r"\\u[dD][89abAB]")
_SUBSTITUTED = re.compile(rf"[{_NOT_BREAKS}]|\\u[dD][89abAB][0-9a-fA-F]{{2}}\\u[dD][c-fC-F][0-9a-fA-F]{{2}}")
_PRIVATE_USE = range(0xF0000, 0xFFFFE)


class StandIns:
    """Stand-ins by what they stand for; `text` is the text with them in place."""

    def __init__(self, text: str) -> None:
        self._by_original: dict[str, str] = {}
        self.text = text
        if any(character in text for character in _NOT_BREAKS) or _PAIR_SIGN.search(text):
            free = (chr(code) for code in sorted(set(_PRIVATE_USE).difference(map(ord, set(text)))))
            self.text = _SUBSTITUTED.sub(lambda match: self._stand_in(match[0], free), text)

    def _stand_in(self, original: str, free: Iterator[str]) -> str:
        if original not in self._by_original:
            self._by_original[original] = next(free)
        return self._by_original[original]

    def undone(self, events: Iterable[yaml.Event]) -> Iterable[yaml.Event]:
        """The events with the originals back in their scalars; escapes count in double quotes only."""
        return self._undone(events) if self._by_original else events

    def _undone(self, events: Iterable[yaml.Event]) -> Iterator[yaml.Event]:
        verbatim = {ord(stand_in): original for original, stand_in in self._by_original.items()}
        decoded = {code: _decoded(original) for code, original in verbatim.items()}
        for event in events:
            if isinstance(event, yaml.ScalarEvent):
                table: Mapping[int, str] = decoded if event.style == '"' else verbatim
                event.value = event.value.translate(table)
            yield event


def _decoded(original: str) -> str:
    return str(json.loads(f'"{original}"'))
