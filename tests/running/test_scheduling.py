"""Lanes: one for each provider; one for everything where the order of cases decides what they see."""

from __future__ import annotations

from collections.abc import Sequence

from sagemaker_eval.model import Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.scheduling import phases

PROMPTS = (Prompt("{{q}}", "p", "1"),)
PROVIDERS = (ProviderSpec("a", "echo"), ProviderSpec("b", "echo", max_concurrency=1))


def lanes(tests: Sequence[TestCase]) -> list[list[tuple[list[tuple[int, str]], int]]]:
    """For each phase its lanes: the cases by row and provider, and how many at once."""
    plan = Plan.of(Suite(prompts=PROMPTS, providers=PROVIDERS, tests=list(tests)))
    return [
        [([(case.row.index, case.column.provider.id) for case in lane.cases], lane.workers) for lane in phase]
        for phase in phases(plan)
    ]


def test_each_provider_has_its_own_lane() -> None:
    assert lanes([TestCase(), TestCase()]) == [[([(0, "a"), (1, "a")], 4), ([(0, "b"), (1, "b")], 1)]]


def test_serial_tests_come_first_one_at_a_time() -> None:
    found = lanes([TestCase(), TestCase(options={"runSerially": True})])
    assert found == [[([(1, "a"), (1, "b")], 1)], [([(0, "a")], 2 + 2), ([(0, "b")], 1)]]


def test_a_stored_output_puts_all_cases_in_one_line() -> None:
    found = lanes([TestCase(options={"storeOutputAs": "x"}), TestCase()])
    assert found == [[([(0, "a"), (0, "b"), (1, "a"), (1, "b")], 1)]]


def test_a_test_for_one_column_leaves_the_others_out() -> None:
    assert lanes([TestCase(providers=("b",)), TestCase()]) == [[([(1, "a")], 3), ([(0, "b"), (1, "b")], 1)]]
