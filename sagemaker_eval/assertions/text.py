"""Assertions on the text itself: equals, contains, icontains, regex."""

from __future__ import annotations

import json
from collections.abc import Callable

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, decide, is_templated
from sagemaker_eval.assertions.javascript_regex import PatternError, compile_pattern
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict, compact_json


@ASSERTIONS.register("equals")
def equals(spec: AssertionSpec) -> Check:
    """The output is exactly `value`; an object or a list is compared with the output read as JSON."""
    if spec.value is None:
        raise ConfigError.of(f"`{spec.type}` needs a `value`")

    def check(subject: Subject) -> Verdict:
        return decide(spec, _is_equal(subject.value, subject.text), f'to equal "{javascript_text(subject.value)}"')

    return check


def _is_equal(value: Json, text: str) -> bool:
    if not isinstance(value, dict | list):
        return javascript_text(value) == text
    try:
        return same_json(value, json.loads(text))
    except ValueError:
        return False


def same_json(one: Json, other: Json) -> bool:
    """Deep equality as JavaScript has it: 1 equals 1.0, but true does not equal 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same_json(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def javascript_text(value: Json) -> str:
    """A scalar as JavaScript's String() prints it; lists and objects as compact JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    return compact_json(value)


def _substring(spec: AssertionSpec, fold: Callable[[str], str], phrase: str) -> Check:
    if not is_searchable(spec.value):
        raise ConfigError.of(f"`{spec.type}` needs a `value`: a non-empty string or a number")

    def check(subject: Subject) -> Verdict:
        if not is_searchable(subject.value):
            raise CaseError(f"the value of `{spec.type}` is empty for this case")
        wanted = javascript_text(subject.value)
        return decide(spec, fold(wanted) in fold(subject.text), f'to {phrase} "{wanted}"')

    return check


def is_searchable(value: Json) -> bool:
    """Whether a value can be looked for in a text: a non-empty string, or a number."""
    return bool(value) if isinstance(value, str) else isinstance(value, int | float) and not isinstance(value, bool)


@ASSERTIONS.register("contains")
def contains(spec: AssertionSpec) -> Check:
    """The output contains `value`."""
    return _substring(spec, str, "contain")


@ASSERTIONS.register("icontains")
def icontains(spec: AssertionSpec) -> Check:
    """The output contains `value`, upper and lower case being the same."""
    return _substring(spec, str.lower, "contain (ignoring case)")


@ASSERTIONS.register("regex")
def regex(spec: AssertionSpec) -> Check:
    """The pattern `value`, in JavaScript's dialect and without flags, is found somewhere in the output."""
    if not isinstance(spec.value, str) or not spec.value:
        raise ConfigError.of(f"`{spec.type}` needs a `value`: a regular expression")
    if not is_templated(spec.value):
        try:
            compile_pattern(spec.value)
        except PatternError as error:
            raise ConfigError.of(f"`{spec.type}`: {error}", hint=error.hint) from error

    def check(subject: Subject) -> Verdict:
        try:
            pattern = compile_pattern(javascript_text(subject.value))
        except PatternError as error:
            raise CaseError(f"`{spec.type}`: {error}", error.hint) from error
        return decide(spec, pattern.search(subject.text) is not None, f'to match regex "{subject.value}"')

    return check
