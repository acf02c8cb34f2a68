from __future__ import annotations

from collections.abc import Iterator

from sagemaker_eval.model import Outcome
from sagemaker_eval.reporting.row_choice import choose_rows

P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED


def test_rows_with_failures_or_errors_come_first_in_plan_order() -> None:
    outcomes = [(0, P), (1, P), (2, P), (3, F), (4, P), (5, P), (6, E), (7, P)]
    choice = choose_rows(outcomes, columns=2, limit=3)
    assert [row.index for row in choice.rows] == [1, 3, 0]
    assert (choice.total, choice.hidden) == (4, 1)


def test_unfinished_cases_of_a_row_have_no_slot() -> None:
    choice = choose_rows([(0, P), (2, F), (5, P)], columns=3, limit=25)
    assert [(row.index, row.slots) for row in choice.rows] == [(0, (0, 2)), (1, (5,))]


def test_an_empty_run_chooses_nothing() -> None:
    assert choose_rows([], columns=1, limit=25).total == 0


def test_few_rows_are_kept_of_many() -> None:
    def many() -> Iterator[tuple[int, Outcome]]:
        for slot in range(20_000):
            yield slot, F if slot == 19_999 else P

    choice = choose_rows(many(), columns=1, limit=2)
    assert [row.index for row in choice.rows] == [19_999, 0]
    assert choice.hidden == 19_998
