"""promptfoo's scoring rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.scoring import combine, weighted_mean
from sagemaker_eval.model import AssertionSpec, Verdict


def verdict(passed: bool, score: float | None = None, weight: float = 1.0, reason: str = "no") -> Verdict:
    score = float(passed) if score is None else score
    return Verdict(
        passed, score, "Assertion passed" if passed else reason, AssertionSpec("contains", "x", weight=weight)
    )


YES, NO = verdict(True), verdict(False)


@pytest.mark.parametrize(
    ("verdicts", "threshold", "passed", "score", "reason"),
    [
        ([YES, YES], None, True, 1.0, "All assertions passed"),
        ([YES, NO], None, False, 0.5, "no"),
        ([verdict(False, reason="first"), YES, verdict(False, reason="second")], None, False, 1 / 3, "first; second"),
        ([verdict(True, weight=3), NO], None, False, 0.75, "no"),
        ([verdict(True, weight=0.5), verdict(False, weight=0.25)], None, False, 2 / 3, "no"),
        ([YES, NO], 0.5, True, 0.5, "Aggregate score 0.50 ≥ 0.5 threshold"),
        ([YES, NO], 0.51, False, 0.5, "Aggregate score 0.50 < 0.51 threshold (no)"),
        ([NO], 0.0, True, 0.0, "Aggregate score 0.00 ≥ 0 threshold"),
        ([YES], 1.0, True, 1.0, "Aggregate score 1.00 ≥ 1 threshold"),
        ([YES], 2.0, False, 1.0, "Aggregate score 1.00 < 2 threshold"),
        ([verdict(True, 0.3)], 0.5, False, 0.3, "Aggregate score 0.30 < 0.5 threshold"),
        ([verdict(True, 0.125)], 0.1, True, 0.125, "Aggregate score 0.13 ≥ 0.1 threshold"),
        ([verdict(False, weight=0), YES], None, True, 1.0, "All assertions passed"),
        ([verdict(False, weight=0), NO], None, False, 0.0, "no"),
        ([verdict(True, weight=0)], None, True, 0.0, "All assertions passed"),
        ([verdict(False, weight=0)], None, True, 0.0, "All assertions passed"),
        ([verdict(True, weight=0)], 0.5, False, 0.0, "Aggregate score 0.00 < 0.5 threshold"),
        ([verdict(False, weight=0)], 0.0, True, 0.0, "Aggregate score 0.00 ≥ 0 threshold"),
        ([verdict(False, math.nan, weight=0), YES], 1.0, True, 1.0, "Aggregate score 1.00 ≥ 1 threshold"),
        ([], None, True, 0.0, "All assertions passed"),
    ],
)
def test_the_grade_follows_from_the_verdicts(
    verdicts: list[Verdict], threshold: float | None, passed: bool, score: float, reason: str
) -> None:
    grade = combine(verdicts, threshold, [None] * len(verdicts))
    assert (grade.passed, grade.reason) == (passed, reason)
    assert grade.score == pytest.approx(score)


def test_a_score_that_is_no_number_reaches_no_threshold() -> None:
    grade = combine([verdict(True, math.nan)], 0.0, [None])
    assert (grade.passed, grade.reason) == (False, "Aggregate score NaN < 0 threshold")
    assert math.isnan(grade.score)


def test_weight_0_counts_as_passed_and_keeps_score_and_reason() -> None:
    kept = combine([verdict(False, 0.2, weight=0, reason="too short"), YES], None, [None, None]).verdicts
    assert (kept[0].passed, kept[0].score, kept[0].reason) == (True, 0.2, "too short")
    assert kept[1] is YES


@pytest.mark.parametrize(
    ("verdicts", "metrics", "scores"),
    [
        ([YES, NO], ["tone", "tone"], {"tone": 0.5}),
        ([verdict(True, weight=3), NO], ["tone", "tone"], {"tone": 0.75}),
        ([YES, NO], ["tone", "facts"], {"tone": 1.0, "facts": 0.0}),
        ([YES, NO], [None, "facts"], {"facts": 0.0}),
        ([verdict(True, weight=0)], ["tone"], {"tone": 0.0}),
        ([YES], [None], {}),
    ],
)
def test_named_scores_are_weighted_means(
    verdicts: list[Verdict], metrics: list[str | None], scores: dict[str, float]
) -> None:
    assert combine(verdicts, None, metrics).named_scores == scores


def test_scores_are_added_from_left_to_right() -> None:
    """As JavaScript adds: ten tenths come to a little less than 1, and this mean does not reach one half."""
    pairs = [(1.0, 0.1)] * 10 + [(0.0, 1.0)]
    assert weighted_mean(pairs) == 0.49999999999999994


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.001, 1000)), min_size=1))
def test_a_mean_lies_between_its_scores(pairs: list[tuple[float, float]]) -> None:
    scores = [score for score, _ in pairs]
    assert min(scores) - 1e-9 <= weighted_mean(pairs) <= max(scores) + 1e-9
