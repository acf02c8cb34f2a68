"""The properties and methods that templates may use on texts, lists, numbers and objects.

The names are JavaScript's; the harmless ones of Python are there besides. What is not in these tables does not exist
for a template. No method changes its owner: variables are shared by many cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any

from sagemaker_eval.errors import RenderError
from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.bounds import check_items, joined, replaced
from sagemaker_eval.text.templating.javascript_values import strictly_equal, to_text

MAX_TEXT = 1_000_000
"""Characters that one call may make at most."""

Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Method:
    """A method taken from its owner, ready to be called."""

    name: str
    function: Function
    owner: Any

    def __call__(self, *arguments: Any) -> Any:
        return self.function(self.owner, *arguments)


def find_method(owner: object, name: str) -> Method | None:
    """The method `name` of `owner`, or None where values of its sort have no such method.

    Raises `RenderError` for the JavaScript methods that would change a list.
    """
    if isinstance(owner, list) and name in _CHANGING:
        raise RenderError(
            f"`{name}` would change a list that other cases share",
            hint="make a new list instead, as in `{% set items = items.concat([x]) %}`",
        )
    function = _table(owner).get(name)
    return Method(name, function, owner) if function else None


def _table(owner: object) -> Mapping[str, Function]:
    if isinstance(owner, str):
        return _TEXT
    if isinstance(owner, list | tuple):
        return _LIST
    if isinstance(owner, bool):
        return _ANY
    if isinstance(owner, int | float):
        return _NUMBER
    return _ANY if isinstance(owner, dict) else {}


def _bounded(length: int) -> int:
    if length > MAX_TEXT:
        raise RenderError(f"a text of {length} characters is more than a template may make")
    return length


def _span(size: int, start: int, end: int | None) -> slice:
    """Bounds by the rules of `slice`: negative ones count from the end."""
    low, high, _ = slice(int(start), None if end is None else int(end)).indices(size)
    return slice(low, high)


def _slice(owner: Any, start: int = 0, end: int | None = None) -> Any:
    return owner[_span(len(owner), start, end)]


def _at(owner: Any, index: int = 0) -> Any:
    return owner[index] if -len(owner) <= index < len(owner) else None


def _substring(text: str, start: int, end: int | None = None) -> str:
    low, high = sorted(min(max(int(bound), 0), len(text)) for bound in (start, len(text) if end is None else end))
    return text[low:high]


def _substr(text: str, start: int, length: int | None = None) -> str:
    rest = text[start:]
    return rest if length is None else rest[: max(int(length), 0)]


def _split(text: str, separator: str | None = None, limit: int | None = None) -> list[str]:
    if separator is None:
        return [text]
    parts = text.split(separator) if separator else list(text)
    return parts if limit is None else parts[:limit]


def _pad(text: str, width: int, filler: str) -> str:
    missing = _bounded(int(width)) - len(text)
    return (filler * (missing // len(filler) + 1))[:missing] if missing > 0 and filler else ""


def _repeat(text: str, count: int) -> str:
    if count < 0:
        raise RenderError(f"`repeat` cannot repeat {count} times")
    _bounded(len(text) * int(count))
    return text * int(count)


def _index_in_list(items: list[Json], item: Json) -> int:
    return next((index for index, other in enumerate(items) if strictly_equal(other, item)), -1)


def _last_index_in_list(items: list[Json], item: Json) -> int:
    return max((index for index, other in enumerate(items) if strictly_equal(other, item)), default=-1)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _flat(items: list[Json], depth: int = 1) -> list[Json]:
    for _ in range(min(int(depth), 100)):
        check_items(sum(len(item) if isinstance(item, list | tuple) else 1 for item in items))
        items = list(chain.from_iterable(map(_as_list, items)))
    return items


def _sorted_as_texts(items: list[Json]) -> list[Json]:
    return sorted(items, key=to_text)


def _to_fixed(number: float, digits: int = 0) -> str:
    """Number.prototype.toFixed: rounds the exact value of the double, halves away from zero."""
    if not 0 <= digits <= 100:
        raise RenderError(f"`toFixed` takes 0 to 100 digits, not {digits}")
    if abs(number) < 1e21:
        return format(Decimal(number).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP), "f")
    return to_text(number)


def _has_own_property(owner: object, key: str) -> bool:
    return isinstance(owner, dict) and key in owner


def _count(text: str, part: str) -> int:
    return text.count(part)


_ANY: dict[str, Function] = {
    "toString": to_text,
    "hasOwnProperty": _has_own_property,
}

_TEXT: dict[str, Function] = {
    **_ANY,
    "at": _at,
    "charAt": lambda text, index=0: text[index] if 0 <= index < len(text) else "",
    "charCodeAt": lambda text, index=0: ord(text[index]) if 0 <= index < len(text) else None,
    "concat": lambda text, *others: text + "".join(map(to_text, others)),
    "endsWith": lambda text, part: text.endswith(part),
    "includes": lambda text, part, start=0: to_text(part) in text[max(start, 0) :],
    "indexOf": lambda text, part, start=0: text.find(to_text(part), max(start, 0)),
    "lastIndexOf": lambda text, part: text.rfind(to_text(part)),
    "padEnd": lambda text, width, filler=" ": text + _pad(text, width, filler),
    "padStart": lambda text, width, filler=" ": _pad(text, width, filler) + text,
    "repeat": _repeat,
    "replace": lambda text, old, new: text.replace(to_text(old), to_text(new), 1),
    "replaceAll": lambda text, old, new: replaced(text, to_text(old), to_text(new)),
    "slice": _slice,
    "split": _split,
    "startsWith": lambda text, part, start=0: text.startswith(part, max(start, 0)),
    "substr": _substr,
    "substring": _substring,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "trimEnd": str.rstrip,
    "trimStart": str.lstrip,
    # Python's names
    "capitalize": str.capitalize,
    "count": _count,
    "endswith": str.endswith,
    "find": str.find,
    "isdigit": str.isdigit,
    "join": lambda text, items: joined(text, list(map(to_text, items))),
    "lower": str.lower,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "splitlines": str.splitlines,
    "startswith": str.startswith,
    "strip": str.strip,
    "title": str.title,
    "upper": str.upper,
}

_LIST: dict[str, Function] = {
    **_ANY,
    "at": _at,
    "concat": lambda items, *others: [*items, *chain.from_iterable(map(_as_list, others))],
    "flat": _flat,
    "includes": lambda items, item: _index_in_list(items, item) >= 0,
    "indexOf": _index_in_list,
    "join": lambda items, separator=",": joined(to_text(separator), list(map(to_text, items))),
    "lastIndexOf": _last_index_in_list,
    "reverse": lambda items: list(reversed(items)),
    "slice": _slice,
    "sort": _sorted_as_texts,
    # Python's names
    "count": lambda items, item: sum(strictly_equal(other, item) for other in items),
    "index": _index_in_list,
}

_NUMBER: dict[str, Function] = {
    **_ANY,
    "toFixed": _to_fixed,
}

_CHANGING = frozenset(
    ("push", "pop", "shift", "unshift", "splice", "fill", "append", "extend", "insert", "remove", "clear")
)
