"""What contains-any, contains-all and their case-insensitive forms say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.lists import split_fields
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("type", "output", "value", "passed"),
    [
        ("contains-any", "red and blue", ["green", "blue"], True),
        ("contains-any", "red and blue", ["green"], False),
        ("contains-any", "Red", ["red"], False),
        ("icontains-any", "Red", ["rED"], True),
        ("contains-all", "red and blue", ["blue", "red"], True),
        ("contains-all", "red and blue", ["blue", "green"], False),
        ("icontains-all", "RED AND BLUE", ["Red", "blue"], True),
        ("contains-all", "red, blue", "red,blue", True),
        ("contains-any", "a,b", '"a,b", c', True),
        ("contains-any", "a, b", '"a,b"', False),
        ("contains-all", "42 is true, not null", [42, True, None], True),
        ("contains-all", "costs 2.5", [2.5], True),
    ],
)
def test_the_lists_and_their_opposites(judged: Judged, type: str, output: str, value: Json, passed: bool) -> None:
    assert judged(output, type, value).passed is passed
    assert judged(output, f"not-{type}", value).passed is not passed


@pytest.mark.parametrize(
    ("type", "value", "reason"),
    [
        ("contains-any", ["x", "y"], 'Expected output to contain one of "x", "y"; it contains none'),
        ("not-contains-any", ["x", "red"], 'Expected output to contain none of "x", "red"; it contains "red"'),
        ("contains-all", "red,x,y", 'Expected output to contain all of "red", "x", "y"; missing: "x", "y"'),
        ("not-icontains-all", ["RED"], 'Expected output not to contain all of "RED"; none is missing'),
    ],
)
def test_a_failure_lists_what_matters(judged: Judged, type: str, value: Json, reason: str) -> None:
    verdict = judged("red", type, value)
    assert (verdict.passed, verdict.score, verdict.reason) == (False, 0.0, reason)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("a,b", ["a", "b"]),
        (" a , b c ,, ", ["a", "b c"]),
        ('"a, b",c', ["a, b", "c"]),
        ('"say ""hi""", "x\\"y"', ['say "hi"', 'x"y']),
        ('a "b" c', ['a "b" c']),
        ("", []),
        (",", []),
        ('" a "', [" a "]),
    ],
)
def test_commas_part_a_text_unless_quotes_stand_around_them(text: str, fields: list[str]) -> None:
    assert split_fields(text, "contains-any") == fields


@given(st.lists(st.text(min_size=1)))
def test_quoted_parts_come_back_as_they_were(parts: list[str]) -> None:
    quoted = ",".join('"' + part.replace("\\", "\\\\").replace('"', '""') + '"' for part in parts)
    assert split_fields(quoted, "contains-any") == parts


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "`contains-any` needs a `value`: texts to look for"),
        ([], "`contains-any` needs a `value`: texts to look for"),
        (", ,", "`contains-any` needs a `value`: texts to look for"),
        (["a", ""], "an item in the value of `contains-any` is empty"),
        (["a", ["b"]], "an item in the value of `contains-any` is a list or an object, not text"),
        (42, "the value of `contains-any` must be a list, or text with commas between its parts"),
        ('"a', "a quoted part in the value of `contains-any` does not end at a comma"),
        ('"a"b', "a quoted part in the value of `contains-any` does not end at a comma"),
    ],
)
def test_a_value_without_texts_is_refused_beforehand(judged: Judged, value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        judged("x", "contains-any", value)
    assert str(caught.value) == message


def test_items_and_texts_are_templates(judged: Judged) -> None:
    assert judged("red", "contains-any", ["{{ colour }}", "x"], vars={"colour": "red"}).passed
    assert judged("red blue", "contains-all", "{{ colours }}", vars={"colours": "red,blue"}).passed


def test_an_item_that_renders_to_nothing_decides_nothing(judged: Judged) -> None:
    with pytest.raises(
        CaseError, match=r"an item in the value of `contains-all` is empty; in this case it is `\[\"\"\]`"
    ):
        judged("red", "contains-all", ["{{ absent }}"])
