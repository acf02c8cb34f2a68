"""Which JSON objects are found in a text."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.json_values import json_objects
from sagemaker_eval.assertions.regex.patterns import TooSlow
from sagemaker_eval.model import Json

FOREVER = float("inf")


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ('{"a": 1}', [{"a": 1}]),
        ('Sure: {"a": {"b": 2}} and {"c": 3}.', [{"a": {"b": 2}}, {"c": 3}]),
        ('```json\n{"a": 1}\n```', [{"a": 1}]),
        ("{'a': 'it', b: [1, 2,],}", [{"a": "it", "b": [1, 2]}]),
        ('{"a": 1, // one\n "u": "http://x//y"}', [{"a": 1, "u": "http://x//y"}]),
        ('{"a": {"b": 1}', [{"a": {"b": 1}}]),
        ('{ broken { "a": 1 }', [{"a": 1}]),
        ("[1, 2]", []),
        ('[{"a": 1}, {"a": 2}]', [{"a": 1}, {"a": 2}]),
        ("no object", []),
        ("{", []),
    ],
)
def test_objects_are_found_with_small_liberties(text: str, objects: list[Json]) -> None:
    assert list(json_objects(text, FOREVER)) == objects


@given(
    st.lists(st.dictionaries(st.text("ab"), st.integers() | st.text("xyz, []:'"), min_size=1), max_size=3),
    st.text("prose \n.,", max_size=5),
)
def test_json_between_prose_comes_back(objects: list[dict[str, Json]], prose: str) -> None:
    text = prose + prose.join(map(json.dumps, objects)) + prose
    assert list(json_objects(text, FOREVER)) == objects


def test_an_object_ends_where_too_much_was_read() -> None:
    long = '{"a": "' + "x" * 200_000 + '"}'
    assert len(list(json_objects(long, FOREVER))) <= 1


def test_a_broken_object_that_is_very_deep_is_none() -> None:
    assert list(json_objects('{"a": ' + "[" * 40_000 + "]" * 20_000 + "}", FOREVER)) == []


def test_many_open_braces_take_too_long_rather_than_for_ever() -> None:
    with pytest.raises(TooSlow):
        list(json_objects("{ a: [ " * 5_000, time.perf_counter() + 0.01))
