"""What the figures of the summary do not say by themselves, a line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sagemaker_eval.model import ColumnSummary, EndpointUse, RunSummary, TokenUsage
from sagemaker_eval.reporting.figures import NOT_AVAILABLE, counted, dollars, duration
from sagemaker_eval.reporting.summary_figures import pass_rate


def remarks(summary: RunSummary, providers: Sequence[tuple[str, ColumnSummary]]) -> Iterator[str]:
    """The remarks on a run; `providers` are the summaries of its providers with their names."""
    total = summary.total
    if total.unasserted:
        yield _unasserted(total)
    if total.skipped:
        yield f"{counted(total.skipped, 'case')} skipped: planned and never sent, in no rate."
    for name, provider in providers:
        if provider.variants:
            yield _mixed(name, provider)
    if total.usage.estimated or (total.grading is not None and total.grading.estimated):
        yield "~ marks token counts that are estimated, at least in part: the endpoint reported none."
    if total.grading is not None:
        yield _grading(total.grading)
    for use in summary.endpoints:
        if use.dollars is not None:
            yield _economics(use)


def _unasserted(total: ColumnSummary) -> str:
    was, them, count = ("was", "it", "counts") if total.unasserted == 1 else ("were", "them", "count")
    they = them.replace("them", "they")
    rate = "" if pass_rate(total) == NOT_AVAILABLE else f"; in the pass rate {they} {count} as passed"
    return f"{counted(total.unasserted, 'case')} {was} answered and not asserted: no verdict on {them}{rate}."


def _mixed(name: str, provider: ColumnSummary) -> str:
    shares = ", ".join(f"{variant} {part.finished:,}" for variant, part in provider.variants)
    names = ", ".join(variant for variant, _ in provider.variants)
    return (
        f"`{name}` mixes production variants ({shares}): its rate is that of the mixture. "
        f"`variants: [{names}]` in its config makes a column of each."
    )


def _grading(usage: TokenUsage) -> str:
    """What the graders took: `grading: 1,200 tokens, 300 of them cached, 14 requests`."""
    about = "~" if usage.estimated else ""
    cached = f", {usage.cached:,} of them cached" if usage.cached else ""
    return f"grading: {about}{counted(usage.total, 'token')}{cached}, {counted(usage.requests, 'request')}"


def _economics(use: EndpointUse) -> str:
    """What an endpoint's instances cost while the run used them."""
    shares = [f"{dollars(use.dollars)} for the run"]
    if use.dollars is not None and use.cases:
        shares.append(f"{dollars(use.dollars * 1000 / use.cases)} per 1,000 cases")
    if use.dollars is not None and use.passed:
        shares.append(f"{dollars(use.dollars / use.passed)} per passed case")
    of = f" of {use.fleet}" if use.fleet else ""
    hours = f"{duration(use.seconds * 1000)}{of} at {dollars(use.hourly_usd)} an hour"
    return f"endpoint `{use.endpoint}`: {', '.join(shares)} ({hours}; {use.source})."
