"""What word-count and character-count say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.assertions.lengths import count_words
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("type", "output", "value", "passed"),
    [
        ("word-count", "one two", 2, True),
        ("word-count", "one two", "2", True),
        ("word-count", "one two", 3, False),
        ("word-count", "", 0, True),
        ("word-count", "one two", {"min": 2, "max": 3}, True),
        ("word-count", "one", {"min": 2}, False),
        ("word-count", "one", {"max": "2"}, True),
        ("character-count", "Zürich 😀", 8, True),
        ("character-count", "", {"max": 0}, True),
        ("character-count", "abc", {"min": 1, "max": 2}, False),
    ],
)
def test_counts_and_their_opposites(judged: Judged, type: str, output: str, value: Json, passed: bool) -> None:
    assert judged(output, type, value).passed is passed
    assert judged(output, f"not-{type}", value).passed is not passed


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 0), (" \n\t", 0), ("a", 1), (" a  b\nc ", 3), ("a\u00a0b\u3000c", 3), ("a\ufeffb", 2), ("a\x85b", 1)],
)
def test_words_stand_between_what_javascript_calls_white_space(text: str, count: int) -> None:
    assert count_words(text) == count


@pytest.mark.parametrize(
    ("type", "value", "reason"),
    [
        ("word-count", 3, "Expected exactly 3 words; the output has 2"),
        ("not-word-count", 2, "Expected not exactly 2 words; the output has 2"),
        ("word-count", {"min": 3}, "Expected at least 3 words; the output has 2"),
        ("word-count", {"max": 1}, "Expected at most 1 words; the output has 2"),
        ("not-word-count", {"min": 1, "max": 4}, "Expected not 1 to 4 words; the output has 2"),
        ("character-count", 2, "Expected exactly 2 characters; the output has 3"),
    ],
)
def test_a_failure_says_both_counts(judged: Judged, type: str, value: Json, reason: str) -> None:
    assert judged("a b", type, value).reason == reason


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "`word-count` needs a `value`: a number, or `min` and `max`"),
        ("many", "`word-count` needs a `value`: a number, or `min` and `max`"),
        ("", "`word-count` needs a `value`: a number, or `min` and `max`"),
        (True, "`word-count` needs a `value`: a number, or `min` and `max`"),
        ([2], "`word-count` needs a `value`: a number, or `min` and `max`"),
        ({"min": "few"}, "`word-count` needs a `value`: a number, or `min` and `max`"),
        ({}, "the value of `word-count` has neither `min` nor `max`"),
        ({"min": 3, "max": 1}, "`min` is above `max` in the value of `word-count`"),
        ({"mim": 3}, "unknown key `mim` in the value of `word-count`"),
    ],
)
def test_a_value_that_is_no_count_is_refused_beforehand(judged: Judged, value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        judged("a", "word-count", value)
    assert str(caught.value) == message


def test_a_count_may_come_from_a_variable(judged: Judged) -> None:
    assert judged("a b", "word-count", "{{ n }}", vars={"n": 2}).passed
    with pytest.raises(CaseError, match='needs a `value`: a number, or `min` and `max`; in this case it is `"x"`'):
        judged("a b", "word-count", "{{ n }}", vars={"n": "x"})
