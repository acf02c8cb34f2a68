"""The figures of the summary's table: what each column shows of a provider, and where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sagemaker_eval.model import ColumnSummary, Percentiles
from sagemaker_eval.reporting.figures import NOT_AVAILABLE, dollars, duration, percent, tokens


@dataclass(frozen=True, slots=True)
class Figure:
    """One column of the summary's table, left out where no line needs it."""

    title: str
    show: Callable[[ColumnSummary], str]
    needed: Callable[[ColumnSummary], bool] = lambda summary: True
    style: str = ""


def pass_rate(summary: ColumnSummary) -> str:
    """`80.0% (8/10)`: passed among those answered, errors aside; `n/a` where there was nothing to judge."""
    answered = summary.passed + summary.failed
    if answered == summary.unasserted:
        return NOT_AVAILABLE
    return f"{percent(summary.passed, answered)} ({summary.passed:,}/{answered:,})"


def cached_share(summary: ColumnSummary) -> str:
    """The share of answers that came from the cache."""
    return percent(summary.cached, summary.passed + summary.failed)


def _is_streamed(summary: ColumnSummary) -> bool:
    return summary.first_token is not None


def _time(measure: Percentiles | None, of: Callable[[Percentiles], float]) -> str:
    return NOT_AVAILABLE if measure is None else duration(of(measure))


def _speed(summary: ColumnSummary) -> str:
    if summary.tokens_per_second is None:
        return NOT_AVAILABLE
    return f"{'~' if summary.usage.estimated else ''}{summary.tokens_per_second.p50:,.1f}"


FIGURES = (
    Figure("Pass rate", pass_rate),
    Figure("Failed", lambda summary: f"{summary.failed:,}", style="red"),
    Figure("Errors", lambda summary: f"{summary.errored:,}", style="yellow"),
    Figure("Not asserted", lambda summary: f"{summary.unasserted:,}", lambda summary: summary.unasserted > 0),
    Figure("Skipped", lambda summary: f"{summary.skipped:,}", lambda summary: summary.skipped > 0),
    Figure("Latency p50", lambda summary: duration(summary.latency_p50)),
    Figure("p95", lambda summary: duration(summary.latency_p95)),
    Figure("First token p50", lambda summary: _time(summary.first_token, lambda spread: spread.p50), _is_streamed),
    Figure("p95", lambda summary: _time(summary.first_token, lambda spread: spread.p95), _is_streamed),
    Figure("Tokens/s p50", _speed, _is_streamed),
    Figure("Tokens in / out", lambda summary: tokens(summary.usage)),
    Figure("Cost", lambda summary: dollars(summary.cost), lambda summary: summary.cost is not None),
    Figure("Cached", cached_share),
)
