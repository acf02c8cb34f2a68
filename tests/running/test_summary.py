"""What a summary makes of the rows of a run: variants apart, streams measured, what cannot be measured left out."""

from __future__ import annotations

from sagemaker_eval.model import (
    Case,
    CaseFailure,
    CaseResult,
    Column,
    Grade,
    Json,
    Outcome,
    Percentiles,
    Prompt,
    ProviderSpec,
    Response,
    Row,
    TestCase,
    Timings,
    TokenUsage,
)
from sagemaker_eval.running.records import row_of
from sagemaker_eval.running.summary import ColumnTally, percentiles, summarise

COLUMN = Column(0, ProviderSpec("sagemaker:ab", "sagemaker"), Prompt("p", "p", "id"))
CASE = Case(0, Row(0, TestCase(), 0, {}), COLUMN)


def answered(response: Response, passed: bool = True) -> dict[str, Json]:
    outcome = Outcome.PASSED if passed else Outcome.FAILED
    return row_of(CaseResult(CASE, outcome, "p", response, Grade(passed, float(passed), "fine")))


def by_variant(variant: str | None, passed: bool) -> dict[str, Json]:
    return answered(Response("tea", variant=variant, timings=Timings(wire=100.0)), passed)


def errored() -> dict[str, Json]:
    return row_of(CaseResult(CASE, Outcome.ERRORED, "p", error=CaseFailure("endpoint", "no answer")))


def test_a_column_that_two_variants_answered_is_split_by_variant() -> None:
    tally = ColumnTally(planned=11)
    for number in range(10):
        tally.add(by_variant("blue" if number < 7 else "green", passed=number not in (0, 7, 8)))
    tally.add(errored())
    summary = summarise([tally])
    assert (summary.passed, summary.failed, summary.errored, summary.skipped) == (7, 3, 1, 0)
    shown = [(name, part.passed, part.failed, part.errored) for name, part in summary.variants]
    assert shown == [("blue", 6, 1, 0), ("green", 1, 2, 0)]


def test_the_variants_of_several_columns_are_taken_together() -> None:
    first, second = ColumnTally(2), ColumnTally(2)
    for tally, variants in ((first, ("blue", "green")), (second, ("green", "green"))):
        for variant in variants:
            tally.add(by_variant(variant, passed=True))
    assert [(name, part.passed) for name, part in summarise([first, second]).variants] == [("green", 3), ("blue", 1)]
    assert summarise([second]).variants == ()


def test_an_unknown_variant_is_none_of_its_own() -> None:
    tally = ColumnTally(2)
    tally.add(by_variant("blue", passed=True))
    tally.add(by_variant(None, passed=True))
    assert summarise([tally]).variants == ()
    assert summarise([tally]).passed == 2


def test_streams_are_summarised_as_percentiles() -> None:
    tally = ColumnTally(3)
    for first, between, wire in ((100.0, 10.0, 1000.0), (300.0, None, 500.0), (200.0, 30.0, 2000.0)):
        timings = Timings(wire=wire, first_token=first, inter_token=between)
        tally.add(answered(Response("tea", usage=TokenUsage(completion=50, requests=1), timings=timings)))
    summary = summarise([tally])
    assert summary.first_token == Percentiles(200.0, 300.0, 300.0)
    assert summary.inter_token == Percentiles(10.0, 30.0, 30.0)
    assert summary.tokens_per_second == Percentiles(50.0, 100.0, 100.0)


def test_answers_that_were_not_streamed_have_no_first_token() -> None:
    tally = ColumnTally(1)
    tally.add(answered(Response("tea", timings=Timings(wire=100.0))))
    summary = summarise([tally])
    assert (summary.first_token, summary.inter_token, summary.tokens_per_second) == (None, None, None)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    assert percentiles([]) is None
    assert percentiles([7.0]) == Percentiles(7.0, 7.0, 7.0)
    assert percentiles([float(number) for number in range(1, 201)]) == Percentiles(100.0, 190.0, 198.0)


def test_sums_do_not_depend_on_the_order_in_which_cases_finished() -> None:
    def graded(number: int) -> dict[str, Json]:
        names = ("kind", "true") if number % 2 else ("true", "kind")
        grade = Grade(True, 0.1 * number, "fine", (), dict.fromkeys(names, 0.1 * number), dict.fromkeys(names, 0.3))
        return row_of(CaseResult(CASE, Outcome.PASSED, "p", Response("tea", cost=0.1 * number), grade))

    rows = [graded(number) for number in range(9)]
    summaries = []
    for order in (rows, rows[::-1], rows[4:] + rows[:4]):
        tally = ColumnTally(len(rows))
        for row in order:
            tally.add(row)
        summaries.append(repr(summarise([tally])))
    assert len(set(summaries)) == 1
