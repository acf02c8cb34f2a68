"""The little language of `__expected` cells: one cell of a table, one assertion.

Paris                     equals, unless it is one of the forms below
[not-]TYPE                an assertion without a value: `is-json`
[not-]TYPE: VALUE         `contains: Paris`; `contains-all: a, "b, c"`
[not-]TYPE(N): VALUE      with a threshold: `similar(0.9): Paris`; `latency(500)`
javascript: CODE          also `fn:`, `eval:` and `file://check.js[:function]`
python: CODE              also `file://check.py[:function]`
grade: RUBRIC             also `llm-rubric:`
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from sagemaker_eval.config.keys import PROMPTFOO_ASSERTION_TYPES
from sagemaker_eval.config.references import is_reference, split_function
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json
from sagemaker_eval.registry import nearest_name

_PREFIXES = {
    "javascript:": "javascript",
    "fn:": "javascript",
    "eval:": "javascript",
    "python:": "python",
    "grade:": "llm-rubric",
    "llm-rubric:": "llm-rubric",
}
_SCRIPTS = {".js": "javascript", ".cjs": "javascript", ".mjs": "javascript", ".py": "python"} | dict.fromkeys(
    (".ts", ".cts", ".mts"), "javascript"
)

_NEVER_IN_A_CELL = frozenset({"assert-set", "human", "max-score", "select-best"})

_LISTS = frozenset({"contains-all", "contains-any", "icontains-all", "icontains-any"})

LIMITS = {"cost": "`cost(0.01)`, in dollars", "latency": "`latency(500)`, in ms", "perplexity": "`perplexity(5)`"}
"""Types that mean nothing without a number, each with an example."""

_DEFAULT_THRESHOLDS = dict.fromkeys(
    (
        "answer-relevance",
        "classifier",
        "context-faithfulness",
        "context-recall",
        "context-relevance",
        "perplexity-score",
        "rouge-n",
    ),
    0.75,
) | {"similar": 0.8, "similar:cosine": 0.8}

_TAKE_A_NUMBER = frozenset({*LIMITS, *_DEFAULT_THRESHOLDS}) | {
    "agent-rubric",
    "bleu",
    "conversation-relevance",
    "g-eval",
    "gleu",
    "javascript",
    "levenshtein",
    "llm-rubric",
    "meteor",
    "pi",
    "python",
    "ruby",
    "search-rubric",
    "similar:dot",
    "similar:euclidean",
    "tool-call-f1",
    "trajectory:goal-success",
}
"""The types of promptfoo whose assertions have a threshold."""

_LOOKS_LIKE_A_TYPE = re.compile(r"(?P<mark>not-)?(?P<name>[A-Za-z][\w-]*)(?:\([^()\n]*\))?(?:(?<=\))|:.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SIMILAR_NAMES = 0.8
"""Likeness from which a word before a colon is taken for a mistyped type; English words of that likeness are rare."""


def parse_expected(cell: str, known: tuple[str, ...] = ()) -> dict[str, Json]:
    """The assertion of a cell that is not blank, as a configuration file would have it.

    `known` are types there are beside promptfoo's. Raises `ConfigError` without a place for a threshold that is no
    number or that the type cannot have, for lists with broken quotes, and for what is nearly a type.
    """
    text = cell.strip()
    for prefix, kind in _PREFIXES.items():
        if text.startswith(prefix):
            value = text[len(prefix) :]
            return {"type": kind, "value": value if kind == "llm-rubric" else value.strip()}
    if is_reference(text) and (script := _SCRIPTS.get(Path(split_function(text)[0]).suffix)):
        return {"type": script, "value": text}
    match = _grammar(known).fullmatch(text)
    if match is None:
        _check_plain(text, known)
        return {"type": "equals", "value": text}
    return _assertion(match)


def check_limit(assertion: dict[str, Json]) -> None:
    """Raises `ConfigError` for an assertion that a cell gives no limit and that cannot be judged without one."""
    kind = assertion["type"].removeprefix("not-")
    if kind in LIMITS and "threshold" not in assertion:
        raise ConfigError.of(f"`{assertion['type']}` needs a number", hint=f"for example {LIMITS[kind]}")


def parse_number(text: str) -> float | None:
    """A finite number in full, None for anything else."""
    match = _NUMBER.fullmatch(text.strip())
    number = float(match[0]) if match else math.inf
    return number if math.isfinite(number) else None


def split_list(text: str) -> list[str]:
    r"""The parts between commas, trimmed, blanks left out; a part in double quotes may hold commas, `""` and `\"`.

    Raises `ConfigError` where a quote is never closed, and where text follows a closing one.
    """
    return list(_parts(text))


_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]|\\(?!["\\])|"")*+)"\s*')
_ESCAPED = re.compile(r'\\(["\\])|""')


def _parts(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        if text[position] == "," or text[position].isspace():
            position += 1
            continue
        if text[position] != '"':
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            yield text[position:end].strip()
            position = end
            continue
        quoted = _QUOTED.match(text, position)
        if quoted is None:
            raise ConfigError.of("a double quote is never closed", hint='inside double quotes, a quote is written `""`')
        if quoted.end() < len(text) and text[quoted.end()] != ",":
            raise ConfigError.of("text follows a closing quote", hint="separate the parts of the list with commas")
        yield _ESCAPED.sub(lambda match: match[1] or '"', quoted[1])
        position = quoted.end()


@functools.lru_cache(maxsize=8)
def _grammar(known: tuple[str, ...]) -> re.Pattern[str]:
    types = (PROMPTFOO_ASSERTION_TYPES | set(known)) - _NEVER_IN_A_CELL
    longest_first = "|".join(re.escape(name) for name in sorted(types, key=lambda name: (-len(name), name)))
    return re.compile(rf"(not-)?({longest_first})(?:\(([^()\n]*)\))?(?::(.*))?", re.DOTALL)


def _assertion(match: re.Match[str]) -> dict[str, Json]:
    mark, kind, bracket, rest = match.groups()
    assertion: dict[str, Json] = {"type": f"{mark or ''}{kind}"}
    if rest is not None:
        assertion["value"] = split_list(rest) if kind in _LISTS and rest.strip() else rest.strip()
    number = _DEFAULT_THRESHOLDS.get(kind) if bracket is None else _threshold(kind, bracket)
    if number is None and kind in LIMITS and rest and (number := parse_number(rest)) is not None:
        del assertion["value"]
    if number is not None:
        assertion["threshold"] = number
    return assertion


def _threshold(kind: str, bracket: str) -> float:
    number = parse_number(bracket)
    if number is None:
        hint = f"to compare with the text itself, write `equals: {kind}({bracket})…`"
        raise ConfigError.of(f"`{kind}({bracket})`: the threshold must be a number", hint=hint)
    if kind in PROMPTFOO_ASSERTION_TYPES and kind not in _TAKE_A_NUMBER:
        raise ConfigError.of(f"`{kind}` has no threshold", hint=f"write `{kind}` without `({bracket})`")
    return number


def _check_plain(text: str, known: tuple[str, ...]) -> None:
    """Refuse a text that was probably meant to be an assertion."""
    match = _LOOKS_LIKE_A_TYPE.fullmatch(text)
    if match is None:
        return
    name, mark = match["name"], match["mark"] or ""
    as_text = f"write `equals: {mark}{name}…` to compare with the text itself"
    if name in _NEVER_IN_A_CELL:
        raise ConfigError.of(f"`{name}` cannot stand in a cell", hint=f"move it to `defaultTest`, or {as_text}")
    types = tuple(sorted(PROMPTFOO_ASSERTION_TYPES | set(known)))
    if name.lower() in types:
        right = f"{mark}{name.lower()}"
        raise ConfigError.of(f"`{mark}{name}` is not a type: types are written small", hint=f"`{right}`; or {as_text}")
    nearest = _nearest_type(name, types)
    if nearest or mark:
        meant = f"did you mean `{mark}{nearest}`? or " if nearest else ""
        raise ConfigError.of(f"unknown assertion type `{mark}{name}`", hint=f"{meant}{as_text}")


def _nearest_type(name: str, types: tuple[str, ...]) -> str | None:
    nearest = nearest_name(name, types) if name.islower() else None
    return nearest if nearest and SequenceMatcher(None, name, nearest).ratio() >= _SIMILAR_NAMES else None
