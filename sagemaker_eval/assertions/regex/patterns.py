"""JavaScript regular expressions (ECMA-262), answered by the `regex` package: is there a match in a text or not.

The pattern is parsed as JavaScript and rewritten, so that no pattern silently means something else than in promptfoo.
`regex` and not `re`, because a search can be given a time limit (a pattern such as `(a|aa)+$` takes years over some
texts, and no language model can be kept from writing one of them), and because it looks behind over any width.

Without the `u` flag JavaScript sees UTF-16: `^.$` does not match an emoji, `^..$` does. So does this.
Refused by name, though JavaScript knows them: the modifiers `(?i:…)` and groups of the same name (ES2025, not in every
Node.js that promptfoo runs on), `\\p{…}` and `\\u{…}` without the `u` flag (where they do not mean what they say), a
reference to a group that a round of a repetition may leave out or leave empty, and least numbers of rounds beyond all
measure.
"""

from __future__ import annotations

import re
import time
from functools import lru_cache
from typing import Protocol

from sagemaker_eval.assertions.regex.nodes import PatternError
from sagemaker_eval.assertions.regex.syntax import parse
from sagemaker_eval.assertions.regex.translation import translate

_LONG_SEARCH = 0.1
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


class TooSlow(Exception):
    """A search was given up because its time was over."""


class _Engine(Protocol):
    def search(self, string: str, *, timeout: float, concurrent: bool) -> object | None: ...


class Pattern:
    """A compiled pattern. `source` is what the user wrote, `unicode` the `u` flag."""

    __slots__ = ("_engine", "source", "unicode")

    def __init__(self, source: str, unicode: bool, engine: _Engine) -> None:
        self.source = source
        self.unicode = unicode
        self._engine = engine

    def found_in(self, text: str, deadline: float) -> bool:
        """Whether there is a match somewhere in `text`. Raises `TooSlow` at `deadline` (of `time.perf_counter`).

        A search that may take long lets other threads run meanwhile.
        """
        seconds = deadline - time.perf_counter()
        if seconds <= 0:
            raise TooSlow
        if not self.unicode and not text.isascii():
            text = code_units(text)
        try:
            return self._engine.search(text, timeout=seconds, concurrent=seconds > _LONG_SEARCH) is not None
        except TimeoutError:
            raise TooSlow from None


@lru_cache(maxsize=1024)
def compile_pattern(source: str, unicode: bool = False) -> Pattern:
    """The pattern that `new RegExp(source)` is, or `new RegExp(source, "u")`. Raises `PatternError`."""
    import regex  # type: ignore[import-untyped]

    try:
        translated = translate(parse(source if unicode else code_units(source), unicode))
        engine = regex.compile(translated, regex.V0, cache_pattern=False)
    except PatternError as error:
        raise PatternError(f"invalid regular expression `{source}`: {_whole(str(error))}", error.hint) from None
    except (regex.error, RecursionError, OverflowError) as error:
        raise PatternError(f"the regular expression `{source}` cannot be used: {error}") from error
    return Pattern(source, unicode, engine)


def code_units(text: str) -> str:
    """`text` as JavaScript holds it: a surrogate pair in place of each character beyond U+FFFF."""
    return _ASTRAL.sub(_surrogates, text)


def _surrogates(found: re.Match[str]) -> str:
    offset = ord(found.group()) - 0x10000
    return chr(0xD800 + (offset >> 10)) + chr(0xDC00 + (offset & 0x3FF))


def _whole(text: str) -> str:
    """Surrogate pairs put together again, for display."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


__all__ = ["Pattern", "PatternError", "TooSlow", "code_units", "compile_pattern"]
