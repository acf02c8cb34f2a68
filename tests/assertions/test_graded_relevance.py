"""answer-relevance and conversation-relevance."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.base import GRADER_ROLES
from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError

Graded = Callable[..., Any]

VECTORS = {
    "What?": (1.0, 0.0),
    "Where is Lyon?": (1.0, 0.0),
    "Which city is it?": (0.6, 0.8),
    "What is the weather?": (0.0, 1.0),
    "Why not?": (-1.0, 0.0),
    "Hm?": (0.0, 0.0),
}
QUESTIONS = ["Where is Lyon?", "Which city is it?", "What is the weather?"]


def test_relevance_is_the_mean_nearness_of_three_questions(graded: Graded) -> None:
    result = graded(QUESTIONS, "In France.", "answer-relevance", vectors=VECTORS)
    assert result.verdict.passed
    assert result.verdict.score == pytest.approx((1 + 0.6 + 0) / 3)
    assert result.verdict.reason == "answer-relevance score 0.533 reaches the threshold of 0.5"
    assert result.embedded == ["What?", *QUESTIONS]
    found = result.verdict.metadata["generatedQuestions"]
    assert [one["question"] for one in found] == QUESTIONS
    assert result.verdict.usage.requests == 3


def test_each_question_is_asked_for_in_another_way(graded: Graded) -> None:
    result = graded(QUESTIONS, "In France.", "answer-relevance", vectors=VECTORS)
    assert len(set(result.prompts)) == 3
    assert sorted(repeat for _, repeat in result.asked) == [0, 1, 2], "nor does the cache answer twice"
    own = graded(QUESTIONS, "In France.", "answer-relevance", vectors=VECTORS, rubric_prompt="Ask for {{ answer }}!")
    assert own.asked == [("Ask for In France.!", 0), ("Ask for In France.!", 1), ("Ask for In France.!", 2)]


@pytest.mark.parametrize(
    ("type", "threshold", "passed", "score"),
    [
        ("answer-relevance", 0.54, False, 1.6 / 3),
        ("not-answer-relevance", None, False, 1.4 / 3),
        ("not-answer-relevance", 0.54, True, 1.4 / 3),
    ],
)
def test_the_threshold_decides(graded: Graded, type: str, threshold: float | None, passed: bool, score: float) -> None:
    verdict = graded(QUESTIONS, "In France.", type, vectors=VECTORS, threshold=threshold).verdict
    assert verdict.passed is passed
    assert verdict.score == pytest.approx(score)


def test_questions_that_point_the_other_way_score_0(graded: Graded) -> None:
    assert graded(["Why not?"], "x", "answer-relevance", vectors=VECTORS).verdict.score == 0
    assert graded(["Why not?"], "x", "not-answer-relevance", vectors=VECTORS).verdict.score == 1


@pytest.mark.parametrize(
    ("prompt", "variables", "query"),
    [
        ("Answer: What?", {"query": "What?"}, "What?"),
        ("What?", {}, "What?"),
        ('[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What?"}]', {}, "What?"),
    ],
)
def test_the_question_is_the_variable_or_what_was_said_last(
    graded: Graded, prompt: str, variables: dict[str, str], query: str
) -> None:
    result = graded(QUESTIONS, "x", "answer-relevance", vectors=VECTORS, prompt=prompt, vars=variables)
    assert result.embedded[0] == query


@pytest.mark.parametrize(
    "reply",
    [
        "Where is Lyon?",
        '"Where is Lyon?"',
        "Question: Where is Lyon?",
        "**Question 1:** Where is Lyon?",
        "Here is a question:\n\nWhere is Lyon?",
        "1. Where is Lyon?",
        '{"question": "Where is Lyon?"}',
        "<think>Which?</think>\nWhere is Lyon?",
    ],
)
def test_the_question_is_found_in_the_reply(graded: Graded, reply: str) -> None:
    result = graded([reply], "x", "answer-relevance", vectors=VECTORS)
    assert result.embedded == ["What?", *["Where is Lyon?"] * 3]


def test_without_a_question_or_a_direction_nothing_is_decided(graded: Graded) -> None:
    with pytest.raises(Undecided, match="has no question"):
        graded(["I cannot.\nSorry."], "x", "answer-relevance", vectors=VECTORS)
    with pytest.raises(Undecided, match="all zeros"):
        graded(["Hm?"], "x", "answer-relevance", vectors=VECTORS)


# ---- conversation-relevance

TURNS = [{"input": f"question {number}", "output": f"answer {number}"} for number in range(4)]


def judge_turns(prompt: str, repeat: int) -> str:
    """Finds the reply `answer 2` beside the point."""
    last = json.loads(prompt)[1]["content"].split("<turn>")[-1]
    return json.dumps({"reason": "It evades.", "verdict": "no"} if "answer 2" in last else {"verdict": "yes"})


def turns_seen(prompt: str) -> int:
    return int(json.loads(prompt)[1]["content"].count("<turn>"))


def test_each_reply_is_judged_with_the_turns_before(graded: Graded) -> None:
    own = {"vars": {"_conversation": TURNS}, "test_vars": {"_conversation": TURNS}}
    result = graded(judge_turns, "x", "conversation-relevance", config={"windowSize": 2}, **own)
    assert (result.verdict.passed, result.verdict.score) == (True, 0.75)
    assert result.verdict.reason == (
        "conversation-relevance score 0.75 reaches the threshold of 0.5: turn 3: It evades."
    )
    assert [turns_seen(prompt) for prompt in result.prompts] == [1, 2, 2, 2]
    wide = graded(judge_turns, "x", "conversation-relevance", threshold=0.8, **own)
    assert [turns_seen(prompt) for prompt in wide.prompts] == [1, 2, 3, 4]
    assert not wide.verdict.passed


def test_a_conversation_of_the_run_ends_with_the_present_turn(graded: Graded) -> None:
    result = graded(judge_turns, "answer 2", "conversation-relevance", vars={"_conversation": TURNS[:2]})
    assert result.verdict.score == pytest.approx(2 / 3)
    assert "user: What?\\nassistant: answer 2" in result.prompts[-1]


def test_without_a_conversation_the_one_turn_counts(graded: Graded) -> None:
    result = graded(judge_turns, "answer 2", "not-conversation-relevance")
    assert len(result.prompts) == 1
    assert (result.verdict.passed, result.verdict.score) == (True, 1.0)


def test_a_window_holds_at_least_one_turn(graded: Graded) -> None:
    for size in (0, "2", True):
        with pytest.raises(ConfigError, match="`windowSize`"):
            graded(judge_turns, "x", "conversation-relevance", config={"windowSize": size})


def test_each_kind_says_which_graders_it_needs() -> None:
    assert GRADER_ROLES["answer-relevance"] == ("text", "embedding")
    assert GRADER_ROLES["conversation-relevance"] == ("text",)
