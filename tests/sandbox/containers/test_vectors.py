from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.containers.vectors import embed


def similarity(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embed(one), embed(other), strict=True))


@given(st.text(), st.integers(min_value=1, max_value=100))
def test_every_text_has_a_unit_vector(text: str, dimensions: int) -> None:
    vector = embed(text, dimensions)

    assert len(vector) == dimensions
    assert math.isclose(math.hypot(*vector), 1.0, abs_tol=1e-6)
    assert vector == embed(text, dimensions)


def test_similar_texts_are_nearer() -> None:
    near = similarity("The cat sat on the mat", "A cat was sitting on a mat")

    assert near > 0.4
    assert near > similarity("The cat sat on the mat", "Stock markets fell sharply today") + 0.2


def test_each_model_has_a_space_of_its_own() -> None:
    assert embed("the same text", space="bge") != embed("the same text", space="e5")
