"""The running totals of a run: counts and sums per column, and a float per case and measure for exact percentiles.

What is counted are the journal's rows, so a run that is read back from its journal has the totals that it had.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sagemaker_eval.model import ColumnSummary, Outcome, Percentiles, RunSummary, TokenUsage
from sagemaker_eval.running.exact_sum import ExactSum, total
from sagemaker_eval.running.run_record import ColumnRecord

RowLike = Mapping[str, Any]
"""A journal's row."""

Derive = Callable[[int, ColumnSummary], Mapping[str, float]]
"""The derived metrics of a column, from its index and what was counted in it."""


class Tally:
    """What has become of the cases of one column so far, or of those that one variant answered."""

    def __init__(self) -> None:
        self.outcomes = dict.fromkeys((outcome.value for outcome in Outcome), 0)
        self.unasserted = 0
        self.cached = 0
        self.score = ExactSum()
        self.assertions = [0, 0]
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.cached_tokens = 0
        self.requests = 0
        self.estimated = False
        self.cost: ExactSum | None = None
        self.grading: TokenUsage | None = None
        self.latencies = array("d")
        self.first_tokens = array("d")
        self.inter_tokens = array("d")
        self.speeds = array("d")
        self.named_scores: defaultdict[str, ExactSum] = defaultdict(ExactSum)
        self.named_weights: defaultdict[str, ExactSum] = defaultdict(ExactSum)
        self.named_counts: dict[str, int] = {}

    def add(self, row: RowLike) -> None:
        """Count the row of one finished case."""
        self.outcomes[row["outcome"]] += 1
        if row["response"] is not None:
            self._add_response(row, row["response"])
        if row["gradingResult"] is not None:
            self._add_grade(row, row["gradingResult"])

    def _add_response(self, row: RowLike, response: RowLike) -> None:
        usage = response["tokenUsage"]
        self.cached += response["cached"]
        self.prompt_tokens += usage["prompt"]
        self.completion_tokens += usage["completion"]
        self.cached_tokens += usage["cached"]
        self.requests += usage["numRequests"]
        self.estimated = self.estimated or usage["estimated"]
        if row["cost"] is not None:
            self.cost = self.cost or ExactSum()
            self.cost.add(row["cost"])
        if row["latencyMs"] is not None:
            self.latencies.append(row["latencyMs"])
        timings = row["timings"]
        if (first := timings.get("firstTokenMs")) is not None:
            self.first_tokens.append(first)
            if (between := timings.get("interTokenMs")) is not None:
                self.inter_tokens.append(between)
            if usage["completion"] and timings["wireMs"] > 0:
                self.speeds.append(usage["completion"] * 1000 / timings["wireMs"])

    def _add_grade(self, row: RowLike, grade: RowLike) -> None:
        if (told := row["tokenUsage"].get("assertions")) is not None:
            self.grading = (self.grading or TokenUsage()) + usage_of(told)
        self.score.add(grade["score"] or 0.0)
        self.unasserted += not row["asserted"]
        for verdict in grade["componentResults"]:
            if "error" not in verdict.get("metadata", ()):
                self.assertions[not verdict["pass"]] += 1
        weights = grade["namedScoreWeights"]
        for name, score in grade["namedScores"].items():
            weight = weights.get(name, 1.0)
            self.named_scores[name].add((score or 0.0) * weight)
            self.named_weights[name].add(weight)
            self.named_counts[name] = self.named_counts.get(name, 0) + 1


def usage_of(told: RowLike) -> TokenUsage:
    """Token usage as a row has it."""
    return TokenUsage(told["prompt"], told["completion"], told["cached"], told["estimated"], told["numRequests"])


class ColumnTally:
    """The tallies of one column by the production variant that answered; None: no variant is known."""

    def __init__(self, planned: int = 0) -> None:
        self.planned = planned
        self.by_variant: dict[str | None, Tally] = {}

    def add(self, row: RowLike) -> None:
        """Count the row of one finished case."""
        response = row["response"]
        variant = None if response is None else response["metadata"].get("variant")
        tally = self.by_variant.get(variant)
        if tally is None:
            tally = self.by_variant[variant] = Tally()
        tally.add(row)


def summarise(columns: Iterable[ColumnTally]) -> ColumnSummary:
    """Columns taken together as one summary, which is also split by variant where more than one answered."""
    columns = list(columns)
    whole = _summary([tally for column in columns for tally in column.by_variant.values()])
    whole = replace(whole, skipped=sum(column.planned for column in columns) - whole.finished)
    names = {name for column in columns for name in column.by_variant if name is not None}
    if len(names) < 2:
        return whole
    parts = [(name, _summary([c.by_variant[name] for c in columns if name in c.by_variant])) for name in sorted(names)]
    return replace(whole, variants=tuple(sorted(parts, key=lambda part: -part[1].finished)))


def _summary(parts: Sequence[Tally]) -> ColumnSummary:
    latencies = _ascending(part.latencies for part in parts)
    costs = [part.cost for part in parts if part.cost is not None]
    gradings = [part.grading for part in parts if part.grading is not None]
    return ColumnSummary(
        passed=sum(part.outcomes[Outcome.PASSED] for part in parts),
        failed=sum(part.outcomes[Outcome.FAILED] for part in parts),
        errored=sum(part.outcomes[Outcome.ERRORED] for part in parts),
        unasserted=sum(part.unasserted for part in parts),
        cached=sum(part.cached for part in parts),
        score=total(part.score for part in parts),
        assertions_passed=sum(part.assertions[0] for part in parts),
        assertions_failed=sum(part.assertions[1] for part in parts),
        usage=_usage(parts),
        latency_total=math.fsum(latencies),
        latency_p50=percentile(latencies, 0.50),
        latency_p95=percentile(latencies, 0.95),
        named_scores=_added([part.named_scores for part in parts], total),
        named_score_weights=_added([part.named_weights for part in parts], total),
        named_score_counts=_added([part.named_counts for part in parts], sum),
        cost=total(costs) if costs else None,
        grading=sum(gradings, TokenUsage()) if gradings else None,
        first_token=percentiles(_ascending(part.first_tokens for part in parts)),
        inter_token=percentiles(_ascending(part.inter_tokens for part in parts)),
        tokens_per_second=percentiles(_ascending(part.speeds for part in parts)),
    )


def _ascending(parts: Iterable[array[float]]) -> list[float]:
    return sorted(value for part in parts for value in part)


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """The nearest-rank percentile of ascending values (NIST handbook, section 7.2.6.2, rank rounded up)."""
    if not ordered:
        return None
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def percentiles(ordered: Sequence[float]) -> Percentiles | None:
    """The usual percentiles of ascending values; None of none."""
    if not ordered:
        return None
    p50, p95, p99 = (ordered[max(0, math.ceil(share * len(ordered)) - 1)] for share in (0.50, 0.95, 0.99))
    return Percentiles(p50, p95, p99)


class Totals:
    """The tallies of all columns of a run. `derive` gives the derived metrics of a column's sums and count."""

    def __init__(self, columns: Sequence[ColumnRecord], derive: Derive | None = None) -> None:
        self._columns = columns
        self._derive = derive
        self._tallies = [ColumnTally(column.planned) for column in columns]

    def add(self, row: RowLike) -> None:
        """Count the row of one finished case under its column."""
        self._tallies[row["promptIdx"]].add(row)

    def summary(self, duration_ms: float) -> RunSummary:
        """Everything counted so far."""
        providers: dict[int, list[ColumnTally]] = {}
        for column, tally in zip(self._columns, self._tallies, strict=True):
            providers.setdefault(column.provider, []).append(tally)
        return RunSummary(
            total=summarise(self._tallies),
            columns=tuple(self._column(index, tally) for index, tally in enumerate(self._tallies)),
            providers=tuple(summarise(tallies) for tallies in providers.values()),
            duration_ms=duration_ms,
        )

    def _column(self, index: int, tally: ColumnTally) -> ColumnSummary:
        """One column, its derived metrics among its named scores."""
        summary = summarise([tally])
        if self._derive is None:
            return summary
        derived = self._derive(index, summary)
        return replace(summary, named_scores={**summary.named_scores, **derived}) if derived else summary


def _usage(parts: Sequence[Tally]) -> TokenUsage:
    return TokenUsage(
        prompt=sum(part.prompt_tokens for part in parts),
        completion=sum(part.completion_tokens for part in parts),
        cached=sum(part.cached_tokens for part in parts),
        estimated=any(part.estimated for part in parts),
        requests=sum(part.requests for part in parts),
    )


Summand = TypeVar("Summand")
Sum = TypeVar("Sum", int, float)


def _added(mappings: Sequence[Mapping[str, Summand]], added: Callable[[list[Summand]], Sum]) -> dict[str, Sum]:
    """The sums by name, in the order of the names: which case came first must not show."""
    names = sorted({name for mapping in mappings for name in mapping})
    return {name: added([mapping[name] for mapping in mappings if name in mapping]) for name in names}
