"""What a YAML scalar means: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).

Against PyYAML's YAML 1.1: `yes`, `on`, `1_000`, `1:30` and dates are text, `010` is ten, `1e3` is a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal

from sagemaker_eval.model import Json

TAG_PREFIX = "tag:yaml.org,2002:"

_WORDS: dict[str, Json] = {
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_WORD_STARTS = frozenset("~nNtTfF")
_NUMBER_STARTS = frozenset("+-.0123456789")

_INTEGER = re.compile(r"[-+]?[0-9]+")
_BASED_INTEGER = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INFINITY = re.compile(r"[-+]?\.(?:inf|Inf|INF)")
_NOT_A_NUMBER = frozenset((".nan", ".NaN", ".NAN"))


def plain_scalar(text: str) -> Json:
    """The value of a scalar without quotes and tag. Raises ValueError for an integer of thousands of digits."""
    if not text:
        return None
    start = text[0]
    if start in _WORD_STARTS:
        return _WORDS.get(text, text)
    if start in _NUMBER_STARTS:
        return _number(text)
    return text


def _number(text: str) -> int | float | str:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _BASED_INTEGER.fullmatch(text):
        return int(text, 0)
    if _INFINITY.fullmatch(text):
        return -math.inf if text[0] == "-" else math.inf
    return math.nan if text in _NOT_A_NUMBER else text


def tagged_scalar(tag: str, text: str) -> Json:
    """The value of a scalar with an explicit tag, `!!int` in full. Raises ValueError, worded for the user."""
    name = tag.removeprefix(TAG_PREFIX)
    if tag == "!":
        return text
    if name == tag or name not in _TAGGED:
        raise ValueError(f"the tag `{short_tag(tag)}` is not supported on a scalar")
    try:
        return _TAGGED[name](text)
    except ValueError:
        raise ValueError(f"`{text}` does not fit its tag `{short_tag(tag)}`") from None


def short_tag(tag: str) -> str:
    """The tag as users write it: `!!int`, `!mine`."""
    return f"!!{tag.removeprefix(TAG_PREFIX)}" if tag.startswith(TAG_PREFIX) else tag


def _of_type(*types: type) -> Callable[[str], Json]:
    def read(text: str) -> Json:
        value = plain_scalar(text)
        if type(value) not in types:
            raise ValueError(text)
        return value

    return read


def _float(text: str) -> float:
    return float(_of_type(int, float)(text))


_TAGGED: dict[str, Callable[[str], Json]] = {
    "str": str,
    "timestamp": str,
    "int": _of_type(int),
    "float": _float,
    "bool": _of_type(bool),
    "null": _of_type(type(None)),
}


def key_text(key: bool | int | float | None) -> str:
    """A key that is not a string, as JavaScript makes it one: `1.0` is `1`, `True` is `true`."""
    if key is None:
        return "null"
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(key) if isinstance(key, int) else _float_text(key)


def _float_text(number: float) -> str:
    """ECMA-262 Number::toString: plain digits from 1e-6 up to 1e21, else an exponent without leading zeros."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == 0 or 1e-6 <= abs(number) < 1e21:
        digits = format(Decimal(repr(abs(number))), "f").removesuffix(".0")
        return f"-{digits}" if number < 0 else digits
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa}e{int(exponent):+d}"
