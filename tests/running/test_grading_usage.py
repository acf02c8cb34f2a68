"""The tokens of graders: summed over the verdicts of a case, and over the cases of a column."""

from __future__ import annotations

import pytest

from sagemaker_eval.model import (
    AssertionSpec,
    Case,
    CaseResult,
    Column,
    ColumnSummary,
    Grade,
    Outcome,
    Prompt,
    ProviderSpec,
    Response,
    Row,
    TestCase,
    TokenUsage,
    Verdict,
)
from sagemaker_eval.running.records import grading_usage, row_of, usage_json
from sagemaker_eval.running.summary import ColumnTally, summarise

SPEC = AssertionSpec("similar", "tea")
SOME = TokenUsage(prompt=3, completion=1, requests=1)
MORE = TokenUsage(prompt=5, cached=5)


def verdict(usage: TokenUsage | None, *members: Verdict) -> Verdict:
    return Verdict(True, 1.0, "fine", SPEC, usage=usage, members=members)


def result(*verdicts: Verdict) -> CaseResult:
    column = Column(0, ProviderSpec("echo", "echo"), Prompt("p", "p", "id"))
    case = Case(0, Row(0, TestCase(assertions=(SPEC,)), 0, {}), column)
    answered = Response("tea", usage=TokenUsage(prompt=2, requests=1))
    return CaseResult(case, Outcome.PASSED, "p", answered, Grade(True, 1.0, "fine", verdicts))


@pytest.mark.parametrize(
    ("verdicts", "usage"),
    [
        ((), None),
        ((verdict(None),), None),
        ((verdict(SOME), verdict(None)), SOME),
        ((verdict(SOME), verdict(None, verdict(MORE))), TokenUsage(prompt=8, completion=1, cached=5, requests=1)),
    ],
)
def test_the_usage_of_a_grade_is_that_of_all_its_verdicts(
    verdicts: tuple[Verdict, ...], usage: TokenUsage | None
) -> None:
    assert grading_usage(Grade(True, 1.0, "fine", verdicts)) == usage


def test_a_row_tells_the_tokens_of_graders_beside_those_of_the_model() -> None:
    row = row_of(result(verdict(SOME), verdict(MORE)))
    used = usage_json(SOME + MORE)
    assert row["tokenUsage"] == {**usage_json(TokenUsage(prompt=2, requests=1)), "assertions": used}
    assert row["gradingResult"]["tokensUsed"] == used
    assert row["response"]["tokenUsage"] == usage_json(TokenUsage(prompt=2, requests=1))
    assert row["gradingResult"]["componentResults"][0]["tokensUsed"] == usage_json(SOME)


def test_a_row_without_graders_says_nothing_of_them() -> None:
    row = row_of(result(verdict(None)))
    assert "assertions" not in row["tokenUsage"]
    assert "tokensUsed" not in row["gradingResult"]


def test_a_summary_adds_the_tokens_of_graders_up() -> None:
    graded, plain = ColumnTally(2), ColumnTally(1)
    for usage in (SOME, MORE):
        graded.add(row_of(result(verdict(usage))))
    plain.add(row_of(result(verdict(None))))
    assert summarise([graded, plain]).grading == SOME + MORE
    assert summarise([plain]).grading is None
    assert ColumnSummary().grading is None
