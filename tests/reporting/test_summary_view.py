from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.model import ColumnSummary, RunSummary, TokenUsage
from sagemaker_eval.reporting.summary_figures import cached_share, pass_rate
from sagemaker_eval.reporting.summary_view import render_summary

New = Callable[..., Any]
Golden = Callable[[str, str], bool]

LLAMA = ColumnSummary(
    passed=8,
    failed=2,
    cached=5,
    usage=TokenUsage(prompt=12_345, completion=678, requests=10),
    latency_p50=512.0,
    latency_p95=1_240.0,
)
MISTRAL = ColumnSummary(errored=9, skipped=1, usage=TokenUsage(estimated=True))
TOTAL = ColumnSummary(
    passed=8,
    failed=2,
    errored=9,
    skipped=1,
    cached=5,
    usage=TokenUsage(prompt=12_345, completion=678, requests=10, estimated=True),
    latency_p50=512.0,
    latency_p95=1_240.0,
)


def shown(run: Any, summary: RunSummary, paper: Any) -> str:
    render_summary(run.record, run.journal, summary, paper.console)
    return str(paper.text)


@pytest.fixture
def troubled(new_run: New) -> Any:
    """A provider that answers, and one that does not."""
    run = new_run(total=20)
    for test in range(7):
        run.errored(test, 1, "endpoint `mistral` is throttling", "lower `maxConcurrency`")
    run.errored(7, 1, "endpoint `mistral` [bold]failed[/bold] \x1b[31m")
    run.errored(8, 1, "endpoint `mistral` is throttling", "lower `maxConcurrency`")
    return run


SUMMARY = RunSummary(TOTAL, (LLAMA, MISTRAL), (LLAMA, MISTRAL), duration_ms=12_345.0)


def test_summary(troubled: Any, new_paper: New, matches_golden: Golden) -> None:
    assert matches_golden("summary", shown(troubled, SUMMARY, new_paper()))


def test_summary_on_a_narrow_terminal(troubled: Any, new_paper: New, matches_golden: Golden) -> None:
    assert matches_golden("summary_narrow", shown(troubled, SUMMARY, new_paper(width=50)))


def test_prompts_are_listed_below_their_provider(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run = new_run(prompts=("Plain", "Polite"), total=40)
    columns = tuple(ColumnSummary(passed=10 - column, failed=column, latency_p50=9.5) for column in range(4))
    providers = (ColumnSummary(passed=19, failed=1), ColumnSummary(passed=15, failed=5))
    summary = RunSummary(ColumnSummary(passed=34, failed=6), columns, providers, 61_000.0)
    assert matches_golden("summary_prompts", shown(run, summary, new_paper()))


def test_without_assertions_there_is_no_pass_rate(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run = new_run(providers=("llama",))
    answered = ColumnSummary(passed=4, unasserted=4, latency_p50=1.0, latency_p95=2.0)
    summary = RunSummary(answered, (answered,), (answered,), 900.0)
    assert matches_golden("summary_no_assertions", shown(run, summary, new_paper()))


def test_the_same_provider_configured_twice_is_listed_twice(new_run: New, new_paper: New) -> None:
    run = new_run(providers=("llama", "llama"))
    one, other = ColumnSummary(passed=1), ColumnSummary(failed=1)
    text = shown(run, RunSummary(ColumnSummary(passed=1, failed=1), (one, other), (one, other)), new_paper())
    assert "100% (1/1)" in text
    assert "0% (0/1)" in text


def test_columns_stand_alone_where_providers_cannot_be_told_apart(new_run: New, new_paper: New) -> None:
    run = new_run()
    one, other = ColumnSummary(passed=1), ColumnSummary(failed=1)
    text = shown(run, RunSummary(ColumnSummary(passed=1, failed=1), (one, other)), new_paper())
    assert "llama, Plain" in text
    assert "mistral, Plain" in text


def test_no_line_ends_in_a_space(troubled: Any, new_paper: New) -> None:
    assert all(line == line.rstrip() for line in shown(troubled, SUMMARY, new_paper()).splitlines())


def test_errors_are_in_no_rate() -> None:
    assert pass_rate(ColumnSummary(passed=8, failed=2, errored=90)) == "80.0% (8/10)"
    assert pass_rate(ColumnSummary(errored=3)) == "n/a"
    assert cached_share(ColumnSummary(errored=3)) == "n/a"


def test_unasserted_answers_count_as_passed_beside_asserted_ones() -> None:
    assert pass_rate(ColumnSummary(passed=3, failed=1, unasserted=2)) == "75.0% (3/4)"


@pytest.mark.parametrize("width", range(50, 131, 4))
def test_long_names_are_cut_before_any_figure_is(new_run: New, new_paper: New, width: int) -> None:
    run = new_run(providers=("a" * 40, "b" * 40))
    text = shown(run, RunSummary(TOTAL, (LLAMA, MISTRAL), (LLAMA, MISTRAL), 1.0), new_paper(width=width))
    assert "12,345" in text
    assert all(len(line) <= width for line in text.splitlines())
    cut = [line for line in text.splitlines() if "…" in line]
    assert all(line.startswith(("aaaa", "bbbb")) for line in cut)


@pytest.mark.parametrize(
    ("usage", "line"),
    [
        (TokenUsage(prompt=1_200, completion=34, requests=7), "grading: 1,234 tokens, 7 requests"),
        (TokenUsage(prompt=1, requests=1), "grading: 1 token, 1 request"),
        (TokenUsage(prompt=30, cached=10, requests=2), "grading: 30 tokens, 10 of them cached, 2 requests"),
        (TokenUsage(prompt=30, requests=2, estimated=True), "grading: ~30 tokens, 2 requests"),
    ],
)
def test_what_graders_took_is_one_line(new_run: New, new_paper: New, usage: TokenUsage, line: str) -> None:
    graded = ColumnSummary(passed=1, grading=usage)
    text = shown(new_run(providers=("llama",)), RunSummary(graded, (graded,), (graded,)), new_paper())
    assert line in text.splitlines()
    assert ("~ marks token counts" in text) is usage.estimated


def test_without_graders_nothing_is_said_of_them(troubled: Any, new_paper: New) -> None:
    assert "grading" not in shown(troubled, SUMMARY, new_paper())
