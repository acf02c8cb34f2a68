from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.sandbox.containers.writing import subjects, write

COFFEE = "Generate a creative name for a coffee shop that specializes in caramel coffee."


def test_a_name_is_short_and_about_what_was_asked() -> None:
    name = write("llama-3", COFFEE, COFFEE)

    assert "Caramel" in name
    assert len(name.split()) <= 8


def test_endpoints_have_their_own_answers_and_keep_them() -> None:
    endpoints = [f"model-{number}" for number in range(20)]

    first = [write(endpoint, COFFEE, COFFEE) for endpoint in endpoints]

    assert first == [write(endpoint, COFFEE, COFFEE) for endpoint in endpoints]
    assert len(set(first)) >= 15


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        (COFFEE, ["a coffee shop", "caramel coffee"]),
        ("What is the capital of France?", ["the capital of France"]),
        ("Write a tweet about our eco-friendly packaging", ["our eco-friendly packaging"]),
        ("What is 2 + 2?", []),
    ],
)
def test_the_subjects_are_the_words_that_carry_content(question: str, phrases: list[str]) -> None:
    assert subjects(question) == phrases


def test_the_kind_of_answer_follows_the_question() -> None:
    def answer(question: str) -> str:
        return write("llama-3", question, question)

    assert json.loads(answer("Describe an otter as JSON"))["topic"] == "an otter"
    assert "#OtterCafe" in answer("Write a tweet about the otter cafe")
    assert len(answer("List 5 tips for gardening").splitlines()) == 5
    assert len(answer("Suggest 3 names for a dog").splitlines()) == 3
    assert 100 <= len(answer("Write a story about a robot in 100 words").split()) <= 130
    assert "artificial intelligence" in answer("Explain artificial intelligence").lower()


@given(st.text(), st.text())
def test_anything_can_be_asked(endpoint: str, question: str) -> None:
    assert write(endpoint, question, question).strip()
