"""From the assertions of a test to one grade (promptfoo's scoring rules).

score = Σ score·weight / Σ weight. An assertion of weight 0 never fails the test. A test with a threshold passes when
its score reaches it, whatever the single verdicts; without one it passes when no assertion failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from inspect import isawaitable

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, is_templated
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import AssertionSpec, Grade, Json, TestCase, Verdict
from sagemaker_eval.text.templating import Templates

_KEPT_CHECKS = 4096

UNASSERTED = Grade(True, 1.0, "No assertions")


class Judge:
    """Prepares the assertions of tests and grades subjects with them. One for each run."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._checks: dict[int, tuple[AssertionSpec, Check]] = {}

    def prepare(self, specs: Sequence[AssertionSpec]) -> list[Problem]:
        """Everything that is wrong with the assertions, before anything is sent."""
        problems: list[Problem] = []
        for spec in specs:
            try:
                self._check(spec)
                self._check_templates(spec)
            except ConfigError as error:
                problems += [replace(problem, where=problem.where or spec.where) for problem in error.problems]
        return problems

    async def grade(self, test: TestCase, subject: Subject) -> Grade:
        """The grade of one output. Raises `CaseError` where an assertion cannot decide."""
        if not test.assertions:
            return UNASSERTED
        verdicts = [await self._verdict(spec, subject) for spec in test.assertions]
        return combine(verdicts, test.threshold, self._metrics(test, subject.vars))

    async def _verdict(self, spec: AssertionSpec, subject: Subject) -> Verdict:
        value = self._templates.render_value(spec.value, subject.vars)
        verdict = self._check(spec)(replace(subject, value=value))
        return await verdict if isawaitable(verdict) else verdict

    def _check(self, spec: AssertionSpec) -> Check:
        kept = self._checks.get(id(spec))
        if kept is not None and kept[0] is spec:
            return kept[1]
        check = ASSERTIONS.get(spec.kind)(spec)
        if len(self._checks) >= _KEPT_CHECKS:
            self._checks.clear()
        self._checks[id(spec)] = (spec, check)
        return check

    def _check_templates(self, spec: AssertionSpec) -> None:
        values = spec.value if isinstance(spec.value, list) else [spec.value]
        for value in [*values, spec.metric]:
            if isinstance(value, str) and is_templated(value):
                self._templates.check(value, spec.where)

    def _metrics(self, test: TestCase, variables: Mapping[str, Json]) -> list[str | None]:
        return [
            None if spec.metric is None else str(self._templates.render_value(spec.metric, variables))
            for spec in test.assertions
        ]


def combine(verdicts: Sequence[Verdict], threshold: float | None, metrics: Sequence[str | None]) -> Grade:
    """The grade that follows from verdicts; `metrics` names the metric of each, or None."""
    weights = [1.0 if verdict.spec is None else verdict.spec.weight for verdict in verdicts]
    score = _weighted_mean([verdict.score for verdict in verdicts], weights)
    kept = tuple(
        replace(verdict, passed=True) if weight == 0 else verdict
        for verdict, weight in zip(verdicts, weights, strict=True)
    )
    failed = [verdict for verdict in kept if not verdict.passed]
    if threshold is None:
        passed, reason = not failed, _reason(failed)
    else:
        passed = score >= threshold
        reason = f"Aggregate score {score:.2f} {'≥' if passed else '<'} {threshold:g} threshold"
        if failed:
            reason += f" ({_reason(failed)})"
    return Grade(passed, score, reason, kept, _named_scores(verdicts, weights, metrics))


def _reason(failed: Sequence[Verdict]) -> str:
    """Every failure, in the order of the assertions."""
    if not failed:
        return "All assertions passed"
    return failed[0].reason if len(failed) == 1 else "; ".join(verdict.reason for verdict in failed)


def _weighted_mean(scores: Sequence[float], weights: Sequence[float]) -> float:
    total = sum(weights)
    return sum(score * weight for score, weight in zip(scores, weights, strict=True)) / total if total else 0.0


def _named_scores(
    verdicts: Sequence[Verdict], weights: Sequence[float], metrics: Sequence[str | None]
) -> dict[str, float]:
    """The weighted mean of the scores of each metric."""
    scores: dict[str, tuple[list[float], list[float]]] = {}
    for verdict, weight, metric in zip(verdicts, weights, metrics, strict=True):
        if metric is not None:
            values, shares = scores.setdefault(metric, ([], []))
            values.append(verdict.score)
            shares.append(weight)
    return {metric: _weighted_mean(values, shares) for metric, (values, shares) in scores.items()}
