"""The tests of templates (`x is odd`), and the comparison operators, which are compiled to tests as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jinja2.tests
from jinja2 import Undefined

from sagemaker_eval.text.templating.filters import guarded
from sagemaker_eval.text.templating.javascript_values import (
    contains,
    kind,
    less,
    less_or_equal,
    loosely_equal,
    strictly_equal,
    to_number,
    truthy,
)

Test = Callable[..., bool]


def build_tests() -> dict[str, Any]:
    """All tests by name, those of Jinja2 included; the operators stand under their own signs."""
    named: dict[str, Any] = {**jinja2.tests.TESTS, **_NAMED}
    return {name: guarded("test", name, function) for name, function in named.items()} | OPERATORS


def _greater(left: object, right: object) -> bool:
    return less(right, left)


def _greater_or_equal(left: object, right: object) -> bool:
    return less_or_equal(right, left)


def _not_equal(left: object, right: object) -> bool:
    return not loosely_equal(left, right)


def _not_identical(left: object, right: object) -> bool:
    return not strictly_equal(left, right)


def _divisible(value: object, divisor: object) -> bool:
    divisor = to_number(divisor)
    return bool(divisor) and to_number(value) % divisor == 0


def _is_kind(name: str) -> Test:
    return lambda value: kind(value) == name


def _contained(item: object, container: object) -> bool:
    return contains(container, item)


OPERATORS: dict[str, Test] = {
    "==": loosely_equal,
    "!=": _not_equal,
    "===": strictly_equal,
    "!==": _not_identical,
    "<": less,
    "<=": less_or_equal,
    ">": _greater,
    ">=": _greater_or_equal,
    "in": _contained,
}

_NAMED: dict[str, Test] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "null": lambda value: value is None,
    "none": lambda value: value is None,
    "truthy": truthy,
    "falsy": lambda value: not truthy(value),
    "string": _is_kind("text"),
    "number": _is_kind("a number"),
    "boolean": _is_kind("a boolean"),
    "mapping": _is_kind("an object"),
    "iterable": lambda value: isinstance(value, str | list | tuple | range),
    "callable": lambda value: callable(value) and not isinstance(value, Undefined),
    "even": lambda value: to_number(value) % 2 == 0,
    "odd": lambda value: to_number(value) % 2 == 1,
    "divisibleby": _divisible,
    "escaped": lambda value: False,
    "lower": lambda value: isinstance(value, str) and value.lower() == value,
    "upper": lambda value: isinstance(value, str) and value.upper() == value,
    "eq": strictly_equal,
    "equalto": strictly_equal,
    "sameas": strictly_equal,
    "ne": _not_identical,
    "lt": less,
    "lessthan": less,
    "le": less_or_equal,
    "gt": _greater,
    "greaterthan": _greater,
    "ge": _greater_or_equal,
}
