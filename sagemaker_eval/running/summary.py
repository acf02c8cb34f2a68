"""The running totals of a run: counts and sums per column, and one float per case for exact percentiles."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from sagemaker_eval.model import CaseResult, ColumnSummary, Outcome, RunSummary, TokenUsage
from sagemaker_eval.running.derived_metrics import DerivedMetrics
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.records import grading_usage


class Tally:
    """What has become of the cases of one column so far."""

    def __init__(self, planned: int = 0) -> None:
        self.planned = planned
        self.outcomes = dict.fromkeys(Outcome, 0)
        self.unasserted = 0
        self.cached = 0
        self.score = 0.0
        self.assertions = [0, 0]
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cached_tokens = 0
        self.requests = 0
        self.estimated = False
        self.cost: float | None = None
        self.grading: TokenUsage | None = None
        self.latencies = array("d")
        self.named_scores: dict[str, float] = {}
        self.named_weights: dict[str, float] = {}
        self.named_counts: dict[str, int] = {}

    def add(self, result: CaseResult) -> None:
        """Count one finished case."""
        self.outcomes[result.outcome] += 1
        if result.response:
            self._add_response(result)
        if result.grade:
            if (grading := grading_usage(result.grade)) is not None:
                self.grading = (self.grading or TokenUsage()) + grading
            self.score += result.grade.score
            self.unasserted += not result.case.row.test.assertions
            for verdict in result.grade.flat_verdicts():
                if "error" not in verdict.metadata:
                    self.assertions[not verdict.passed] += 1
            for name, score in result.grade.named_scores.items():
                weight = result.grade.named_score_weights.get(name, 1.0)
                self.named_scores[name] = self.named_scores.get(name, 0.0) + score * weight
                self.named_weights[name] = self.named_weights.get(name, 0.0) + weight
                self.named_counts[name] = self.named_counts.get(name, 0) + 1

    def _add_response(self, result: CaseResult) -> None:
        response = result.response
        assert response is not None
        usage = response.usage
        self.cached += response.cached
        self.prompt_tokens += usage.prompt
        self.completion_tokens += usage.completion
        self.cached_tokens += usage.cached
        self.requests += usage.requests
        self.estimated = self.estimated or usage.estimated
        if response.cost is not None:
            self.cost = response.cost + (self.cost or 0.0)
        if (latency := response.latency_ms) is not None:
            self.latencies.append(latency)


def summarise(tallies: Iterable[Tally]) -> ColumnSummary:
    """The tallies taken together as one summary."""
    parts = list(tallies)
    latencies = sorted(value for part in parts for value in part.latencies)
    finished = [sum(part.outcomes[outcome] for part in parts) for outcome in Outcome]
    costs = [part.cost for part in parts if part.cost is not None]
    gradings = [part.grading for part in parts if part.grading is not None]
    return ColumnSummary(
        passed=finished[0],
        failed=finished[1],
        errored=finished[2],
        skipped=sum(part.planned for part in parts) - sum(finished),
        unasserted=sum(part.unasserted for part in parts),
        cached=sum(part.cached for part in parts),
        score=sum(part.score for part in parts),
        assertions_passed=sum(part.assertions[0] for part in parts),
        assertions_failed=sum(part.assertions[1] for part in parts),
        usage=_usage(parts),
        latency_total=math.fsum(latencies),
        latency_p50=percentile(latencies, 0.50),
        latency_p95=percentile(latencies, 0.95),
        named_scores=_added([part.named_scores for part in parts]),
        named_score_weights=_added([part.named_weights for part in parts]),
        named_score_counts=_added([part.named_counts for part in parts]),
        cost=math.fsum(costs) if costs else None,
        grading=sum(gradings, TokenUsage()) if gradings else None,
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of ascending values (NIST handbook, section 7.2.6.2, rank rounded up)."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Totals:
    """The tallies of all columns of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._derived = DerivedMetrics(plan.suite.derived_metrics)
        self._tallies = [Tally(planned) for planned in plan.column_totals]

    def add(self, result: CaseResult) -> None:
        """Count one finished case under its column."""
        self._tallies[result.case.column.index].add(result)

    def summary(self, duration_ms: float) -> RunSummary:
        """Everything counted so far."""
        providers = [
            [self._tallies[column.index] for column in self._plan.columns if column.provider is provider]
            for provider in self._plan.suite.providers
        ]
        return RunSummary(
            total=summarise(self._tallies),
            columns=tuple(self._column(tally) for tally in self._tallies),
            providers=tuple(summarise(tallies) for tallies in providers if tallies),
            duration_ms=duration_ms,
        )

    def _column(self, tally: Tally) -> ColumnSummary:
        """One column, its derived metrics among its named scores."""
        summary = summarise([tally])
        derived = self._derived.of(summary.named_scores, summary.finished)
        return replace(summary, named_scores={**summary.named_scores, **derived}) if derived else summary


def _usage(parts: list[Tally]) -> TokenUsage:
    return TokenUsage(
        prompt=sum(part.prompt_tokens for part in parts),
        completion=sum(part.completion_tokens for part in parts),
        cached=sum(part.cached_tokens for part in parts),
        estimated=any(part.estimated for part in parts),
        requests=sum(part.requests for part in parts),
    )


Number = TypeVar("Number", int, float)


def _added(mappings: list[dict[str, Number]]) -> dict[str, Number]:
    total: dict[str, Number] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            total[name] = total[name] + value if name in total else value
    return total
