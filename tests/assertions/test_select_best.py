"""select-best: a choice counts only where the order of the answers does not change it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from sagemaker_eval.assertions.base import Contender, Subject
from sagemaker_eval.assertions.graded.asking import GraderError, Unreadable
from sagemaker_eval.assertions.graded.select_best import TIE, chosen_number
from sagemaker_eval.assertions.judging import UNASSERTED, Judge
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Prompt, ProviderSpec, Response, TestCase, Verdict
from sagemaker_eval.text.templating.templates import Templates

Make = Callable[..., Any]

CRITERIA = AssertionSpec("select-best", "names {{ what }}")


def compared(
    graders: Any,
    outputs: tuple[str, ...],
    spec: AssertionSpec = CRITERIA,
    prompts: tuple[str, ...] = ("Where?", "Where?", "Where?"),
) -> list[Verdict]:
    """The verdicts of a single select-best on each of the outputs, answers to the prompts."""
    test = TestCase(assertions=(spec,))
    contenders = [
        Contender(
            Subject(
                text=output,
                value=None,
                prompt=prompt,
                vars={"what": "a city"},
                test=test,
                template=Prompt("", "", ""),
                provider=ProviderSpec("e", "echo"),
                response=Response(output),
            ),
            UNASSERTED,
        )
        for output, prompt in zip(outputs, prompts, strict=False)
    ]
    judge = Judge(Templates(), graders)
    return [grade.verdicts[0] for grade in asyncio.run(judge.compare(test, contenders))]


def honest(prompt: str, repeat: int) -> str:
    """Finds the answer that names a city, wherever it stands."""
    shown = json.loads(prompt)[1]["content"].split("<answer number=")[1:]
    return next(f"{number}" for number, answer in enumerate(shown) if "Lyon" in answer)


@pytest.mark.parametrize("outputs", list(permutations(("France", "Lyon", "by the river"))))
def test_an_honest_grader_finds_the_best_in_any_order(grader: Make, graders: Make, outputs: tuple[str, ...]) -> None:
    verdicts = compared(graders(grader(honest)), outputs)
    assert [verdict.passed for verdict in verdicts] == [output == "Lyon" for output in outputs]
    assert [verdict.score for verdict in verdicts] == [float(output == "Lyon") for output in outputs]
    assert {verdict.reason for verdict in verdicts if not verdict.passed} == {
        f"answer {outputs.index('Lyon')} was chosen as the best, not this one"
    }


@pytest.mark.parametrize("answers", [["0"], ["2"]])
def test_a_grader_that_goes_by_the_place_finds_only_ties(grader: Make, graders: Make, answers: list[str]) -> None:
    verdicts = compared(graders(grader(answers)), ("France", "Lyon", "by the river"))
    assert [(verdict.passed, verdict.score, verdict.reason) for verdict in verdicts] == [(True, 0.5, TIE)] * 3


def test_the_grader_sees_the_criteria_of_the_case_and_both_orders(grader: Make, graders: Make) -> None:
    asked = grader(honest)
    compared(graders(asked), ("Lyon", "France"))
    there, back = (json.loads(prompt)[1]["content"] for prompt, _ in asked.asked)
    assert there.index("Lyon") < there.index("France")
    assert back.index("France") < back.index("Lyon")
    assert all("names a city" in prompt for prompt, _ in asked.asked)


def test_tokens_of_a_comparison_are_counted_once(grader: Make, graders: Make) -> None:
    first, second = compared(graders(grader(honest)), ("Lyon", "France"))
    assert first.usage is not None and first.usage.requests == 2
    assert second.usage is None


def test_a_number_that_no_answer_has_is_asked_for_once_more(grader: Make, graders: Make) -> None:
    def corrects_itself(prompt: str, repeat: int) -> str:
        turns = json.loads(prompt)
        return honest(json.dumps(turns[:2]), repeat) if len(turns) == 4 else "7"

    verdicts = compared(graders(grader(corrects_itself)), ("Lyon", "France"))
    assert [verdict.passed for verdict in verdicts] == [True, False]


@pytest.mark.parametrize(("reply", "flaw"), [("7", "has the number 7"), ("the first", "no number"), ("", "is empty")])
def test_a_grader_that_chooses_nothing_decides_nothing(grader: Make, graders: Make, reply: str, flaw: str) -> None:
    with pytest.raises(GraderError, match=flaw):
        compared(graders(grader([reply])), ("Lyon", "France"))


@pytest.mark.parametrize(
    "reply",
    [
        "1",
        " **1** ",
        "1.",
        "[1]",
        "Answer: 1",
        "The best answer is 1.",
        '{"best": 1}',
        "Answer 0 is long. Answer 2 is vague.\n\nBest answer: 1",
        "1\n\nIt is clearer than 0 and 2.",
        "<think>0? No, 2? No.</think>\n1",
    ],
)
def test_the_chosen_number_is_found(reply: str) -> None:
    assert chosen_number(reply, 3) == 1


@pytest.mark.parametrize("reply", ["0 or 1", "1 is better than 2", "none of them", "3", "0.5", "<think>1</think>"])
def test_a_number_that_is_not_plainly_chosen_is_none(reply: str) -> None:
    with pytest.raises(Unreadable):
        chosen_number(reply, 3)


@pytest.mark.parametrize("value", [None, "", 7])
def test_there_have_to_be_criteria(grader: Make, graders: Make, value: object) -> None:
    with pytest.raises(ConfigError, match="the criteria"):
        compared(graders(grader(["0"])), ("Lyon", "France"), AssertionSpec("select-best", value))


def test_the_prompt_is_shown_only_where_it_is_that_of_all_answers(grader: Make, graders: Make) -> None:
    judge = grader(["0"])
    compared(graders(judge), ("Lyon", "Paris"))
    compared(graders(judge), ("Lyon", "Paris"), prompts=("Where?", "Where then?"))
    assert ["Where" in prompt for prompt, _ in judge.asked] == [True, True, False, False]
