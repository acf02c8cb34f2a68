"""What is wrong with a configuration, in words: pydantic's findings as `Problem`s, and problems as text to print."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sagemaker_eval.config.fields import WORDED
from sagemaker_eval.config.locating import locate
from sagemaker_eval.config.masking import is_credential
from sagemaker_eval.config.places import pointer_name, within
from sagemaker_eval.config.schema import Entry
from sagemaker_eval.config.slips import nearest_key
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place

MAX_SHOWN = 50
"""Problems that are printed; of more, only the count is."""

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True, slots=True)
class KeyProblem(Problem):
    """A problem of a key itself: it is shown where the key stands, not its value."""


def not_yet_supported(key: str, where: Place) -> KeyProblem:
    """The problem of a key that a later version knows and this one would have to ignore."""
    return KeyProblem(f"`{key}` is not yet supported", where, "take it out: this version could only pass over it")


def unknown_name(what: str, name: str, known: tuple[str, ...], where: Place) -> Problem:
    """The problem of a name that nothing carries; the hint suggests the nearest and lists the known ones."""
    nearest = nearest_key(name, known)
    suggestion = f"did you mean `{nearest}`? " if nearest else ""
    return Problem(f"unknown {what} `{name}`", where, f"{suggestion}known: {listed(known)}")


def listed(names: tuple[str, ...]) -> str:
    """Names for a hint: each in backticks, separated by commas."""
    return ", ".join(f"`{name}`" for name in names)


def describe(value: Json) -> str:
    """What a value is, for "…, not …": scalars are quoted (shortened), containers only named."""
    match value:
        case None:
            return "empty"
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number `{value}`"
        case str():
            return f"the text `{shortened(value)}`"
        case list():
            return "a list"
        case _:
            return "a map"


def shortened(text: str, limit: int = 40) -> str:
    """A text on one line, cut with an ellipsis where it is longer than `limit`."""
    line = " ".join(text[: 4 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def misshapen(expected: str, value: Json, where: Place, hint: str | None = None) -> ConfigError:
    """The error of a value that has the wrong shape: `expected` is "a list" or the like."""
    return ConfigError.of(f"`{pointer_name(where.pointer)}` must be {expected}, not {describe(value)}", where, hint)


def check(model: type[E], raw: Json, where: Place) -> E:
    """`raw` as an entry of `model`. Raises `ConfigError` with everything that is wrong with it."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise ConfigError(_problem(detail, model, where) for detail in details) from None


def render_problems(error: ConfigError) -> str:
    """The problems as the command line prints them: one line each, hints indented below, and how many there are."""
    return "\n".join(_lines(error))


def _lines(error: ConfigError) -> Iterator[str]:
    for problem in sorted(map(_with_line, error.problems), key=_reading_order)[:MAX_SHOWN]:
        yield str(problem)
        if problem.hint:
            yield f"  {problem.hint}"
    count = len(error.problems)
    if count > MAX_SHOWN:
        yield f"{count} problems, the first {MAX_SHOWN} of them shown"
    elif count > 1:
        yield f"{count} problems"


def _with_line(problem: Problem) -> Problem:
    return Problem(" ".join(problem.message.splitlines()), located(problem), problem.hint)


def _reading_order(problem: Problem) -> tuple[str, int, int]:
    place = problem.where
    return (place.path, place.line or 0, place.column or 0) if place else ("", 0, 0)


def located(problem: Problem) -> Place | None:
    """The place of a problem with line and column, as far as the file still tells."""
    where = problem.where
    if where is None or where.line is not None or not where.pointer:
        return where
    return locate(where, key=isinstance(problem, KeyProblem))


_EXPECTED: Mapping[str, str] = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "number_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "a map",
    "model_type": "a map",
    "model_attributes_type": "a map",
}

_BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("gt", "greater than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def _problem(detail: ErrorDetails, model: type[Entry], where: Place) -> Problem:
    place = within(where, *detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown_key(str(detail["loc"][-1]), _entry_at(model, detail["loc"][:-1]), place)
    if kind == "missing":
        return Problem(f"`{detail['loc'][-1]}` is missing", within(where, *detail["loc"][:-1]))
    secret = any(is_credential(str(step)) for step in place.pointer)
    name, value = pointer_name(place.pointer), "" if secret else f", not {describe(detail['input'])}"
    hint = "put it in quotes" if kind == "string_type" and isinstance(detail["input"], int | float) else None
    return Problem(f"`{name}` {_clause(detail, value)}", place, hint)


def _clause(detail: ErrorDetails, but: str) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == WORDED:
        clause = str(context["clause"])
        return clause if clause.startswith("must not") else clause + but
    if kind in _BOUNDS:
        bound, relation = _BOUNDS[kind]
        return f"must be {relation} {context[bound]:g}{but}"
    if kind in _EXPECTED:
        return f"must be {_EXPECTED[kind]}{but}"
    return f"is wrong: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def unknown_key(key: str, entry: type[Entry], where: Place) -> KeyProblem:
    """The problem of a key that an entry has no field for: a later one, or none at all."""
    if key in entry.later:
        return not_yet_supported(key, where)
    known = entry.known_keys()
    nearest = nearest_key(key, known)
    hint = f"did you mean `{nearest}`?" if nearest else f"known keys: {listed(known)}"
    return KeyProblem(f"unknown key `{key}` {entry.where_it_stands}", where, hint)


def _entry_at(model: type[Entry], steps: tuple[str | int, ...]) -> type[Entry]:
    """The entry class that `steps` lead to from `model`."""
    for step in steps:
        for name, field in model.model_fields.items():
            if step == (field.alias or name):
                model = next(_entries(field.annotation), model)
    return model


def _entries(annotation: Any) -> Iterator[type[Entry]]:
    if isinstance(annotation, type) and not get_args(annotation):
        if issubclass(annotation, Entry):
            yield annotation
        return
    for argument in get_args(annotation):
        yield from _entries(argument)
