"""The filters of templates: nunjucks' own, with nunjucks' results, on top of those that Jinja2 has besides.

Filters of text take null and undefined as empty text; an undefined value passes through them unchanged, so that the
place where it is printed can still tell its name.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import jinja2.filters
from jinja2 import Undefined, pass_context, pass_environment

from sagemaker_eval.errors import RenderError
from sagemaker_eval.model import Json
from sagemaker_eval.text.templating.arithmetic import add
from sagemaker_eval.text.templating.bounds import check_items, check_size, joined, replaced
from sagemaker_eval.text.templating.javascript_values import (
    Number,
    kind,
    less,
    loosely_equal,
    to_json,
    to_text,
    truthy,
)
from sagemaker_eval.text.templating.number_filters import NUMBER_FILTERS
from sagemaker_eval.text.templating.text_filters import TEXT_FILTERS

Filter = Callable[..., Any]
_UNSUPPORTED = ("attr", "format", "pprint", "xmlattr")
"""Filters of Jinja2 that nunjucks lacks, and that reach into Python or print its notation."""


def build_filters(made: Callable[[Any], Any]) -> dict[str, Filter]:
    """All filters by name; each raises `RenderError` naming itself where it cannot take its value.

    What a filter makes goes through `made`, which may refuse it.
    """
    filters = {name: _listing(function) for name, function in jinja2.filters.FILTERS.items()}
    for name in _UNSUPPORTED:
        del filters[name]
    filters |= _GENERAL | NUMBER_FILTERS
    filters |= {name: _of_text(function) for name, function in TEXT_FILTERS.items()}
    return {name: guarded("filter", name, function, made) for name, function in filters.items()}


def guarded(what: str, name: str, function: Filter, made: Callable[[Any], Any] = lambda value: value) -> Filter:
    """A filter or test (`what`) that raises `RenderError` naming itself where Python would complain of arguments."""
    position = 1 if hasattr(function, "jinja_pass_arg") else 0

    @functools.wraps(function)
    def guarding(*args: Any, **kwargs: Any) -> Any:
        try:
            return made(function(*args, **kwargs))
        except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            value = kind(args[position])
            raise RenderError(f"the {what} `{name}` cannot take {value} with these arguments") from error

    return guarding


def _listing(function: Filter) -> Filter:
    """`function`, with a list in place of an iterator and plain text in place of markup."""

    @functools.wraps(function)
    def listing(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if isinstance(result, str):
            return str(result)
        return list(result) if hasattr(result, "__next__") else result

    return listing


def _of_text(function: Filter) -> Filter:
    @functools.wraps(function)
    def of_text(value: object, *args: Any, **kwargs: Any) -> Any:
        return value if isinstance(value, Undefined) else function(to_text(value), *args, **kwargs)

    return of_text


def _items(value: Any) -> list[Json]:
    """The elements that list filters see: of lists, of texts, of nothing; an object has none."""
    if value is None or isinstance(value, Undefined):
        return []
    return list(value)


def _dump(value: object, spaces: int | str | None = None, **_: Any) -> object:
    """JSON.stringify; a keyword `indent` is ignored, as nunjucks ignores it."""
    return value if isinstance(value, Undefined) else to_json(value, spaces)


def _load(value: object) -> Json:
    """JSON.parse, which knows null by its name."""
    if value is None or isinstance(value, Undefined):
        return value
    try:
        return json.loads(to_text(value))
    except ValueError as error:
        raise RenderError(f"the filter `load` needs JSON text ({error})") from None


def _default(value: object, default: object = "", falsy: object = False, boolean: object = False) -> object:
    use_default = not truthy(value) if truthy(falsy) or truthy(boolean) else isinstance(value, Undefined)
    return default if use_default else value


def _length(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict | range) else 0


@pass_environment
def _join(environment: Any, value: Any, separator: object = "", attribute: str | None = None) -> str:
    items = [value] if isinstance(value, str) else _items(value)
    if attribute:
        items = [environment.getattr(item, attribute) for item in items]
    return joined(to_text(separator), list(map(to_text, items)))


def _first(value: Any) -> Json:
    return next(iter(_items(value)), None)


def _last(value: Any) -> Json:
    return next(reversed(_items(value)), None)


def _replace(value: object, old: object, new: object = "", count: int = -1) -> object:
    """Replaces in texts and numbers; anything else stays as it is."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "" if value is None else value
    if value == "" == old:
        return to_text(new) * 2  # nunjucks finds two places in it
    return replaced(to_text(value), to_text(old), to_text(new), count)


def _reverse(value: Any) -> Json:
    return value[::-1] if isinstance(value, str) else _items(value)[::-1]


def _list(value: Any) -> list[Json]:
    if isinstance(value, dict):
        return [{"key": key, "value": item} for key, item in value.items()]
    return _items(value)


def _random(value: Any) -> Json:
    items = _items(value)
    return random.choice(items) if items else None


@pass_environment
def _sort(
    environment: Any,
    value: Any,
    reverse: object = False,
    case_sensitive: object = False,
    attribute: str | None = None,
) -> list[Json]:
    def key(item: Json) -> Json:
        if attribute:
            item = _attribute(environment, item, attribute)
        return item.lower() if isinstance(item, str) and not truthy(case_sensitive) else item

    def compare(left: Json, right: Json) -> int:
        return int(less(right, left)) - int(less(left, right))

    by_key = functools.cmp_to_key(lambda left, right: compare(key(left), key(right)))
    return sorted(_items(value), key=by_key, reverse=truthy(reverse))


@pass_environment
def _groupby(environment: Any, value: Any, attribute: str) -> dict[str, list[Json]]:
    """An object from each value of `attribute` to its items. JavaScript has keys that are whole numbers first."""
    groups: dict[str, list[Json]] = {}
    for item in _items(value):
        groups.setdefault(to_text(_attribute(environment, item, attribute)), []).append(item)
    numbers = sorted((key for key in groups if key.isdecimal() and str(int(key)) == key), key=int)
    return {key: groups[key] for key in dict.fromkeys((*numbers, *groups))}


def _attribute(environment: Any, item: Json, path: str) -> Json:
    """What a path such as `town.name` leads to."""
    for name in path.split("."):
        item = environment.getattr(item, name)
    return item


@pass_environment
def _sum(environment: Any, value: Any, attribute: str | None = None, start: Number = 0) -> str | Number:
    items = _items(value)
    if attribute:
        items = [environment.getattr(item, attribute) for item in items]
    total: str | Number = 0
    for item in items:
        total = add(total, item)
    return add(start, total)


@pass_context
def _selectattr(context: Any, value: Any, attribute: str, *test: Any) -> list[Json]:
    if test:
        return list(jinja2.filters.do_selectattr(context, _items(value), attribute, *test))
    return [item for item in _items(value) if truthy(context.environment.getattr(item, attribute))]


@pass_context
def _rejectattr(context: Any, value: Any, attribute: str, *test: Any) -> list[Json]:
    if test:
        return list(jinja2.filters.do_rejectattr(context, _items(value), attribute, *test))
    return [item for item in _items(value) if not truthy(context.environment.getattr(item, attribute))]


@pass_context
def _select(context: Any, value: Any, test: str = "truthy", *arguments: Any) -> list[Json]:
    return list(jinja2.filters.do_select(context, _items(value), test, *arguments))


@pass_context
def _reject(context: Any, value: Any, test: str = "truthy", *arguments: Any) -> list[Json]:
    return list(jinja2.filters.do_reject(context, _items(value), test, *arguments))


@pass_environment
def _wordwrap(environment: Any, value: object, width: int = 79, *rest: Any, **named: Any) -> str:
    text = to_text(value)
    wrapping = to_text(named.get("wrapstring", rest[1] if len(rest) > 1 else ""))
    check_size(len(text) // max(int(width), 1) * len(wrapping))
    return jinja2.filters.do_wordwrap(environment, text, width, *rest, **named)


def _batch(value: Any, size: int, fill: Json = None) -> list[Json]:
    check_items(int(size))
    return list(jinja2.filters.do_batch(_items(value), int(size), fill))


def _slice(value: Any, slices: int, fill: Json = None) -> list[Json]:
    check_items(int(slices))
    return list(jinja2.filters.sync_do_slice(_items(value), int(slices), fill))


def _unique(value: Any) -> list[Json]:
    seen: list[Json] = []
    for item in _items(value):
        if not any(loosely_equal(item, other) for other in seen):
            seen.append(item)
    return seen


def _url_encode(value: object) -> object:
    """encodeURIComponent of a text; `key=value` pairs joined by `&` for an object or a list of pairs."""
    if isinstance(value, Undefined):
        return value
    if not isinstance(value, dict | list):
        return _url_part(value)
    pairs: Sequence[Any] = list(value.items()) if isinstance(value, dict) else value
    return "&".join(f"{_url_part(key)}={_url_part(item)}" for key, item in pairs)


def _url_part(value: object) -> str:
    return quote(to_text(value), safe="!'()*~-_.")


_GENERAL: dict[str, Filter] = {
    "batch": _batch,
    "d": _default,
    "default": _default,
    "dump": _dump,
    "first": _first,
    "groupby": _groupby,
    "join": _join,
    "last": _last,
    "length": _length,
    "count": _length,
    "list": _list,
    "load": _load,
    "random": _random,
    "reject": _reject,
    "rejectattr": _rejectattr,
    "replace": _replace,
    "reverse": _reverse,
    "safe": lambda value: "" if value is None else value,
    "select": _select,
    "selectattr": _selectattr,
    "slice": _slice,
    "sort": _sort,
    "sum": _sum,
    "tojson": _dump,
    "unique": _unique,
    "urlencode": _url_encode,
    "wordwrap": _wordwrap,
}
