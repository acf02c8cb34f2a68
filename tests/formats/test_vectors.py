"""The shapes that embedding servers answer with, and what is refused as an embedding."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import EndpointFault, ExtractionError
from sagemaker_eval.formats.vectors import read_vector, split_batch, to_vector
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


ONE, TWO = [0.1, 0.2], [0.3, 0.4]

BATCHES: dict[str, Json] = {
    "TEI": [ONE, TWO],
    "JumpStart": {"embedding": [ONE, TWO]},
    "sample handler": {"vectors": [ONE, TWO]},
    "OpenAI": {"object": "list", "data": [{"index": 0, "embedding": ONE}, {"index": 1, "embedding": TWO}]},
    "OpenAI out of order": {"data": [{"index": 1, "embedding": TWO}, {"index": 0, "embedding": ONE}]},
    "OpenAI without indices": {"data": [{"embedding": ONE}, {"embedding": TWO}]},
    "OpenAI with one index for all": {"data": [{"index": 0, "embedding": ONE}, {"index": 0, "embedding": TWO}]},
    "Cohere": {"id": "x", "texts": ["a", "b"], "embeddings": [ONE, TWO], "meta": {"billed_units": {"input_tokens": 9}}},
    "Cohere by type": {"embeddings": {"float": [ONE, TWO], "int8": [[1, 2], [3, 4]]}},
    "list of objects": [{"embedding": ONE}, {"embedding": TWO}],
    "vectors of tokens": [[[0.0, 0.1], [0.2, 0.3]], [[0.3, 0.4]]],
    "feature extraction": [[[[0.0, 0.1], [0.2, 0.3]]], [[[0.2, 0.4], [0.4, 0.4]]]],
}


@pytest.mark.parametrize("server", BATCHES)
def test_a_batch_is_split_into_the_answers_to_each_text(server: str) -> None:
    parts = [read_vector(part) for part in split_batch(BATCHES[server], 2)]
    assert [part.output for part in parts] == [pytest.approx(ONE), pytest.approx(TWO)]


@pytest.mark.parametrize(("server", "alone"), [("OpenAI", "OpenAI"), ("Cohere", "Cohere"), ("TEI", "TEI")])
def test_the_vector_of_a_part_is_where_a_single_answer_has_it(server: str, alone: str) -> None:
    """So that a `responseFormat.path` finds it there too."""
    way = {"OpenAI": ("data", 0, "embedding"), "Cohere": ("embeddings", 0), "TEI": (0,)}[server]
    parts = split_batch(BATCHES[server], 2)
    for document in (parts[0], ANSWERS[alone]):
        for step in way:
            document = document[step]
        assert document == ONE


def test_what_a_batch_used_is_not_told_of_its_parts() -> None:
    assert [read_vector(part).usage for part in split_batch(BATCHES["Cohere"], 2)] == [None, None]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([ONE], "the answer to 2 texts has 1 embeddings"),
        ({"data": [{"embedding": ONE}] * 3}, "the answer to 2 texts has 3 embeddings"),
        (ONE, "the answer to several texts holds no list of embeddings that is known"),
        ({"text": "hi"}, "the answer to several texts holds no list of embeddings that is known"),
        (
            {"data": [{"index": 0, "embedding": ONE}, {"index": 2, "embedding": TWO}]},
            "the embeddings in the answer have indices that are not those of the texts",
        ),
    ],
)
def test_a_batch_that_cannot_be_split_is_refused(document: Json, message: str) -> None:
    with pytest.raises(ExtractionError) as raised:
        split_batch(document, 2)
    assert raised.value.message == message


def test_an_error_in_place_of_a_batch_is_a_fault() -> None:
    with pytest.raises(EndpointFault, match="too many texts"):
        split_batch({"error": "too many texts", "error_type": "validation"}, 2)


@given(ANYTHING, st.integers(1, 3))
def test_anything_is_a_part_for_each_text_or_an_error(document: Json, count: int) -> None:
    try:
        parts = split_batch(document, count)
    except (ExtractionError, EndpointFault):
        return
    assert len(parts) == count


@given(st.lists(VECTORS, min_size=2, max_size=5))
def test_the_order_of_a_batch_is_kept(vectors: list[list[float]]) -> None:
    assert [read_vector(part).output for part in split_batch(vectors, len(vectors))] == vectors
