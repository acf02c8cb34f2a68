from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.cache_sketch import (
    LONGEST_BODY,
    MOST_LEAVES,
    body_digest,
    changed_paths,
    sketch_of,
    text_length,
    values_at,
)
from sagemaker_eval.model import Json

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def body(document: Json) -> bytes:
    return json.dumps(document).encode()


def test_numbers_stay_and_of_texts_only_their_length_and_a_digest_do() -> None:
    sketch = sketch_of(body({"inputs": "my secret", "parameters": {"temperature": 0.7, "stop": ["a"], "seed": None}}))
    assert sketch is not None
    assert "secret" not in json.dumps(sketch)
    assert sketch.keys() == {"inputs", "parameters.temperature", "parameters.stop[0]", "parameters.seed"}
    assert (sketch["parameters.temperature"], sketch["parameters.seed"]) == (0.7, None)
    assert text_length(sketch["inputs"]) == 9
    assert text_length(0.7) is None


@pytest.mark.parametrize("text", [b"plain", b"", b"{broken", b"7", b"{" + b" " * LONGEST_BODY + b"}", b"[" * 5000])
def test_what_is_no_json_or_too_large_has_no_sketch(text: bytes) -> None:
    assert sketch_of(text) is None


def test_only_the_first_values_of_a_large_body_count() -> None:
    sketch = sketch_of(body(list(range(1000))))
    assert sketch is not None
    assert len(sketch) == MOST_LEAVES


@given(st.dictionaries(st.text("abc", max_size=2), documents, min_size=1, max_size=3))
def test_the_paths_of_a_sketch_are_those_of_the_values(document: Json) -> None:
    sketch = sketch_of(body(document))
    assert sketch is not None
    assert sketch.keys() == values_at(body(document)).keys()
    assert changed_paths(sketch, sketch) == []


def test_changed_new_and_lost_values_are_told_by_their_paths() -> None:
    stored = sketch_of(body({"text": "a", "flag": 1, "gone": 1, "same": "x"}))
    asked = sketch_of(body({"text": "b", "flag": True, "new": 1, "same": "x"}))
    assert stored is not None
    assert asked is not None
    assert changed_paths(stored, asked) == ["text", "flag", "new", "gone"]


def test_bodies_have_digests_of_their_own() -> None:
    assert body_digest(b"a") != body_digest(b"b")
    assert len(body_digest(b"a")) == 16
