"""Values that go into the user's Python and come out of it: plain JSON both ways, and copies both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping

from sagemaker_eval.model import Json
from sagemaker_eval.text.suggestions import Step, path_of

_MOST_BITS = 4096

_ADVICE = {
    "set": "make a list of it: `sorted(...)`",
    "frozenset": "make a list of it: `sorted(...)`",
    "bytes": "decode it: `value.decode()`",
    "bytearray": "decode it: `value.decode()`",
    "generator": "make a list of it: `list(...)`",
    "coroutine": "`await` it",
    "Decimal": "make it a number or a text: `float(value)`, `str(value)`",
    "datetime": "make it a text: `value.isoformat()`",
    "date": "make it a text: `value.isoformat()`",
}


class NotJson(Exception):
    """A value that is no JSON: `what` it is, and the `steps` that lead to it."""

    def __init__(self, what: str, advice: str = "return text, numbers, booleans, None, or lists and dicts of these"):
        super().__init__(what)
        self.what = what
        self.advice = advice
        self.steps: list[Step] = []

    def __str__(self) -> str:
        return f"{self.what} at `{path_of(tuple(reversed(self.steps)))}`" if self.steps else self.what


def to_json_value(value: object) -> Json:
    """`value` as plain JSON: tuples become lists, mappings dicts, numpy's arrays and numbers lists and numbers.

    Raises `NotJson` for anything else, for NaN and infinities, and for what is nested too deeply or within itself.
    """
    try:
        return _plain(value)
    except RecursionError:
        raise NotJson("a value that is nested too deeply, or that holds itself") from None


def as_argument(value: Json) -> Json:
    """A copy that the user's function may change: plain dicts and lists, whatever else they hold as it is."""
    if type(value) is str:
        return value
    if isinstance(value, Mapping):
        return {key: as_argument(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_argument(item) for item in value]
    return value


def _plain(value: object) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, Mapping):
        return {_key(key): _inside(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_inside(item, index) for index, item in enumerate(value)]
    if type(value).__module__ == "numpy" and hasattr(value, "tolist"):
        return _plain(value.tolist())
    raise _unknown(value)


def _number(value: int | float) -> int | float:
    if isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise NotJson(f"an integer of {value.bit_length()} bits", "return it as a text")
        return int(value)
    if not math.isfinite(value):
        raise NotJson(
            f"{float(value)}".replace("nan", "NaN").replace("inf", "infinity"), "return None where there is no number"
        )
    return float(value)


def _key(key: object) -> str:
    """A key as `json.dumps` would write it."""
    if isinstance(key, str):
        return str.__str__(key)
    if isinstance(key, bool) or key is None:
        return {True: "true", False: "false", None: "null"}[key]
    if isinstance(key, int | float):
        return str(_number(key))
    raise NotJson(f"a dict with a key of type `{type(key).__name__}`", "use texts as keys")


def _inside(value: object, step: Step) -> Json:
    try:
        return _plain(value)
    except NotJson as error:
        error.steps.append(step)
        raise


def _unknown(value: object) -> NotJson:
    if callable(value):
        return NotJson("a function", "call it, and return its result")
    name = type(value).__name__
    advice = _ADVICE.get(name)
    return NotJson(f"a value of type `{name}`", advice) if advice else NotJson(f"a value of type `{name}`")
