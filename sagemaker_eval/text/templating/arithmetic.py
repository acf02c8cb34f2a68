"""The arithmetic of templates: ECMAScript's operators, with integers kept exact as far as doubles reach."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sagemaker_eval.text.templating.javascript_values import Number, to_number, to_text

_MAX_BITS = 1024
"""Integers of fewer bits are kept exact; beyond them, doubles are infinite."""


def add(left: object, right: object) -> str | Number:
    """ECMAScript's `+`: a sum of numbers, else the texts one after the other."""
    if isinstance(left, str | list | tuple | dict) or isinstance(right, str | list | tuple | dict):
        return to_text(left) + to_text(right)
    return to_number(left) + to_number(right)


def divide(left: Number, right: Number) -> Number:
    """ECMAScript's `/`: division by zero is infinite, or NaN for zero by zero."""
    if right:
        return left / right
    if not left or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def floor_divide(left: Number, right: Number) -> Number:
    """nunjucks' `//`: the quotient rounded down."""
    if right and math.isfinite(left) and math.isfinite(right):
        return left // right
    return divide(left, right)


def remainder(left: Number, right: Number) -> Number:
    """ECMAScript's `%`: the sign is that of the left side."""
    if not right or math.isinf(left):
        return math.nan
    if isinstance(left, int) and isinstance(right, int):
        return int(math.copysign(1, left)) * (abs(left) % abs(right))
    return math.fmod(left, right)


def power(left: Number, right: Number) -> Number:
    """ECMAScript's `**`, exact for integers as far as doubles reach and infinite beyond."""
    if not math.isfinite(right) and (math.isnan(right) or abs(left) == 1):
        return math.nan
    try:
        if isinstance(left, int) and isinstance(right, int) and 0 <= right * left.bit_length() < _MAX_BITS:
            return int(left**right) if right >= 0 else math.pow(left, right)
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


def bounded(number: Number) -> Number:
    """A number as it is; an integer that no double reaches is infinite."""
    if isinstance(number, int) and number.bit_length() >= _MAX_BITS:
        return math.inf if number > 0 else -math.inf
    return number


ARITHMETIC: dict[str, Callable[[Any, Any], Number]] = {
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "//": floor_divide,
    "%": remainder,
    "**": power,
}
"""The binary operators besides `+`; each takes numbers (`to_number`)."""
