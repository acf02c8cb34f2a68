"""Paths that are suggested in place of one that finds nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.model import Json
from sagemaker_eval.text.extraction import ResponsePath
from sagemaker_eval.text.suggestions import MOST_LEAVES, describe, path_of, suggest_paths

SCALARS = st.booleans() | st.integers() | st.text(max_size=5)
DOCUMENTS = st.recursive(
    SCALARS | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


def test_the_same_last_key_comes_first() -> None:
    document = {"results": [{"answer": {"text": "x"}}], "result_txt": "y"}
    assert suggest_paths(document, "$.result.text") == ["$.results[0].answer.text", "$.result_txt"]


def test_among_other_keys_the_most_similar_path_comes_first() -> None:
    document = {"meta": {"id": "1"}, "output": {"generated_text": "x"}}
    assert suggest_paths(document, "$.output.generatd_text")[0] == "$.output.generated_text"


def test_without_a_wish_the_keys_that_usually_hold_text_come_first() -> None:
    document = {"id": "1", "model": "m", "reply": {"content": "x"}}
    assert suggest_paths(document) == ["$.reply.content", "$.id", "$.model"]


def test_other_values_are_suggested_where_there_is_no_string() -> None:
    assert suggest_paths({"score": 0.5, "none": None}) == ["$.score"]


def test_a_large_document_is_looked_through_in_part() -> None:
    document = {"tokens": [{"text": "x"}] * 100_000, "answer": "y"}
    assert suggest_paths(document, limit=MOST_LEAVES) == [
        "$.tokens[0].text",
        "$.tokens[1].text",
        "$.tokens[2].text",
        "$.answer",
    ]


def test_unusual_keys_are_quoted() -> None:
    assert path_of(("a-b", 0, "it's", "where", "é", "")) == "$.a-b[0]['it\\'s']['where']['é']['']"


def test_values_are_described_in_words() -> None:
    assert describe({"a": 1, "b": 2}) == "an object with the keys `a`, `b`"
    assert (
        describe(dict.fromkeys("abcdefghij"))
        == "an object with the keys " + ", ".join(f"`{key}`" for key in "abcdefgh") + " and 2 more"
    )
    values: list[Json] = [{}, [], [1], [1, 2], None, True, "x", 1]
    assert [describe(value) for value in values] == [
        "an empty object",
        "an empty list",
        "a list of 1 item",
        "a list of 2 items",
        "null",
        "`true`",
        "a string",
        "a number",
    ]


def test_keys_are_shown_on_one_line() -> None:
    assert describe({"a\nb": 1, "x" * 100: 2}) == "an object with the keys `a\\nb`, `" + "x" * 60 + "...`"
    assert suggest_paths({"a\nb": "text", "c": "text"}) == ["$.c"]


@given(DOCUMENTS, st.none() | st.text(max_size=8))
def test_each_suggested_path_leads_to_a_value(document: Json, wanted: str | None) -> None:
    for path in suggest_paths(document, wanted):
        assert isinstance(ResponsePath.compile(path).extract(document), str | int | bool)
