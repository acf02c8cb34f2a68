"""Assertions on several texts at once: contains-any, contains-all and their case-insensitive forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, shortened
from sagemaker_eval.assertions.values import WHITE_SPACE, value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

_FIELD = re.compile(
    rf"""[{WHITE_SPACE},]*+(?:
        "(?P<quoted>(?:\\["\\]|""|[^"])*+)"[{WHITE_SPACE}]*+(?=,|\Z)
        | (?P<plain>[^",{WHITE_SPACE}][^,]*+)
        | \Z
    )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r'\\(["\\])|""')

_Fold = Callable[[str], str]


@ASSERTIONS.register("contains-any")
def contains_any(spec: AssertionSpec) -> Check:
    """The output contains at least one of the texts in `value`, a list or comma-separated text."""
    return _any(spec, str)


@ASSERTIONS.register("contains-all")
def contains_all(spec: AssertionSpec) -> Check:
    """The output contains every one of the texts in `value`, a list or comma-separated text."""
    return _all(spec, str)


@ASSERTIONS.register("icontains-any")
def icontains_any(spec: AssertionSpec) -> Check:
    """The output contains at least one of the texts in `value`, upper and lower case being the same."""
    return _any(spec, str.lower)


@ASSERTIONS.register("icontains-all")
def icontains_all(spec: AssertionSpec) -> Check:
    """The output contains every one of the texts in `value`, upper and lower case being the same."""
    return _all(spec, str.lower)


def _any(spec: AssertionSpec, fold: _Fold) -> Check:
    wanted_texts = value_reader(spec, lambda value: _texts(spec, value, fold))

    def check(subject: Subject) -> Verdict:
        text, wanted = fold(subject.text), wanted_texts(subject)
        found = next((shown for shown, folded in wanted if folded in text), None)
        if (found is not None) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        expected = _quoted(shown for shown, _ in wanted)
        if found is None:
            return Verdict(False, 0.0, f"Expected output to contain one of {expected}; it contains none", spec)
        return Verdict(False, 0.0, f'Expected output to contain none of {expected}; it contains "{found}"', spec)

    return check


def _all(spec: AssertionSpec, fold: _Fold) -> Check:
    wanted_texts = value_reader(spec, lambda value: _texts(spec, value, fold))

    def check(subject: Subject) -> Verdict:
        text, wanted = fold(subject.text), wanted_texts(subject)
        missing = [shown for shown, folded in wanted if folded not in text]
        if bool(missing) is spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        expected = _quoted(shown for shown, _ in wanted)
        if missing:
            return Verdict(
                False, 0.0, f"Expected output to contain all of {expected}; missing: {_quoted(missing)}", spec
            )
        return Verdict(False, 0.0, f"Expected output not to contain all of {expected}; none is missing", spec)

    return check


def _quoted(texts: Iterable[str]) -> str:
    return shortened(", ".join(f'"{text}"' for text in texts))


def _texts(spec: AssertionSpec, value: Json, fold: _Fold) -> tuple[tuple[str, str], ...]:
    """The texts of a value, each as it was written and as it is looked for."""
    texts = split_fields(value, spec.type) if isinstance(value, str) else _items(value, spec.type)
    if not texts:
        raise ConfigError.of(
            f"`{spec.type}` needs a `value`: texts to look for", hint="for example `value: [red, green]`"
        )
    if "" in texts:
        raise ConfigError.of(f"an item in the value of `{spec.type}` is empty", hint="anything contains the empty text")
    return tuple((text, fold(text)) for text in texts)


def _items(value: Json, type: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise ConfigError.of(f"the value of `{type}` must be a list, or text with commas between its parts")
    if any(isinstance(item, list | dict) for item in value):
        raise ConfigError.of(f"an item in the value of `{type}` is a list or an object, not text")
    return ["null" if item is None else to_text(item) for item in value]


def split_fields(text: str, type: str) -> list[str]:
    """The parts of a comma-separated text, without blanks around them; empty ones are dropped.

    A part in double quotes may hold commas; `\\"` or `""` is a quote in it. Raises `ConfigError` for a quote that is
    not closed or has more behind it.
    """
    fields: list[str] = []
    position = 0
    while position < len(text):
        found = _FIELD.match(text, position)
        if found is None:
            hint = 'double quotes stand around a whole part; write `""` for a quote inside one'
            raise ConfigError.of(f"a quoted part in the value of `{type}` does not end at a comma", hint=hint)
        position = found.end()
        if found["quoted"] is not None:
            fields.append(_ESCAPED.sub(lambda escape: escape[1] or '"', found["quoted"]))
        elif found["plain"] is not None:
            fields.append(found["plain"].rstrip(WHITE_SPACE))
    return fields
