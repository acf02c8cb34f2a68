"""What breaks a JSON Schema, in words: the path, what should be there and what is, all written as JSON."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from sagemaker_eval.assertions.base import shortened
from sagemaker_eval.model import Json, compact_json

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_PLAIN_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_SHOWN_CHARACTERS = 60
_SHOWN_ALTERNATIVES = 3


def problem_text(error: ValidationError) -> str:
    """One line about an error of `jsonschema`, such as: `$.age` must be of type integer, not "ten"."""
    return f"`{path_text(error.absolute_path)}` {_phrase(error)}"


def path_text(path: Iterable[str | int]) -> str:
    """A path in JSONPath's notation: `$.items[0]["first name"]`."""
    return "$" + "".join(map(_step, path))


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if _PLAIN_NAME.fullmatch(step) else f"[{compact_json(step)}]"


def _phrase(error: ValidationError) -> str:
    keyword = str(error.validator or "false")
    if error.context:
        return f"fits no alternative of `{keyword}`: {_alternatives(error.context)}"
    if words := _WORDS.get(keyword):
        return words(error.validator_value, error.instance)
    return f"breaks `{keyword}: {_shown(error.validator_value)}`"


def _alternatives(errors: Iterable[ValidationError]) -> str:
    """The first error of each alternative."""
    first: dict[Json, str] = {}
    for error in errors:
        place = path_text(error.relative_path)
        first.setdefault(
            next(iter(error.relative_schema_path), None),
            _phrase(error) if place == "$" else f"`{place}` {_phrase(error)}",
        )
    shown = list(dict.fromkeys(first.values()))
    return "; ".join(shown[:_SHOWN_ALTERNATIVES]) + ("; …" if len(shown) > _SHOWN_ALTERNATIVES else "")


def _shown(value: Json) -> str:
    return shortened(compact_json(value), _SHOWN_CHARACTERS)


def _types(expected: Json, found: Json) -> str:
    names = " or ".join(expected) if isinstance(expected, list) else expected
    return f"must be of type {names}, not {_shown(found)}"


def _must_be(relation: str) -> Callable[[Json, Json], str]:
    return lambda expected, found: f"must be {relation} {_shown(expected)}, not {_shown(found)}"


def _count(relation: str, what: str) -> Callable[[Json, Json], str]:
    return lambda expected, found: f"must have {relation} {expected} {what}, not {len(found)}"


_WORDS: Mapping[str, Callable[[Json, Json], str]] = {
    "false": lambda expected, found: "has what the schema rules out",
    "type": _types,
    "const": _must_be("exactly"),
    "enum": _must_be("one of"),
    "minimum": _must_be("at least"),
    "maximum": _must_be("at most"),
    "exclusiveMinimum": _must_be("more than"),
    "exclusiveMaximum": _must_be("less than"),
    "multipleOf": _must_be("a multiple of"),
    "minLength": _count("at least", "characters"),
    "maxLength": _count("at most", "characters"),
    "minItems": _count("at least", "items"),
    "maxItems": _count("at most", "items"),
    "minProperties": _count("at least", "properties"),
    "maxProperties": _count("at most", "properties"),
    "pattern": lambda expected, found: f"must match `{expected}`, and {_shown(found)} does not",
    "format": lambda expected, found: f"must be of the format `{expected}`, and {_shown(found)} is not",
    "required": lambda expected, found: f"must have a property `{found}`",
    "additionalProperties": lambda expected, found: f"must have no property `{found}`",
    "unevaluatedProperties": lambda expected, found: "has properties that no part of the schema allows",
    "unevaluatedItems": lambda expected, found: "has items that no part of the schema allows",
    "additionalItems": lambda expected, found: "has more items than the schema allows",
    "items": lambda expected, found: "has more items than the schema allows",
    "uniqueItems": lambda expected, found: "must have no item twice",
    "contains": lambda expected, found: "has no item that fits `contains`",
    "minContains": lambda expected, found: f"must have at least {expected} items that fit `contains`",
    "maxContains": lambda expected, found: f"must have at most {expected} items that fit `contains`",
    "oneOf": lambda expected, found: "fits more than one alternative of `oneOf`",
    "not": lambda expected, found: "fits what `not` rules out",
}
"""What is said of a keyword's value and what was found: of `required` and `additionalProperties` the name.

`false` stands for the schema that nothing fits.
"""
