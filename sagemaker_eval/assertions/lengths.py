"""Assertions on how long an output is: word-count, character-count."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject
from sagemaker_eval.assertions.values import WHITE_SPACE, refuse_unknown_keys, value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_number, to_text

_WORD = re.compile(f"[^{WHITE_SPACE}]+")


@dataclass(frozen=True, slots=True)
class Bounds:
    """The counts that are allowed, both ends included; None where there is no bound."""

    least: float | None
    most: float | None

    def hold(self, count: int) -> bool:
        return (self.least is None or count >= self.least) and (self.most is None or count <= self.most)

    def __str__(self) -> str:
        if self.least == self.most:
            return f"exactly {to_text(self.least)}"
        if self.least is not None and self.most is not None:
            return f"{to_text(self.least)} to {to_text(self.most)}"
        return f"at most {to_text(self.most)}" if self.least is None else f"at least {to_text(self.least)}"


@ASSERTIONS.register("word-count")
def word_count(spec: AssertionSpec) -> Check:
    """The output has `value` words, or between `min` and `max` of them; white space stands between words."""
    return _counted(spec, count_words, "words")


@ASSERTIONS.register("character-count")
def character_count(spec: AssertionSpec) -> Check:
    """The output has `value` characters (Unicode code points), or between `min` and `max` of them."""
    return _counted(spec, len, "characters")


def count_words(text: str) -> int:
    """The number of pieces between white space."""
    return len(_WORD.findall(text))


def _counted(spec: AssertionSpec, count: Callable[[str], int], unit: str) -> Check:
    bounds_of = value_reader(spec, lambda value: _bounds(spec, value))

    def check(subject: Subject) -> Verdict:
        bounds, found = bounds_of(subject), count(subject.text)
        if bounds.hold(found) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        wanted = f"not {bounds}" if spec.negated else str(bounds)
        return Verdict(False, 0.0, f"Expected {wanted} {unit}; the output has {found}", spec)

    return check


def _bounds(spec: AssertionSpec, value: Json) -> Bounds:
    if not isinstance(value, dict):
        exact = _number(spec, value)
        return Bounds(exact, exact)
    refuse_unknown_keys(spec, value, ("min", "max"))
    least, most = (None if value.get(key) is None else _number(spec, value[key]) for key in ("min", "max"))
    if least is None and most is None:
        raise ConfigError.of(f"the value of `{spec.type}` has neither `min` nor `max`")
    if least is not None and most is not None and least > most:
        raise ConfigError.of(f"`min` is above `max` in the value of `{spec.type}`")
    return Bounds(least, most)


def _number(spec: AssertionSpec, value: Json) -> float:
    """A number, or a text that is one. Raises `ConfigError` for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    number = to_number(value) if is_number or (isinstance(value, str) and value.strip()) else math.nan
    if math.isnan(number):
        hint = "for example `value: 50` or `value: {min: 10, max: 50}`"
        raise ConfigError.of(f"`{spec.type}` needs a `value`: a number, or `min` and `max`", hint=hint)
    return number
