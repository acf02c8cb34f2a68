"""The filters keep what was asked for, in order, and never leave nothing without a word."""

from __future__ import annotations

from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Outcome, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.selection import EarlierRows, Filters, select

TESTS = [TestCase(description=f"{'odd' if n % 2 else 'even'} {n}", vars={"n": str(n)}) for n in range(10)]
SUITE = Suite(
    prompts=(Prompt("p", "short", "1"), Prompt("q", "long", "2")),
    providers=(ProviderSpec("sagemaker:a", "sagemaker", "Blue"), ProviderSpec("sagemaker:b", "sagemaker")),
    tests=TESTS,
)


def kept(**filters: Any) -> list[str]:
    return [test.vars["n"] for test in select(SUITE, Filters(**filters)).tests]


def test_a_pattern_looks_at_descriptions() -> None:
    assert kept(pattern="^odd") == ["1", "3", "5", "7", "9"]


def test_filters_apply_one_after_the_other() -> None:
    assert kept(pattern="odd", range=(1, 4)) == ["3", "5", "7"]
    assert kept(pattern="odd", range=(1, None), first_n=2) == ["3", "5"]


def test_a_seeded_sample_is_the_same_every_time_and_keeps_the_order() -> None:
    first, second = kept(sample=4, sample_seed=7), kept(sample=4, sample_seed=7)
    assert first == second == sorted(first)
    assert len(first) == 4


def test_a_sample_larger_than_the_suite_is_the_suite() -> None:
    assert len(kept(sample=99)) == 10


def test_metadata_matches_by_substring_and_in_lists() -> None:
    tests = [
        TestCase(vars={"n": "a"}, metadata={"team": "billing"}),
        TestCase(vars={"n": "b"}, metadata={"team": ["search", "billing-eu"]}),
        TestCase(vars={"n": "c"}),
    ]
    suite = Suite(prompts=SUITE.prompts, providers=SUITE.providers, tests=tests)
    chosen = select(suite, Filters(metadata=(("team", "billing"),)))
    assert [test.vars["n"] for test in chosen.tests] == ["a", "b"]


def test_providers_and_prompts_match_by_id_or_label() -> None:
    chosen = select(SUITE, Filters(providers="Blue|:b$", prompts="long"))
    assert [spec.id for spec in chosen.providers] == ["sagemaker:a", "sagemaker:b"]
    assert [prompt.label for prompt in chosen.prompts] == ["long"]


def test_failing_tests_are_found_by_their_variables() -> None:
    rows = [
        {"vars": {"n": "3", "_conversation": []}, "success": False, "failureReason": 1},
        {"vars": {"n": "4"}, "success": False, "failureReason": 2},
        {"vars": {"n": "5"}, "success": True, "failureReason": 0},
    ]
    failing = EarlierRows.of("x.json", iter(rows), frozenset({Outcome.FAILED, Outcome.ERRORED}))
    errors = EarlierRows.of("x.json", iter(rows), frozenset({Outcome.ERRORED}))
    assert kept(earlier=failing) == ["3", "4"]
    assert kept(earlier=errors) == ["4"]


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        (Filters(pattern="nowhere"), "the filters leave no test"),
        (Filters(range=(20, 30)), "the filters leave no test"),
        (Filters(providers="nowhere"), "--filter-providers `nowhere` matches nothing"),
        (Filters(prompts="("), "--filter-prompts `(` is not a regular expression"),
    ],
)
def test_a_filter_that_leaves_nothing_or_cannot_be_read_is_an_error(filters: Filters, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        select(SUITE, filters)
    assert message in str(caught.value)


def test_no_filter_leaves_the_suite_as_it_is() -> None:
    assert select(SUITE, Filters()) is SUITE
