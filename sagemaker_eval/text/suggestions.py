"""Paths that exist in a document, for messages about one that does not."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from difflib import SequenceMatcher

from sagemaker_eval.model import Json

Step = str | int
"""A key of an object or an index of a list."""

PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
RESERVED_NAMES = frozenset({"where", "wherenot"})
"""Names that jsonpath-ng takes for operators unless they are quoted."""

MOST_LEAVES = 200
ITEMS_PER_LIST = 3
MOST_KEYS = 8
LONGEST_KEY = 60

TELLING_KEYS = ("generated_text", "content", "text", "output", "generation", "completion", "response", "answer")
"""Keys that servers put their text under, most telling first."""


def suggest_paths(document: Json, wanted: str | None = None, limit: int = 3) -> list[str]:
    """JSONPaths to strings of a document, best first, at most `limit`; to other values where it holds no string.

    With `wanted`, a path that found nothing, those that end in the same key come first, then the most similar; without,
    those under a key that usually holds the text. Large documents are looked through in part, from the top down; paths
    that cannot be written on a line are left out.
    """
    leaves = list(_leaves(document))
    strings = [(steps, value) for steps, value in leaves if isinstance(value, str)]
    paths = [(steps, path_of(steps)) for steps, _ in strings or leaves]
    if wanted is None:
        paths.sort(key=lambda item: (_telling(item[0]), len(item[0])))
    else:
        matcher = SequenceMatcher(autojunk=False)
        matcher.set_seq2(wanted)
        last = _last_name(wanted)
        paths.sort(key=lambda item: (_final_key(item[0]) != last, -_similarity(matcher, item[1])))
    return [path for _, path in paths if path.isprintable()][:limit]


def path_of(steps: tuple[Step, ...]) -> str:
    """The JSONPath of a place: `$.choices[0]['finish reason']`."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else _name(step) for step in steps)


def describe(value: Json) -> str:
    """What a JSON value is, in words: "an object with the keys `a` and `b`", "a list of 2 items", "a string"."""
    if isinstance(value, dict):
        return f"an object with the {listed_keys(value)}" if value else "an empty object"
    if isinstance(value, list):
        return "an empty list" if not value else f"a list of {len(value)} item{'s' if len(value) > 1 else ''}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return "a string" if isinstance(value, str) else "a number"


def listed_keys(value: dict[str, Json]) -> str:
    """The keys of an object for a message: "keys `a`, `b`", cut after a few."""
    shown = ", ".join(f"`{_on_one_line(key)}`" for key in list(value)[:MOST_KEYS])
    more = f" and {len(value) - MOST_KEYS} more" if len(value) > MOST_KEYS else ""
    return f"{'key' if len(value) == 1 else 'keys'} {shown}{more}"


def _on_one_line(key: str) -> str:
    printable = key if key.isprintable() else ascii(key)[1:-1]
    return printable if len(printable) <= LONGEST_KEY else f"{printable[:LONGEST_KEY]}..."


def _name(name: str) -> str:
    if PLAIN_NAME.fullmatch(name) and name not in RESERVED_NAMES:
        return f".{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _leaves(document: Json) -> Iterator[tuple[tuple[Step, ...], Json]]:
    """The scalars of a document, breadth first, a few items of each list, null left out."""
    waiting: deque[tuple[tuple[Step, ...], Json]] = deque([((), document)])
    found = 0
    while waiting and found < MOST_LEAVES:
        steps, value = waiting.popleft()
        if isinstance(value, dict):
            waiting.extend(((*steps, key), inner) for key, inner in list(value.items())[:MOST_LEAVES])
        elif isinstance(value, list):
            waiting.extend(((*steps, index), inner) for index, inner in enumerate(value[:ITEMS_PER_LIST]))
        elif value is not None and steps:
            found += 1
            yield steps, value


def _final_key(steps: tuple[Step, ...]) -> str | None:
    return next((step for step in reversed(steps) if isinstance(step, str)), None)


def _last_name(path: str) -> str | None:
    names = re.findall(r"[^\s.\[\]'\"$?@()`*:,]+", path)
    return next((name for name in reversed(names) if not name.lstrip("-").isdigit()), None)


def _telling(steps: tuple[Step, ...]) -> int:
    key = _final_key(steps)
    return TELLING_KEYS.index(key) if key in TELLING_KEYS else len(TELLING_KEYS)


def _similarity(matcher: SequenceMatcher[str], path: str) -> float:
    matcher.set_seq1(path)
    return matcher.ratio()
