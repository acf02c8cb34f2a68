"""The values of assertions: read once where they are fixed, for each case where they hold templates."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from sagemaker_eval.assertions.base import Subject, is_templated, shortened
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, compact_json
from sagemaker_eval.registry import nearest_name

T = TypeVar("T")

WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
    "\u205f\u3000\ufeff"
)
"""What ECMAScript counts as white space. Python's own idea differs: U+FEFF is none there, U+0085 is."""


def finite_number(value: Json) -> float | None:
    """A number as a finite float; None for anything else, booleans and integers beyond a float included."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def value_reader(spec: AssertionSpec, read: Callable[[Json], T]) -> Callable[[Subject], T]:
    """What `read` makes of the value of a spec, for each subject.

    `read` raises `ConfigError` for a value that cannot be judged by: it comes through at once where the value is fixed,
    and as a `CaseError` of the case whose variables made the value so.
    """
    if is_templated(spec.value):
        return lambda subject: _of_case(read, subject.value)
    fixed = read(spec.value)
    return lambda _: fixed


def _of_case(read: Callable[[Json], T], value: Json) -> T:
    try:
        return read(value)
    except ConfigError as error:
        problem = error.problems[0]
        raise CaseError(
            f"{problem.message}; in this case it is `{shortened(compact_json(value))}`", problem.hint
        ) from error


def refuse_value(spec: AssertionSpec) -> None:
    """Raises `ConfigError` where a spec has a value though its kind takes none."""
    if spec.value is not None:
        raise ConfigError.of(f"`{spec.type}` takes no `value`", hint="remove the `value`")


def refuse_unknown_keys(spec: AssertionSpec, value: dict[str, Json], known: tuple[str, ...]) -> None:
    """Raises `ConfigError` where an object that is the value of a spec has a key besides `known`."""
    for key in value:
        if key not in known:
            nearest = nearest_name(str(key), known)
            hint = f"did you mean `{nearest}`?" if nearest else f"keys: {', '.join(f'`{name}`' for name in known)}"
            raise ConfigError.of(f"unknown key `{key}` in the value of `{spec.type}`", hint=hint)
