"""What equals, contains, icontains, starts-with, ends-with and regex say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.base import ASSERTIONS, Subject
from sagemaker_eval.assertions.text import is_equal, same_json, value_text
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import (
    AssertionSpec,
    Json,
    Prompt,
    ProviderSpec,
    Response,
    TestCase,
    Verdict,
    compact_json,
)

Judged = Callable[..., Verdict]

HOLDS = [
    ("equals", "Paris", "Paris"),
    ("equals", "42", 42),
    ("equals", "42", 42.0),
    ("equals", "0.00001", 1e-05),
    ("equals", "1e-7", 1e-07),
    ("equals", "1e+21", 1e21),
    ("equals", "9007199254740993", 9007199254740993),
    ("equals", "true", True),
    ("equals", "", ""),
    ("equals", ' {"b": [1, 2.0], "a": null} ', {"a": None, "b": [1.0, 2]}),
    ("equals", "[]", []),
    ("equals", '{"a": 1, "a": 2}', {"a": 2}),
    ("contains", "Paris, France", "France"),
    ("contains", "in 2024", 2024),
    ("contains", "costs 2.5 EUR", 2.5),
    ("contains", "grüße", "üß"),
    ("icontains", "PARIS, France", "paris"),
    ("icontains", "Ça va", "ÇA"),
    ("starts-with", "Paris, France", "Paris"),
    ("starts-with", "☕ or tea", "☕"),
    ("ends-with", "Paris, France", "France"),
    ("ends-with", "x", "x"),
    ("regex", "Hello, World", "^Hello"),
    ("regex", "Hello, World", "[Ww]orld$"),
    ("regex", "a\nb", "^a"),
    ("regex", "route 66", 66),
]
FAILS = [
    ("equals", "paris", "Paris"),
    ("equals", " Paris", "Paris"),
    ("equals", "Paris\n", "Paris"),
    ("equals", "True", True),
    ("equals", "1", True),
    ("equals", "[1]", [True]),
    ("equals", '{"a": 1}', {"a": 1, "b": None}),
    ("equals", "[1, 2]", [2, 1]),
    ("equals", "[NaN]", [1]),
    ("equals", "no JSON", {"a": 1}),
    ("equals", "[" * 5000, []),
    ("equals", "[" * 5000 + "]" * 5000, []),
    ("contains", "paris", "Paris"),
    ("contains", "", "Paris"),
    ("icontains", "Lyon", "Paris"),
    ("starts-with", "paris, France", "Paris"),
    ("starts-with", " Paris", "Paris"),
    ("ends-with", "Paris, France.", "France"),
    ("ends-with", "", "x"),
    ("regex", "Hello, World", "world"),
    ("regex", "a\nb", "^b"),
    ("regex", "a\n", "a$"),
]


@pytest.mark.parametrize(("type", "output", "value"), HOLDS)
def test_what_holds(judged: Judged, type: str, output: str, value: Json) -> None:
    verdict = judged(output, type, value)
    assert (verdict.passed, verdict.score, verdict.reason) == (True, 1.0, "Assertion passed")
    opposite = judged(output, f"not-{type}", value)
    assert (opposite.passed, opposite.score) == (False, 0.0)


@pytest.mark.parametrize(("type", "output", "value"), FAILS)
def test_what_fails(judged: Judged, type: str, output: str, value: Json) -> None:
    verdict = judged(output, type, value)
    assert (verdict.passed, verdict.score) == (False, 0.0)
    opposite = judged(output, f"not-{type}", value)
    assert (opposite.passed, opposite.score, opposite.reason) == (True, 1.0, "Assertion passed")


@pytest.mark.parametrize(
    ("type", "output", "value", "reason"),
    [
        ("equals", "Lyon", "Paris", 'Expected output "Lyon" to equal "Paris"'),
        ("not-equals", "Paris", "Paris", 'Expected output "Paris" not to equal "Paris"'),
        ("equals", "[1]", {"a": 1}, 'Expected output "[1]" to equal "{"a":1}"'),
        ("equals", "x" * 300, "y", f'Expected output "{"x" * 200}…" to equal "y"'),
        ("contains", "Lyon", "Paris", 'Expected output to contain "Paris"'),
        ("not-contains", "Paris", "Paris", 'Expected output not to contain "Paris"'),
        ("icontains", "Lyon", "Paris", 'Expected output to contain, in any case, "Paris"'),
        ("not-icontains", "PARIS", "Paris", 'Expected output not to contain, in any case, "Paris"'),
        ("starts-with", "Lyon", "Paris", 'Expected output to start with "Paris"; it starts with "Lyon"'),
        ("not-starts-with", "Paris", "P", 'Expected output not to start with "P"; it starts with "Paris"'),
        ("ends-with", "x" * 50, "y", f'Expected output to end with "y"; it ends with "…{"x" * 40}"'),
        ("regex", "Lyon", "^P", 'Expected output to match regex "^P"'),
        ("not-regex", "Paris", "^P", 'Expected output not to match regex "^P"'),
    ],
)
def test_a_failure_says_what_was_expected(judged: Judged, type: str, output: str, value: Json, reason: str) -> None:
    assert judged(output, type, value).reason == reason


def test_an_output_that_is_no_text_is_judged_as_compact_json(judged: Judged) -> None:
    assert judged({"city": "Zürich", "n": [1, 2]}, "contains", '{"city":"Zürich","n":[1,2]}').passed
    assert judged([1, 2], "equals", [1, 2]).passed


@pytest.mark.parametrize("type", ["equals", "not-equals"])
@pytest.mark.parametrize("value", ["{{ city }}", ["{{ city }}"]])
def test_values_are_templates(judged: Judged, type: str, value: Json) -> None:
    output = "Paris" if isinstance(value, str) else '["Paris"]'
    assert judged(output, type, value, vars={"city": "Paris"}).passed is (type == "equals")


def test_a_pattern_may_hold_variables(judged: Judged) -> None:
    assert judged("Hello bob", "regex", "^Hello {{name}}$", vars={"name": "bob"}).passed


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("equals", None, "`equals` needs a `value`"),
        ("contains", None, "`contains` needs a `value`: text that is not empty, or a number"),
        ("contains", "", "`contains` needs a `value`: text that is not empty, or a number"),
        ("not-icontains", "", "`not-icontains` needs a `value`: text that is not empty, or a number"),
        ("contains", ["a"], "`contains` needs a `value`: text that is not empty, or a number"),
        ("contains", True, "`contains` needs a `value`: text that is not empty, or a number"),
        ("starts-with", "", "`starts-with` needs a `value`: text that is not empty"),
        ("not-ends-with", 42, "`not-ends-with` needs a `value`: text that is not empty"),
        ("regex", None, "`regex` needs a `value`: a regular expression"),
        ("regex", "", "`regex` needs a `value`: a regular expression"),
        (
            "not-regex",
            "(?i)yes",
            "`not-regex`: invalid regular expression `(?i)yes`: "
            "`(?i)` does not begin a group of JavaScript (at character 1)",
        ),
    ],
)
def test_what_can_never_be_judged_is_refused_beforehand(judged: Judged, type: str, value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        judged("anything", type, value)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("type", "message"),
    [
        ("contains", "the value of `contains` is empty for this case"),
        ("ends-with", "the value of `ends-with` is empty for this case"),
        ("not-icontains", "the value of `not-icontains` is empty for this case"),
        ("regex", "the value of `regex` is empty for this case"),
    ],
)
def test_a_value_that_renders_to_nothing_decides_nothing(judged: Judged, type: str, message: str) -> None:
    with pytest.raises(CaseError) as caught:
        judged("anything", type, "{{ absent }}")
    assert str(caught.value) == message


def test_a_pattern_that_renders_to_no_pattern_decides_nothing(judged: Judged) -> None:
    with pytest.raises(CaseError, match=r"`regex`: invalid regular expression `\(`: `\(` is never closed"):
        judged("anything", "regex", "{{ pattern }}", vars={"pattern": "("})


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_every_json_value_equals_itself(value: Json) -> None:
    assert same_json(value, value)
    assert value is None or is_equal(
        value, compact_json(value) if isinstance(value, list | dict) else value_text(value)
    )


@given(JSON_VALUES, JSON_VALUES)
def test_equality_is_mutual(one: Json, other: Json) -> None:
    assert same_json(one, other) is same_json(other, one)


@given(JSON_VALUES)
def test_a_value_in_a_list_does_not_equal_the_value(value: Json) -> None:
    assert not same_json([value], value)


def check_of(type: str, value: str, text: str) -> Verdict:
    """The verdict of a check by itself."""
    kind = type.removeprefix("not-")
    check = ASSERTIONS.get(kind)(AssertionSpec(kind, value, negated=kind != type))
    prompt = Prompt("", "", "")
    verdict = check(Subject(text, value, "", {}, TestCase(), prompt, ProviderSpec("e", "echo"), Response(text)))
    assert isinstance(verdict, Verdict)
    return verdict


@given(text=st.text("aAbßİ "), part=st.text("aAbßİ ", min_size=1))
def test_contains_is_the_operator_in(text: str, part: str) -> None:
    for kind, holds in (("contains", part in text), ("icontains", part.lower() in text.lower())):
        assert check_of(kind, part, text).passed is holds
        assert check_of(f"not-{kind}", part, text).passed is not holds
