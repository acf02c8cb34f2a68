"""The filters of numbers, with nunjucks' results."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from jinja2 import Undefined

from sagemaker_eval.text.templating.javascript_values import Number, to_number, to_text


def _abs(value: object) -> Number:
    return abs(to_number(value))


def _round(value: object, precision: int = 0, method: str = "common") -> Number:
    """Rounds half up; `method` may be `floor` or `ceil`."""
    number = to_number(value)
    if isinstance(number, int) or not math.isfinite(number):
        return number
    factor = 10 ** max(-300, min(int(precision), 300))
    scaled = Decimal(number * factor)
    if method == "common":
        rounded = (scaled + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    else:
        rounded = scaled.to_integral_value(ROUND_CEILING if method == "ceil" else ROUND_FLOOR)
    return float(int(rounded) / factor)


def _int(value: object, default: object = None, base: int = 10) -> object:
    """parseInt: the integer that the text begins with, else `default`."""
    if isinstance(value, bool) or value is None or isinstance(value, Undefined):
        return default
    if isinstance(value, int | float):
        return int(value) if math.isfinite(value) else default
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"[: int(base)]
    prefix = "(?:0x)?" if int(base) == 16 else ""
    found = re.match(rf"\s*([+-]?{prefix}[{digits}]+)", to_text(value), re.IGNORECASE)
    return int(found[1], int(base)) if found and len(found[1]) < 300 else default


def _float(value: object, default: object = None) -> object:
    """parseFloat: the number that the text begins with, else `default`."""
    if isinstance(value, bool) or value is None or isinstance(value, Undefined):
        return default
    found = re.match(r"\s*([+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)", to_text(value), re.IGNORECASE)
    return float(found[1]) if found else default


NUMBER_FILTERS: dict[str, Callable[..., Any]] = {"abs": _abs, "float": _float, "int": _int, "round": _round}
