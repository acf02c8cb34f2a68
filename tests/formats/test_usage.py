"""Token counts as reported and as estimated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.formats.usage import estimate_usage, read_usage
from sagemaker_eval.model import Json, TokenUsage


@pytest.mark.parametrize(
    ("document", "prompt", "completion"),
    [
        ({"usage": {"prompt_tokens": 7, "total_tokens": 7}}, 7, 0),
        ({"usage": {"inputTokens": 7, "outputTokens": 2}}, 7, 2),
        ({"usage": {"prompt_tokens": None, "completion_tokens": 2}}, 0, 2),
        ({"metering": {"inputTokenCount": 1, "outputTokenCount": 2}}, 1, 2),
        ([{"details": {"generated_tokens": 4}}], 0, 4),
    ],
)
def test_what_is_told_is_filled_in(document: Json, prompt: int, completion: int) -> None:
    assert read_usage(document) == TokenUsage(prompt=prompt, completion=completion, requests=1)


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        {"usage": None},
        {"usage": {}},
        {"usage": {"prompt_tokens": "7"}},
        {"usage": {"prompt_tokens": -1, "completion_tokens": True}},
        {"details": {"prefill": []}},
    ],
)
def test_where_nothing_is_told_there_is_no_usage(document: Json) -> None:
    assert read_usage(document) is None


def test_an_estimate_is_a_token_for_each_four_characters_begun() -> None:
    assert estimate_usage("12345", "1234") == TokenUsage(prompt=2, completion=1, estimated=True, requests=1)


def test_an_emoji_counts_as_the_two_units_that_javascript_sees() -> None:
    assert estimate_usage("😀😀😀", "").prompt == 2


@given(st.text(st.characters(codec="utf-8")))
def test_an_estimate_counts_utf_16_units(text: str) -> None:
    units = len(text.encode("utf-16-le")) // 2
    assert estimate_usage(text, "").prompt == (units + 3) // 4
