"""`similar` in its three measures, over vectors that are made up here."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.base import GRADER_ROLES, Subject
from sagemaker_eval.assertions.judging import Judge, Undecided
from sagemaker_eval.assertions.similar import cosine
from sagemaker_eval.errors import CaseError
from sagemaker_eval.model import (
    AssertionSpec,
    Embedder,
    Grade,
    Grader,
    Json,
    Prompt,
    ProviderSpec,
    Response,
    TestCase,
    TokenUsage,
    Vector,
    Vectors,
    Verdict,
)
from sagemaker_eval.text.templating.templates import Templates

TEXTS = {
    "tea": (1.0, 0.0),
    "green tea": (0.8, 0.6),
    "coffee": (0.6, 0.8),
    "tax": (0.0, 1.0),
    "silence": (0.0, 0.0),
    "three": (1.0, 0.0, 0.0),
    "broken": (math.nan, 1.0),
    "endless": (math.inf, 1.0),
    "huge": (1e200, 1e200),
}


NOT_FINITE = "the embedding of the output or of the value holds a number that is not finite"


@dataclass
class Table:
    """Graders that look vectors up, and remember what they were asked."""

    vectors: Mapping[str, Vector] = field(default_factory=lambda: TEXTS)
    asked: list[list[str]] = field(default_factory=list)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked.append(list(texts))
        return Vectors(self.vectors[text] for text in texts)

    def embedding(self, spec: AssertionSpec, test: TestCase) -> Embedder:
        return self

    def text(self, spec: AssertionSpec, test: TestCase) -> Grader:
        raise AssertionError("no text grader is needed")

    classification = moderation = text


def judged(output: Json, type: str, value: Json, table: Table | None = None, **more: Any) -> Verdict:
    """The verdict of one assertion on an output."""
    return graded(output, type, value, table or Table(), **more).verdicts[0]


def graded(output: Json, type: str, value: Json, table: Table, **more: Any) -> Grade:
    kind = type.removeprefix("not-")
    variables = more.pop("vars", {})
    test = TestCase(assertions=(AssertionSpec(kind, value, negated=kind != type, **more),))
    judge = Judge(Templates(), table)
    assert not judge.prepare(test.assertions)
    judge.check_test(test)
    prompt, provider = Prompt("?", "?", "id"), ProviderSpec("echo", "echo")
    response = Response(output)
    subject = Subject(response.text, None, "?", variables, test, prompt, provider, response)
    return asyncio.run(judge.grade(test, subject))


@pytest.mark.parametrize(
    ("type", "value", "threshold", "passed", "score"),
    [
        ("similar", "green tea", None, True, 0.8),
        ("similar", "coffee", None, False, 0.6),
        ("similar", "coffee", 0.6, True, 0.6),
        ("similar:cosine", "tax", 0.1, False, 0.0),
        ("not-similar", "coffee", None, True, 0.4),
        ("not-similar", "green tea", None, False, 0.2),
        ("similar:dot", "green tea", 0.8, True, 0.8),
        ("not-similar:dot", "green tea", 0.7, False, 0.2),
        ("similar:euclidean", "tax", 1.5, True, 1 / (1 + math.sqrt(2))),
        ("similar:euclidean", "tax", None, False, 1 / (1 + math.sqrt(2))),
        ("not-similar:euclidean", "tax", None, True, 1 - 1 / (1 + math.sqrt(2))),
        ("not-similar:euclidean", "tea", None, False, 0.0),
    ],
)
def test_a_figure_is_held_against_the_threshold(
    type: str, value: str, threshold: float | None, passed: bool, score: float
) -> None:
    verdict = judged("tea", type, value, threshold=threshold)
    assert verdict.passed is passed
    assert verdict.score == pytest.approx(score)


@pytest.mark.parametrize("type", ["similar", "not-similar", "similar:euclidean", "not-similar:euclidean"])
def test_on_the_threshold_itself_both_sides_pass(type: str) -> None:
    distance = math.dist(TEXTS["tea"], TEXTS["tax"])
    threshold = distance if type.endswith("euclidean") else 0.0
    assert judged("tea", type, "tax", threshold=threshold).passed


def test_of_several_references_the_first_that_is_near_enough_decides() -> None:
    assert judged("tea", "similar", ["tax", "green tea", "tea"]).score == pytest.approx(0.8)


def test_of_several_references_that_are_all_too_far_the_nearest_is_told() -> None:
    verdict = judged("tea", "similar", ["tax", "coffee"])
    assert not verdict.passed
    assert verdict.score == pytest.approx(0.6)
    assert verdict.reason == "cosine similarity 0.6, the nearest of 2, is below the threshold of 0.75"


def test_with_not_none_of_several_references_may_be_near() -> None:
    assert judged("tea", "not-similar", ["tax", "coffee"]).passed
    assert not judged("tea", "not-similar", ["tax", "tea"]).passed


def test_one_request_is_made_for_the_output_and_all_references() -> None:
    table = Table()
    judged("tea", "similar", ["coffee", "{{drink}}"], table, vars={"drink": "green tea"})
    assert table.asked == [["tea", "coffee", "green tea"]]


def test_an_empty_output_is_like_nothing_and_costs_no_request() -> None:
    table = Table()
    assert not judged(" \n", "similar", "tea", table).passed
    assert judged("", "not-similar", "tea", table).passed
    assert table.asked == []


@pytest.mark.parametrize(
    ("type", "value", "message"),
    [
        ("similar", "three", "the embeddings of the output and of the value differ in length: 2 and 3 numbers"),
        ("not-similar", "broken", NOT_FINITE),
        ("similar", "endless", NOT_FINITE),
        ("similar:euclidean", "broken", NOT_FINITE),
        ("not-similar:dot", "endless", NOT_FINITE),
        ("not-similar", "silence", "the embedding of a text is all zeros, so it points nowhere"),
    ],
)
def test_vectors_that_cannot_be_compared_are_an_error_and_no_verdict(type: str, value: str, message: str) -> None:
    with pytest.raises(Undecided) as raised:
        judged("tea", type, value)
    assert raised.value.reason.message == message


@pytest.mark.parametrize("type", ["similar:dot", "not-similar:dot"])
def test_a_figure_that_overflows_is_an_error(type: str) -> None:
    with pytest.raises(Undecided) as raised:
        judged("huge", type, "huge")
    assert raised.value.reason.message == "the numbers of the embeddings are too large for their dot product"


def test_large_vectors_have_a_cosine() -> None:
    assert judged("huge", "similar", "huge").score == pytest.approx(1.0)


def test_a_figure_is_never_rounded_to_the_other_side_of_the_threshold() -> None:
    table = Table({"a": (1.0, 0.0), "b": (0.749999, math.sqrt(1 - 0.749999**2))})
    assert "0.749999" in judged("a", "similar", "b", table).reason


def test_the_tokens_of_the_embeddings_are_the_verdicts() -> None:
    class Counting(Table):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            return Vectors(await super().embed(texts), TokenUsage(prompt=7, requests=1))

    assert judged("tea", "similar", "tea", Counting()).usage == TokenUsage(prompt=7, requests=1)


@pytest.mark.parametrize("value", [None, "", " ", [], ["tea", None], {"text": "tea"}, True])
def test_a_value_that_is_no_text_is_found_before_the_run(
    value: Json, judge_prepared: Callable[[Json], list[str]]
) -> None:
    (message,) = judge_prepared(value)
    assert message.startswith("`similar` needs a `value` to compare the output with: a text, or a list of texts")


@pytest.mark.parametrize("value", [42, "{{missing}}", ["{{a}}", "b"]])
def test_numbers_and_templates_are_texts(value: Json, judge_prepared: Callable[[Json], list[str]]) -> None:
    assert judge_prepared(value) == []


@pytest.fixture
def judge_prepared() -> Callable[[Json], list[str]]:
    """What is found wrong with the value of a `similar`."""

    def prepare(value: Json) -> list[str]:
        problems = Judge(Templates(), Table()).prepare([AssertionSpec("similar", value)])
        return [problem.message for problem in problems]

    return prepare


def test_each_kind_needs_an_embedding_provider() -> None:
    kinds = ("similar", "similar:cosine", "similar:dot", "similar:euclidean")
    assert {GRADER_ROLES[kind] for kind in kinds} == {("embedding",)}


NUMBERS = st.floats(-1e6, 1e6).filter(lambda number: number == 0 or abs(number) > 1e-6)
PAIRS = st.integers(1, 6).flatmap(
    lambda length: st.tuples(*[st.lists(NUMBERS, min_size=length, max_size=length).map(tuple).filter(any)] * 2)
)


@given(PAIRS, st.floats(1e-3, 1e3))
def test_a_cosine_depends_on_direction_alone(pair: tuple[Vector, Vector], scale: float) -> None:
    one, other = pair
    found = cosine(one, other)
    assert -1.0 <= found <= 1.0
    assert found == cosine(other, one)
    assert cosine(tuple(number * scale for number in one), other) == pytest.approx(found, abs=1e-9)
    assert cosine(one, one) == pytest.approx(1.0)


def test_no_direction_has_no_cosine() -> None:
    with pytest.raises(CaseError, match="all zeros"):
        cosine((0.0, 0.0), (1.0, 0.0))
