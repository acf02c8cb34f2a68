"""Which earlier answer is whose, and what is left of a suite that is judged without models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval import assertions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.running.answer_matching import FROM_TEST, NOBODY, AnsweredPlan, Matched, match
from sagemaker_eval.running.earlier_answers import EarlierAnswer, Label, narrowed
from sagemaker_eval.running.identity import case_id
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.regrading import graded, ungraded

assert assertions.__all__

ONE, TWO = ProviderSpec("echo", "echo", "one"), ProviderSpec("echo", "echo", "two")
PROMPT = Prompt("{{x}}", "p", "p")


@dataclass(frozen=True, slots=True)
class Labelled:
    """Answers of which nothing is known but their labels."""

    all: Sequence[Label]
    name: str = "the answers"

    def __len__(self) -> int:
        return len(self.all)

    def labels(self) -> Iterator[Label]:
        return iter(self.all)

    def columns(self) -> Sequence[Label]:
        return self.all

    def answer(self, number: int) -> EarlierAnswer:
        return EarlierAnswer(None)


def plan_of(*tests: TestCase, providers: tuple[ProviderSpec, ...] = (ONE,), repeat: int = 1) -> Plan:
    return Plan.of(Suite((PROMPT,), providers, tests, repeat=repeat))


def with_x(*values: str) -> list[TestCase]:
    return [TestCase(vars={"x": value}) for value in values]


def matched(plan: Plan, *labels: Label) -> Matched:
    return match(plan, Labelled(labels))


def recorded(plan: Plan) -> list[Label]:
    """The labels of a run of the plan."""
    return [
        Label(case_id(case), case.column.provider.name, "echo", "p", vars=case.row.vars, repeat=case.row.repeat)
        for case in plan.cases()
    ]


@given(st.permutations(range(6)))
def test_recorded_answers_find_their_cases_in_any_order(order: list[int]) -> None:
    plan = plan_of(*with_x("a", "b", "c"), providers=(ONE, TWO))
    labels = recorded(plan)
    numbers = matched(plan, *(labels[place] for place in order)).numbers
    assert [order[number] for number in numbers] == list(range(6))


@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), max_size=8))
def test_an_answer_is_only_given_to_the_question_that_it_answered(then: list[str], now: list[str]) -> None:
    numbers = matched(plan_of(*with_x(*now)), *(Label(vars={"x": value}) for value in then)).numbers
    assert [None if number == NOBODY else then[number] for number in numbers] == [
        value if value in then else None for value in now
    ]


def test_repetitions_keep_apart() -> None:
    plan = plan_of(*with_x("a"), repeat=3)
    assert list(matched(plan, Label(vars={"x": "a"}), Label(vars={"x": "a"})).numbers) == [0, 1, NOBODY]
    told = [Label(vars={"x": "a"}, repeat=repeat) for repeat in (2, 0, 1)]
    assert list(matched(plan, *told).numbers) == [1, 2, 0]


def test_values_match_as_text() -> None:
    plan = plan_of(TestCase(vars={"x": 5, "y": [1, 2], "z": True}))
    assert list(matched(plan, Label(vars={"x": "5", "y": "[1,2]", "z": "true"})).numbers) == [0]


def test_the_label_with_more_variables_is_the_better_one() -> None:
    plan = plan_of(TestCase(vars={"x": "a", "y": "b"}))
    assert list(matched(plan, Label(vars={"x": "a"}), Label(vars={"x": "a", "y": "b"})).numbers) == [1]


def test_tests_are_named_by_number_description_or_id() -> None:
    plan = plan_of(TestCase(), TestCase(description="second"), TestCase(metadata={"id": "third"}))
    assert list(matched(plan, Label(test="third"), Label(test=0), Label(test="second")).numbers) == [1, 2, 0]


def test_a_provider_that_was_renamed_is_known_by_its_id() -> None:
    label = Label("another", "before", "echo", "p", vars={"x": "a"}, repeat=0)
    found = matched(plan_of(*with_x("a")), label)
    assert (list(found.numbers), found.changed) == ([0], 1)
    both = matched(plan_of(*with_x("a"), providers=(ONE, TWO)), label)
    assert list(both.numbers) == [NOBODY, NOBODY]


def test_an_answer_given_in_advance_needs_none() -> None:
    assert list(matched(plan_of(TestCase(provider_output="said"))).numbers) == [FROM_TEST]


def test_answers_are_compared_together_or_not_at_all() -> None:
    test = TestCase(vars={"x": "a"}, assertions=(AssertionSpec("max-score"),))
    plan = plan_of(test, *with_x("b"), providers=(ONE, TWO))
    found = matched(plan, *(label for label in recorded(plan) if label.provider == "one"))
    assert list(found.numbers) == [NOBODY, NOBODY, 1, NOBODY]
    assert (found.incomparable, found.unanswered) == (1, 3)
    assert [case.index for case in AnsweredPlan.over(plan, found.numbers).cases()] == [2]


def test_prompts_without_answers_are_left_out() -> None:
    other = Prompt("{{y}}", "q", "q")
    suite, left_out = narrowed(Suite((PROMPT, other), (ONE,), []), Labelled([Label(prompt="p")]))
    assert (suite.prompts, left_out) == ((PROMPT,), ("q",))
    with pytest.raises(ConfigError, match="no answers of any prompt"):
        narrowed(Suite((other,), (ONE,), []), Labelled([Label(prompt="p")]))


def test_assertions_of_models_are_left_out_of_sets_too() -> None:
    rubric, plain = AssertionSpec("llm-rubric", "good"), AssertionSpec("contains", "a")
    sets = [AssertionSpec("assert-set", members=members) for members in ((rubric, plain), (rubric,))]
    test = TestCase(assertions=(plain, rubric, *sets))
    assert graded(test.assertions) == 3
    suite, count = ungraded(Suite((PROMPT,), (ONE,), [test]))
    (left,) = suite.tests
    assert (count, [spec.kind for spec in left.assertions]) == (3, ["contains", "assert-set"])
    assert left.assertions[1].members == (plain,)
