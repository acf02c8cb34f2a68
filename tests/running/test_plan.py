"""The plan enumerates as promptfoo does, lazily, and as often as it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sagemaker_eval.model import Json, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.plan import Plan


def prompt(text: str, label: str | None = None) -> Prompt:
    return Prompt(raw=text, label=label or text, id=text)


def provider(name: str, **more: Any) -> ProviderSpec:
    return ProviderSpec(id=name, kind="echo", **more)


def plan(tests: Sequence[TestCase], repeat: int = 1, **more: Any) -> Plan:
    parts = {"prompts": (prompt("p"),), "providers": (provider("a"),), **more}
    return Plan.of(Suite(tests=list(tests), repeat=repeat, **parts))


def rows(tests: Sequence[TestCase], **more: Any) -> list[tuple[int, int, dict[str, Json]]]:
    return [(row.index, row.repeat, dict(row.vars)) for row in plan(tests, **more).rows()]


def test_lists_expand_to_their_product_with_the_first_variable_varying_slowest() -> None:
    test = TestCase(vars={"a": ["1", "2"], "b": ["x", "y"]})
    assert [row[2] for row in rows([test])] == [
        {"a": "1", "b": "x"},
        {"a": "1", "b": "y"},
        {"a": "2", "b": "x"},
        {"a": "2", "b": "y"},
    ]


@pytest.mark.parametrize("value", [[], [1, 2], [{"k": "v"}], [True], {"a": ["x"]}, "text"])
def test_only_lists_that_begin_with_a_string_expand(value: Json) -> None:
    assert rows([TestCase(vars={"a": value})]) == [(0, 0, {"a": value})]


def test_expansion_can_be_switched_off() -> None:
    test = TestCase(vars={"a": ["1", "2"]}, options={"disableVarExpansion": True})
    assert rows([test]) == [(0, 0, {"a": ["1", "2"]})]


def test_all_combinations_of_one_repetition_come_before_the_next() -> None:
    test = TestCase(vars={"a": ["1", "2"]})
    assert rows([test], repeat=2) == [
        (0, 0, {"a": "1"}),
        (1, 0, {"a": "2"}),
        (2, 1, {"a": "1"}),
        (3, 1, {"a": "2"}),
    ]


def test_a_test_can_set_its_own_number_of_repetitions() -> None:
    tests = [TestCase(vars={"a": "1"}, options={"repeat": 3}), TestCase(vars={"a": "2"})]
    assert [row[2]["a"] for row in rows(tests)] == ["1", "1", "1", "2"]


def test_columns_are_providers_in_the_outer_loop_with_the_prompts_that_they_are_allowed() -> None:
    made = plan(
        [TestCase()],
        prompts=(prompt("one", "chat:one"), prompt("two", "chat:two"), prompt("three")),
        providers=(provider("a", prompts=("chat",)), provider("b", prompts=("th*",)), provider("c")),
    )
    assert [(column.index, column.provider.id, column.prompt.raw) for column in made.columns] == [
        (0, "a", "one"),
        (1, "a", "two"),
        (2, "b", "three"),
        (3, "c", "one"),
        (4, "c", "two"),
        (5, "c", "three"),
    ]


def test_the_cases_of_the_providers_together_are_the_plan() -> None:
    made = plan(
        [TestCase(vars={"a": ["1", "2"]})],
        prompts=(prompt("p"), prompt("q")),
        providers=(provider("a"), provider("b")),
    )
    shares = [case.index for spec in made.suite.providers for case in made.cases(spec)]
    assert sorted(shares) == [case.index for case in made.cases()] == list(range(made.total)) == list(range(8))


def test_variables_are_named_in_the_order_of_first_sight() -> None:
    made = plan([TestCase(vars={"b": "1"}), TestCase(vars={"a": "1", "b": "2"})])
    assert made.var_names == ("b", "a")
