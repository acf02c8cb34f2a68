"""Finding JSON objects inside a text, as models write them: between prose, in code fences, with small liberties."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import accumulate

from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.assertions.regex.patterns import TooSlow
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json

MAX_OBJECT_CHARACTERS = 100_000
"""An object is read no further than this from its opening brace, as in promptfoo."""

_MAX_YAML_DEPTH = 1000
"""The YAML parser takes a time that grows with the square of the depth."""

_BRACE = re.compile("[{}]")
_BRACKET = re.compile(r"[\[\]{}]")
_QUOTED_OR_COMMENT = re.compile(
    r"""
    "(?:[^"\\\n]|\\.)*+(?:"|$)
    | (?<![A-Za-z])'(?:[^'\\\n]|\\.|'(?=[A-Za-z]))*+(?:'|$)
    | [^\s"']*?://[^\s"']*
    | (?P<comment>//+)
    """,
    re.VERBOSE | re.MULTILINE,
)


def json_objects(text: str, deadline: float) -> Iterator[Json]:
    """The objects that stand in a text between matching braces, in order, none inside another.

    Read with YAML's liberties: single quotes or none, trailing commas, `//` comments, an end that is missing.
    Raises `TooSlow` at `deadline` (of `time.perf_counter`), and `RecursionError` for an object nested too deeply.
    """
    ends = _matching_ends(text)
    position = 0
    while (start := text.find("{", position)) >= 0:
        if time.perf_counter() > deadline:
            raise TooSlow
        end = min(ends.get(start, len(text)), start + MAX_OBJECT_CHARACTERS)
        found = _read(_closed(text[start:end])) if end > start + 1 else None
        if isinstance(found, dict):
            yield found
        position = end if isinstance(found, dict) else start + 1


def _matching_ends(text: str) -> dict[int, int]:
    """Where each opening brace that is closed again ends: the position behind its closing brace."""
    ends: dict[int, int] = {}
    opened: list[int] = []
    for brace in _BRACE.finditer(text):
        if brace[0] == "{":
            opened.append(brace.start())
        elif opened:
            ends[opened.pop()] = brace.end()
    return ends


def _closed(candidate: str) -> str:
    return candidate + "}" * (candidate.count("{") - candidate.count("}"))


def _read(candidate: str) -> Json:
    """The value of a candidate, None where it is neither JSON nor YAML."""
    try:
        return parse_json(candidate)
    except NotJson:
        pass
    if _depth(candidate) > _MAX_YAML_DEPTH:
        return None
    try:
        return parse_yaml(_QUOTED_OR_COMMENT.sub(_comment_in_yaml, candidate), "")
    except ConfigError:
        return None


def _depth(candidate: str) -> int:
    """How deep the brackets of a text are nested at most, whatever they stand in."""
    steps = (1 if bracket[0] in "[{" else -1 for bracket in _BRACKET.finditer(candidate))
    return max(accumulate(steps), default=0)


def _comment_in_yaml(found: re.Match[str]) -> str:
    return "#" if found["comment"] else found[0]
