from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.yaml_loader import parse_json
from sagemaker_eval.errors import ConfigError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=5) | st.dictionaries(TEXT, children, max_size=5),
    max_leaves=20,
)


@given(DOCUMENTS, st.booleans())
def test_well_formed_json_is_decoded(document: Any, ensure_ascii: bool) -> None:
    assert parse_json(json.dumps(document, ensure_ascii=ensure_ascii), "f.json") == document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.json:1:1: invalid JSON: expecting value"),
        ('{"a": 1,\n "b" 2}', "f.json:2:6: invalid JSON: expecting ':' delimiter"),
        ('{"a": 1} x', "f.json:1:10: invalid JSON: extra data"),
        ('["NaN \\" NaN",\n NaN]', "f.json:2:2: `NaN` is not a JSON value"),
        ('{"a": -Infinity}', "f.json:1:7: `-Infinity` is not a JSON value"),
        ('["\\ud83d\\ude00 \\\\ud83d",\n "cut \\ud83d"]', "f.json:2:7: the escape `\\ud83d` is half of a character"),
        ('["\\ude00"]', "f.json:1:3: the escape `\\ude00` is half of a character"),
        ("[" * 201 + "]" * 201, "f.json:1: values are nested more than 200 levels deep"),
        ("[" * 100_000, "f.json:1: values are nested more than 200 levels deep"),
        ("9" * 5000, "f.json:1: a number has thousands of digits"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_json(text, "f.json")
    assert str(caught.value) == message


def test_many_brackets_are_not_depth() -> None:
    assert parse_json("[" + "[]," * 500 + "[]]", "f.json") == [[]] * 501


def test_escaped_characters_beyond_the_first_plane() -> None:
    assert parse_json('["\\ud83d\\ude00", "\\\\ud83d"]', "f.json") == ["😀", "\\ud83d"]


def test_lines_count_from_the_first_line_given() -> None:
    with pytest.raises(ConfigError, match=r"f\.jsonl:7:6: invalid JSON"):
        parse_json('{"a" 1}', "f.jsonl", first_line=7)
