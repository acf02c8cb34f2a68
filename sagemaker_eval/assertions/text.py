"""Assertions on the text itself: equals, contains, icontains, starts-with, ends-with, regex."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, decide, is_templated, shortened
from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.assertions.regex.patterns import Pattern, PatternError, compile_pattern
from sagemaker_eval.assertions.time_limits import in_time
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict, compact_json
from sagemaker_eval.text.templating.javascript_values import to_text


@ASSERTIONS.register("equals")
def equals(spec: AssertionSpec) -> Check:
    """The output is exactly `value`; an object or a list is compared with the output read as JSON."""
    if spec.value is None:
        raise ConfigError.of(f"`{spec.type}` needs a `value`")

    def check(subject: Subject) -> Verdict:
        if is_equal(subject.value, subject.text) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        output, wanted = shortened(subject.text), shortened(value_text(subject.value))
        relation = "not to equal" if spec.negated else "to equal"
        return Verdict(False, 0.0, f'Expected output "{output}" {relation} "{wanted}"', spec)

    return check


def is_equal(value: Json, text: str) -> bool:
    """Whether a value equals an output: as JSON for an object or a list, else as JavaScript prints it."""
    if not isinstance(value, dict | list):
        return value_text(value) == text
    try:
        return same_json(value, parse_json(text))
    except (NotJson, RecursionError):
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


def value_text(value: Json) -> str:
    """A value as text: a scalar as JavaScript's String() prints it, a list or an object as compact JSON."""
    return compact_json(value) if isinstance(value, dict | list) else to_text(value)


@ASSERTIONS.register("contains")
def contains(spec: AssertionSpec) -> Check:
    """The output contains `value`."""
    return _substring(spec, str, "to contain")


@ASSERTIONS.register("icontains")
def icontains(spec: AssertionSpec) -> Check:
    """The output contains `value`, upper and lower case being the same."""
    return _substring(spec, str.lower, "to contain, in any case,")


@ASSERTIONS.register("starts-with")
def starts_with(spec: AssertionSpec) -> Check:
    """The output starts with the text `value`."""
    return _edge(spec, str.startswith, lambda text, most: shortened(text, most))


@ASSERTIONS.register("ends-with")
def ends_with(spec: AssertionSpec) -> Check:
    """The output ends with the text `value`."""
    return _edge(spec, str.endswith, lambda text, most: text if len(text) <= most else f"…{text[-most:]}")


def _substring(spec: AssertionSpec, fold: Callable[[str], str], phrase: str) -> Check:
    if not is_searchable(spec.value):
        raise ConfigError.of(f"`{spec.type}` needs a `value`: text that is not empty, or a number")

    def check(subject: Subject) -> Verdict:
        wanted = value_text(_searched(spec, subject))
        return decide(spec, fold(wanted) in fold(subject.text), f'{phrase} "{wanted}"')

    return check


def _edge(spec: AssertionSpec, holds: Callable[[str, str], bool], shown: Callable[[str, int], str]) -> Check:
    """The check of one end of the output; `shown` cuts that end out for the reason."""
    if not isinstance(spec.value, str) or not spec.value:
        hint = "write a number in quotes" if is_searchable(spec.value) else None
        raise ConfigError.of(f"`{spec.type}` needs a `value`: text that is not empty", hint=hint)
    verb = spec.kind.removesuffix("s-with")

    def check(subject: Subject) -> Verdict:
        wanted = _searched(spec, subject)
        if holds(subject.text, wanted) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        found = shown(subject.text, max(40, 2 * len(wanted)))
        return decide(spec, spec.negated, f'to {verb} with "{wanted}"; it {verb}s with "{found}"')

    return check


@ASSERTIONS.register("regex")
def regex(spec: AssertionSpec) -> Check:
    """The pattern `value`, in JavaScript's dialect and without flags, is found somewhere in the output."""
    if not is_searchable(spec.value):
        raise ConfigError.of(f"`{spec.type}` needs a `value`: a regular expression")
    fixed = None if is_templated(spec.value) else _fixed_pattern(spec)

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        pattern = fixed or _pattern_of_case(spec, subject)

        def judge(deadline: float) -> Verdict:
            return decide(spec, pattern.found_in(subject.text, deadline), f'to match regex "{pattern.source}"')

        return in_time(judge, f"whether the output matches `{pattern.source}`")

    return check


def _fixed_pattern(spec: AssertionSpec) -> Pattern:
    try:
        return compile_pattern(value_text(spec.value))
    except PatternError as error:
        raise ConfigError.of(f"`{spec.type}`: {error}", hint=error.hint) from error


def _pattern_of_case(spec: AssertionSpec, subject: Subject) -> Pattern:
    try:
        return compile_pattern(value_text(_searched(spec, subject)))
    except PatternError as error:
        raise CaseError(f"`{spec.type}`: {error}", error.hint) from error


def is_searchable(value: Json) -> bool:
    """Whether a value can be looked for in a text: text that is not empty, or a number."""
    return bool(value) if isinstance(value, str) else isinstance(value, int | float) and not isinstance(value, bool)


def _searched(spec: AssertionSpec, subject: Subject) -> Json:
    if not is_searchable(subject.value):
        hint = "its template rendered to nothing; anything contains the empty text"
        raise CaseError(f"the value of `{spec.type}` is empty for this case", hint)
    return subject.value
