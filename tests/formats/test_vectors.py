"""The shapes that embedding servers answer with, and what is refused as an embedding."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import ExtractionError
from sagemaker_eval.formats.vectors import read_vector, to_vector
from sagemaker_eval.model import Json, TokenUsage

VECTOR = [0.1, 0.2]

ANSWERS: dict[str, Json] = {
    "TEI": [[0.1, 0.2]],
    "flat list": [0.1, 0.2],
    "JumpStart batch": {"embedding": [[0.1, 0.2]]},
    "JumpStart single": {"embedding": [0.1, 0.2]},
    "sample handler": {"vectors": [[0.1, 0.2]]},
    "OpenAI": {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}]},
    "OpenAI out of order": {"data": [{"index": 1, "embedding": [9, 9]}, {"index": 0, "embedding": [0.1, 0.2]}]},
    "Cohere": {"id": "x", "texts": ["t"], "embeddings": [[0.1, 0.2]], "meta": {}},
    "Cohere by type": {"embeddings": {"float": [[0.1, 0.2]], "int8": [[1, 2]]}},
    "feature extraction": [[[0.0, 0.1], [0.2, 0.3]]],
    "list of objects": [{"embedding": [0.1, 0.2]}],
    "Triton": {"outputs": [{"name": "E", "shape": [1, 2], "data": [0.1, 0.2]}]},
    "MLflow": {"predictions": [[0.1, 0.2]]},
}


@pytest.mark.parametrize("server", ANSWERS)
def test_every_shape_is_one_vector(server: str) -> None:
    reading = read_vector(ANSWERS[server])
    assert reading.found
    assert reading.output == pytest.approx(VECTOR)


def test_tokens_are_averaged() -> None:
    assert to_vector([[[1, 10], [2, 20], [6, 60]]]) == [3.0, 30.0]


def test_usage_is_read() -> None:
    document = {"data": [{"embedding": [1.0]}], "usage": {"prompt_tokens": 3, "total_tokens": 3}}
    assert read_vector(document).usage == TokenUsage(prompt=3, requests=1)


def test_integers_become_floats() -> None:
    assert [type(element) for element in to_vector([1, 0])] == [float, float]


@pytest.mark.parametrize("document", [{}, None, {"text": "x"}, "text", {"data": []}])
def test_an_unknown_shape_is_not_found(document: Json) -> None:
    assert not read_vector(document).found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1.0, "x"], "element 1 of the embedding is not a number: `'x'`"),
        ([True], "element 0 of the embedding is not a number: `True`"),
        ([[0.1, None]], "element 1 of the embedding is not a number: `None`"),
        ([0.1, [0.2]], "element 1 of the embedding is not a number: `[0.2]`"),
        ([math.nan], "the embedding holds a number that is not finite"),
        ([1.0, -math.inf], "the embedding holds a number that is not finite"),
        ([10**400], "the embedding holds a number that is not finite"),
        ([], "the embedding in the answer is empty"),
        ([[]], "the embedding in the answer is empty"),
        ([[[1.0], [1.0, 2.0]]], "the vectors of the tokens differ in length, so they have no mean"),
        ([[[[1.0]]]], "an embedding is a list of numbers, but the answer has lists nested 4 deep"),
        ("QUJD", "an embedding is a list of numbers, but the answer has `'QUJD'`"),
    ],
)
def test_what_is_no_vector_is_refused(value: Json, message: str) -> None:
    with pytest.raises(ExtractionError) as raised:
        to_vector(value)
    assert raised.value.message == message


VECTORS = st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=8)


@given(VECTORS, st.integers(0, 1))
def test_a_vector_survives_any_nesting(vector: list[float], wraps: int) -> None:
    assert to_vector([vector] if wraps else vector) == vector


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=10,
)


@given(ANYTHING)
def test_anything_is_a_finite_vector_or_an_extraction_error(value: Json) -> None:
    try:
        vector = to_vector(value)
    except ExtractionError:
        return
    assert vector
    assert all(type(element) is float and math.isfinite(element) for element in vector)
