"""promptfoo's scoring rules: from verdicts to a grade.

score = Σ score·weight / Σ weight, and 0 where the weights come to 0. An assertion of weight 0 never fails the test: its
verdict counts as passed and keeps its score and reason. A test with a threshold passes when its score reaches it,
whatever the single verdicts; without one it passes when no assertion failed. Unlike promptfoo's, the reason tells of
every assertion that failed, in the order of the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

from sagemaker_eval.model import Grade, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

_HUNDREDTH = Decimal("0.01")


def combine(verdicts: Sequence[Verdict], threshold: float | None, metrics: Sequence[str | None]) -> Grade:
    """The grade that follows from verdicts; `metrics` names the metric of each, or None.

    A score that is not a number reaches no threshold.
    """
    weights = [1.0 if verdict.spec is None else verdict.spec.weight for verdict in verdicts]
    score = weighted_mean(zip((verdict.score for verdict in verdicts), weights, strict=True))
    kept = tuple(
        verdict if weight or verdict.passed else replace(verdict, passed=True)
        for verdict, weight in zip(verdicts, weights, strict=True)
    )
    failures = "; ".join(verdict.reason for verdict in kept if not verdict.passed)
    passed = all(verdict.passed for verdict in kept)
    reason = failures or "All assertions passed"
    if threshold is not None:
        passed = score >= threshold
        reason = f"Aggregate score {_two_places(score)} {'≥' if passed else '<'} {to_text(threshold)} threshold"
        if failures and not passed:
            reason += f" ({failures})"
    named, named_weights = _named_scores(verdicts, weights, metrics)
    return Grade(passed, score, reason, kept, named, named_weights)


def weighted_mean(scores: Iterable[tuple[float, float]]) -> float:
    """Σ score·weight / Σ weight of (score, weight) pairs; 0 where the weights come to 0.

    Added from left to right, as JavaScript adds: a mean that just reaches a threshold there does so here.
    """
    total = weights = 0.0
    for score, weight in scores:
        if weight:
            total += score * weight
            weights += weight
    return total / weights if weights else 0.0


def _named_scores(
    verdicts: Sequence[Verdict], weights: Sequence[float], metrics: Sequence[str | None]
) -> tuple[dict[str, float], dict[str, float]]:
    """The weighted mean of the scores of each metric, and the total weight that it rests on."""
    scores: dict[str, list[tuple[float, float]]] = {}
    for verdict, weight, metric in zip(verdicts, weights, metrics, strict=True):
        if metric is not None:
            scores.setdefault(metric, []).append((verdict.score, weight))
        for name, score in verdict.named_scores.items():
            scores.setdefault(name, []).append((score, weight))
    means = {metric: weighted_mean(pairs) for metric, pairs in scores.items()}
    return means, {metric: sum(weight for _, weight in pairs) for metric, pairs in scores.items()}


def _two_places(score: float) -> str:
    """A score with two decimals, halves going up, as JavaScript's toFixed rounds."""
    exact = Decimal(score)
    return str(exact.quantize(_HUNDREDTH, ROUND_HALF_UP)) if exact.is_finite() else to_text(score)
