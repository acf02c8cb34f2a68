"""Decoded JSON values as JavaScript sees them: as text, as truth, as numbers, compared and added.

Templates are written for nunjucks, which prints and compares by ECMAScript's rules. Three deviations are deliberate:
an object prints as its JSON (never `[object Object]`), null and undefined print as nothing wherever text is made, and
integers stay exact beyond 2**53.
"""

from __future__ import annotations

import json
import math
import re
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

from jinja2 import Undefined

from sagemaker_eval.errors import RenderError
from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.bounds import check_items, joined

Number: TypeAlias = int | float

_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)")
_PREFIXED = re.compile(r"0([xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_INFINITY = re.compile(r"[+-]?Infinity")


def kind(value: object) -> str:
    """What a user calls this sort of value, with its article: `a list`, `nothing`."""
    if value is None or isinstance(value, Undefined):
        return "nothing"
    names: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "text"),
        (bool, "a boolean"),
        ((int, float), "a number"),
        ((list, tuple), "a list"),
        (dict, "an object"),
    )
    for types, name in names:
        if isinstance(value, types):
            return name
    return "a function" if callable(value) else "a value that is not JSON"


def to_text(value: object) -> str:
    """`value` as it is printed. Raises `RenderError` for what has no text, such as a function."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list | tuple):
        texts: list[str] = []
        _collect(value, texts)
        return joined(",", texts)
    if isinstance(value, dict):
        return to_json(value)
    if isinstance(value, date):
        return value.isoformat()
    raise RenderError(f"{kind(value)} cannot be printed")


def _collect(items: list[Any] | tuple[Any, ...], texts: list[str]) -> None:
    """The texts of what a list and the lists in it hold; an empty list counts as an empty text."""
    check_items(len(texts) + len(items))
    if not items:
        texts.append("")
    for item in items:
        if isinstance(item, list | tuple):
            _collect(item, texts)
        else:
            texts.append(to_text(item))


def number_text(value: float) -> str:
    """A double as ECMAScript's Number::toString writes it: no `.0`, exponents from 1e21 and below 1e-6."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        digits = format(Decimal(repr(value)), "f")
        return digits.removesuffix(".0")
    mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
    return f"{mantissa}e{int(exponent):+d}"


def to_json(value: object, indent: int | str | None = None) -> str:
    """`value` as JSON.stringify writes it. `indent` counts spaces (10 at most), or is what to indent with; 0 or "" is
    compact.

    Raises `RenderError` for what is not JSON, such as a function.
    """
    plain = _Plain().of(value)
    if not indent:
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    indent = indent[:10] if isinstance(indent, str) else min(int(indent), 10)
    return json.dumps(plain, ensure_ascii=False, indent=indent)


class _Plain:
    """Makes plain JSON of values, and counts them."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def of(self, value: object) -> Json:
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float):
            return _plain_float(value)
        if isinstance(value, dict):
            self._add(len(value))
            return {to_text(key): self.of(item) for key, item in value.items() if not isinstance(item, Undefined)}
        if isinstance(value, list | tuple):
            self._add(len(value))
            return [self.of(item) for item in value]
        if isinstance(value, Undefined):
            return None
        if isinstance(value, date):
            return value.isoformat()
        raise RenderError(f"{kind(value)} cannot be written as JSON")

    def _add(self, count: int) -> None:
        self.count += count
        check_items(self.count)


def _plain_float(value: float) -> Number | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < 1e21 else value


def truthy(value: object) -> bool:
    """ECMAScript's ToBoolean: empty lists and objects are true, NaN is not."""
    if isinstance(value, bool):
        return value
    if isinstance(value, list | tuple | dict):
        return True
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def to_number(value: object) -> Number:
    """ECMAScript's ToNumber, with integers kept exact; NaN for what is no number."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, list | tuple):
        return _text_number(to_text(value))
    return _text_number(value) if isinstance(value, str) else math.nan


def _text_number(text: str) -> Number:
    text = text.strip()
    if not text:
        return 0
    if _DECIMAL.fullmatch(text):
        return int(text) if text.lstrip("+-").isdecimal() and len(text) < 300 else float(text)
    if _PREFIXED.fullmatch(text) and len(text) < 300:
        return int(text, 0)
    return float(text) if _INFINITY.fullmatch(text) else math.nan


def _is_nothing(value: object) -> bool:
    return value is None or isinstance(value, Undefined)


def _is_composite(value: object) -> bool:
    return isinstance(value, list | tuple | dict)


def loosely_equal(left: object, right: object) -> bool:
    """ECMAScript's `==`, except that lists and objects compare by what they hold."""
    if type(left) is type(right) and not isinstance(left, Undefined):
        return left == right
    if _is_nothing(left) or _is_nothing(right):
        return _is_nothing(left) and _is_nothing(right)
    if _is_composite(left) and _is_composite(right):
        return left == right
    if isinstance(left, str) and _is_composite(right):
        return left == to_text(right)
    if _is_composite(left) and isinstance(right, str):
        return to_text(left) == right
    return to_number(left) == to_number(right)


def strictly_equal(left: object, right: object) -> bool:
    """ECMAScript's `===`: no conversion between types; lists and objects compare by what they hold."""
    if isinstance(left, Undefined) or isinstance(right, Undefined):
        return isinstance(left, Undefined) and isinstance(right, Undefined)
    if isinstance(left, bool) is not isinstance(right, bool):
        return False
    return left == right


def less(left: object, right: object) -> bool:
    """ECMAScript's `<`: two texts by their characters, anything else as numbers; false where one is no number."""
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left < right
    return to_number(left) < to_number(right)


def less_or_equal(left: object, right: object) -> bool:
    """ECMAScript's `<=`, by the rules of `less`."""
    left, right = _primitive(left), _primitive(right)
    if isinstance(left, str) and isinstance(right, str):
        return left <= right
    return to_number(left) <= to_number(right)


def _primitive(value: object) -> object:
    """What is compared in place of a list or an object: its text."""
    if isinstance(value, list | tuple):
        return to_text(value)
    return "[object Object]" if isinstance(value, dict) else value


def contains(container: object, item: object) -> bool:
    """nunjucks' `item in container`: an element of a list, a part of a text or a key of an object."""
    if isinstance(container, str):
        return to_text(item) in container
    if isinstance(container, dict):
        return item in container if isinstance(item, str) else to_text(item) in container
    if isinstance(container, list | tuple | range):
        return any(strictly_equal(element, item) for element in container)
    if _is_nothing(container):
        return False
    raise RenderError(f"`in` needs a list, a text or an object to look in, not {kind(container)}")
