"""llm-rubric, model-graded-closedqa, factuality and g-eval, judged by graders that are made up here."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.base import GRADER_ROLES
from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import CaseError, ConfigError, SetupError
from sagemaker_eval.model import Json, TokenUsage

Graded = Callable[..., Any]

STEPS = '{"steps": ["Count the words.", "Fewer is better."]}'


def says(passed: bool, score: float | None = None, reason: str = "because") -> str:
    told = {"reason": reason, "pass": passed} | ({} if score is None else {"score": score})
    return json.dumps(told)


@pytest.mark.parametrize(
    ("reply", "threshold", "type", "passed", "score"),
    [
        (says(True, 0.9), None, "llm-rubric", True, 0.9),
        (says(False, 0.2), None, "llm-rubric", False, 0.2),
        (says(True), None, "llm-rubric", True, 1.0),
        (says(False), None, "llm-rubric", False, 0.0),
        (says(True, 0.0), None, "llm-rubric", True, 0.0),
        (says(True, 0.9), 0.9, "llm-rubric", True, 0.9),
        (says(True, 0.6), 0.7, "llm-rubric", False, 0.6),
        (says(False, 0.9), 0.7, "llm-rubric", False, 0.9),
        ('{"score": 0.8}', 0.7, "llm-rubric", True, 0.8),
        (says(True, 0.75), None, "not-llm-rubric", False, 0.25),
        (says(False, 0.25), None, "not-llm-rubric", True, 0.75),
        (says(True, 0.6), 0.7, "not-llm-rubric", True, 0.4),
    ],
)
def test_a_rubric_passes_as_the_grader_says_and_the_threshold_allows(
    graded: Graded, reply: str, threshold: float | None, type: str, passed: bool, score: float
) -> None:
    verdict = graded([reply], "Hello", type, "greets", threshold=threshold).verdict
    assert verdict.passed is passed
    assert verdict.score == pytest.approx(score)
    assert verdict.reason


def test_the_reason_is_the_graders(graded: Graded) -> None:
    assert graded([says(False, 0, "It is rude.")], "Go!", "llm-rubric", "greets").verdict.reason == "It is rude."
    below = graded([says(True, 0.5, "Fair.")], "Hi", "llm-rubric", "greets", threshold=0.7).verdict
    assert below.reason == "score 0.5 is below the threshold of 0.7: Fair."
    assert graded(["PASS"], "Hi", "not-llm-rubric", "greets").verdict.reason == "the output meets the rubric: PASS"


def test_the_grader_sees_the_output_and_the_rubric_of_the_case(graded: Graded) -> None:
    result = graded([says(True)], 'He said "{{ hi }}"', "llm-rubric", "greets {{ name }}", vars={"name": "Ann"})
    user = json.loads(result.prompts[0])[-1]["content"]
    assert '<output>\nHe said "{{ hi }}"\n</output>' in user
    assert "greets Ann" in user


def test_a_rubric_may_be_an_object_with_templates_deep_inside(graded: Graded) -> None:
    rubric = {"must": ["name {{ city }}"], "weights": {"tone": 2}}
    result = graded([says(True)], "x", "llm-rubric", rubric, vars={"city": "Lyon"})
    assert '{"must":["name Lyon"],"weights":{"tone":2}}' in json.loads(result.prompts[0])[-1]["content"]


def test_the_rubric_prompt_may_be_the_users_own(graded: Graded) -> None:
    own = "Is {{ output }} {{ rubric }}? {{ tone }}"
    result = graded([says(True, 4)], "Hi", "llm-rubric", "kind", rubric_prompt=own, vars={"tone": "Be strict."})
    assert result.prompts == ["Is Hi kind? Be strict."]
    assert result.verdict.score == 4, "the scale is the user's, too"
    of_test = {"options": {"rubricPrompt": own}}
    assert graded([says(True)], "Hi", "llm-rubric", **of_test).prompts == ["Is Hi ? "]


def test_without_rubric_and_prompt_there_is_nothing_to_judge_by(graded: Graded) -> None:
    with pytest.raises(Undecided, match="neither a `value` nor a `rubricPrompt`"):
        graded([says(True)], "Hi", "llm-rubric", "{{ absent }}")


def test_a_reply_that_cannot_be_read_is_asked_for_once_more(graded: Graded) -> None:
    result = graded(["It is nice.", says(True, 0.8)], "Hi", "llm-rubric", "kind")
    assert (result.verdict.passed, result.verdict.score) == (True, 0.8)
    assert result.verdict.usage == TokenUsage(prompt=20, completion=2, requests=2)
    turns = json.loads(result.prompts[1])
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant", "user"]
    assert turns[2]["content"] == "It is nice."
    assert turns[3]["content"].startswith("That reply has no verdict.")


@pytest.mark.parametrize("type", ["llm-rubric", "not-llm-rubric"])
def test_a_grader_that_fails_decides_nothing(graded: Graded, type: str) -> None:
    with pytest.raises(Undecided, match="the endpoint is busy"):
        graded([CaseError("the endpoint is busy")], "Hi", type, "kind")
    with pytest.raises(Undecided, match="is empty: nothing"):
        graded([""], "Hi", type, "kind")


# ---- votes


def voting(*votes: str) -> Callable[[str, int], str]:
    """Each vote answers the asking of its number, repair included."""
    return lambda prompt, repeat: votes[repeat]


@pytest.mark.parametrize(
    ("votes", "type", "passed", "score", "told"),
    [
        ([True, False, True], "llm-rubric", True, 2 / 3, "2 of 3 votes pass: because"),
        ([True, False, False], "llm-rubric", False, 1 / 3, "1 of 3 votes pass: because"),
        ([True, False], "llm-rubric", False, 1 / 2, "1 of 2 votes pass: because"),
        ([True, False, False], "not-llm-rubric", True, 2 / 3, "2 of 3 votes pass: because"),
        ([True, False], "not-llm-rubric", False, 1 / 2, "1 of 2 votes pass: the output meets the rubric: because"),
    ],
)
def test_the_majority_of_votes_decides(
    graded: Graded, votes: list[bool], type: str, passed: bool, score: float, told: str
) -> None:
    answers = voting(*map(says, votes))
    result = graded(answers, "Hi", type, "kind", config={"votes": len(votes)})
    assert (result.verdict.passed, result.verdict.reason) == (passed, told)
    assert result.verdict.score == pytest.approx(score)
    assert sorted(repeat for _, repeat in result.asked) == list(range(len(votes))), "each vote is a call of its own"
    assert result.verdict.usage.requests == len(votes)
    assert len(result.verdict.metadata["votes"]) == len(votes)


def test_a_vote_that_cannot_be_read_matters_only_where_it_could_decide(graded: Graded) -> None:
    verdict = graded(voting(says(True), "hm", says(True)), "Hi", "llm-rubric", "kind", config={"votes": 3}).verdict
    assert (verdict.passed, verdict.score) == (True, 1.0)
    assert verdict.reason == "2 of 3 votes pass, 1 could not be read: because"
    with pytest.raises(Undecided, match="no verdict: hm"):
        graded(voting(says(True), "hm", says(False)), "Hi", "llm-rubric", "kind", config={"votes": 3})


def test_what_stops_the_run_stops_it_among_votes(graded: Graded) -> None:
    def answer(prompt: str, repeat: int) -> object:
        return SetupError("no credentials") if repeat == 2 else says(True)

    with pytest.raises(Undecided, match="no credentials") as caught:
        graded(answer, "Hi", "llm-rubric", "kind", config={"votes": 3})
    assert isinstance(caught.value.stopped_by, SetupError)


@pytest.mark.parametrize("votes", [0, -1, 1.5, "3", True])
def test_votes_are_counted_in_whole_numbers(graded: Graded, votes: object) -> None:
    with pytest.raises(ConfigError, match="whole number from 1"):
        graded([says(True)], "Hi", "llm-rubric", "kind", config={"votes": votes})


@pytest.mark.parametrize(
    ("type", "value", "votes"),
    [
        ("model-graded-closedqa", "kind", ["Y", "N", "Y"]),
        ("factuality", "Lyon", ["(C)", "(D)", "(A)"]),
        ("g-eval", "kind", ['{"score": 9}', '{"score": 2}', '{"score": 8}']),
    ],
)
def test_every_rubric_grader_can_vote(graded: Graded, type: str, value: str, votes: list[str]) -> None:
    def answer(prompt: str, repeat: int) -> str:
        return STEPS if "plan how to judge" in prompt else votes[repeat]

    verdict = graded(answer, "Hi", type, value, config={"votes": 3}).verdict
    assert verdict.passed
    assert verdict.reason.startswith("2 of 3 votes pass: ")


# ---- model-graded-closedqa


@pytest.mark.parametrize(("letter", "negated", "passed"), [("Y", "", True), ("N", "", False), ("Y", "not-", False)])
def test_closedqa_is_a_yes_or_a_no(graded: Graded, letter: str, negated: str, passed: bool) -> None:
    result = graded([f"It says so.\n{letter}"], "Hi", f"{negated}model-graded-closedqa", "kind")
    assert (result.verdict.passed, result.verdict.score) == (passed, float(passed))
    meets = "meets" if letter == "Y" else "does not meet"
    assert result.verdict.reason == f"the output {meets} the criterion: It says so.\n{letter}"


def test_closedqa_sees_prompt_criterion_and_output(graded: Graded) -> None:
    own = "{{ input }} | {{ criteria }} | {{ completion }}"
    result = graded(["Y"], "Hi", "model-graded-closedqa", "is {{ x }}", vars={"x": "kind"}, rubric_prompt=own)
    assert result.prompts == ["What? | is kind | Hi"]


# ---- factuality


@pytest.mark.parametrize(
    ("letter", "passed", "score"), [("A", True, 1), ("B", True, 1), ("C", True, 1), ("D", False, 0), ("E", True, 1)]
)
@pytest.mark.parametrize("type", ["factuality", "model-graded-factuality"])
def test_only_contradictions_are_not_factual(
    graded: Graded, type: str, letter: str, passed: bool, score: float
) -> None:
    reply = json.dumps({"reason": "so it is", "category": letter})
    verdict = graded([reply], "Lyon", type, "Lyon").verdict
    assert (verdict.passed, verdict.score, verdict.metadata["category"]) == (passed, score, letter)
    assert verdict.reason.endswith(f"({letter}): so it is")
    turned = graded([reply], "Lyon", f"not-{type}", "Lyon").verdict
    assert (turned.passed, turned.score) == (not passed, 1 - score)


def test_the_test_says_what_categories_are_worth(graded: Graded) -> None:
    options = {"factuality": {"subset": 0.5, "superset": 0, "differButFactual": 0.7}}
    half = graded(["(A)"], "Lyon", "factuality", "Lyon", options=options).verdict
    assert (half.passed, half.score) == (True, 0.5)
    assert not graded(["(A)"], "Lyon", "factuality", "Lyon", options=options, threshold=0.6).verdict.passed
    assert not graded(["(B)"], "Lyon", "factuality", "Lyon", options=options).verdict.passed


@pytest.mark.parametrize("scores", [{"subset": "high"}, {"subst": 1}, {"agree": True}, [1], {"agree": float("nan")}])
def test_scores_of_categories_are_numbers(graded: Graded, scores: object) -> None:
    with pytest.raises(Undecided, match=r"options\.factuality"):
        graded(["(A)"], "Lyon", "factuality", "Lyon", options={"factuality": scores})


# ---- g-eval


def test_g_eval_plans_first_and_then_gives_points(graded: Graded) -> None:
    result = graded([STEPS, '{"score": 8, "reason": "Brief."}'], "Hi", "g-eval", "is brief")
    assert (result.verdict.passed, result.verdict.score) == (True, 0.8)
    assert result.verdict.reason == "score 0.8 reaches the threshold of 0.7: Brief."
    plan, evaluation = (json.loads(prompt) for prompt in result.prompts)
    assert "is brief" in plan[1]["content"]
    assert "1. Count the words.\n2. Fewer is better." in evaluation[1]["content"]
    assert "to 10 (" in evaluation[0]["content"]


def test_g_eval_of_several_criteria_is_their_mean(graded: Graded) -> None:
    def answer(prompt: str, repeat: int) -> str:
        if "plan how to judge" in prompt:
            return STEPS
        return '{"score": 10, "reason": "Brief."}' if "is brief" in prompt else '{"score": 2, "reason": "Rude."}'

    verdict = graded(answer, "Hi", "g-eval", ["is brief", "is kind"]).verdict
    assert (verdict.passed, verdict.score) == (False, 0.6)
    assert verdict.reason == "score 0.6 is below the threshold of 0.7: Brief.\n\nRude."
    assert verdict.usage.requests == 4
    turned = graded(answer, "Hi", "not-g-eval", ["is brief", "is kind"]).verdict
    assert (turned.passed, turned.score) == (True, 0.4)


def test_g_eval_takes_two_prompts_of_the_users(graded: Graded) -> None:
    own = {"steps": "Plan: {{ criteria }}", "evaluate": "{{ steps }} / {{ maxScore }} / {{ output }} / {{ input }}"}
    result = graded(['{"steps": ["Look."]}', "9"], "Hi", "g-eval", "brief", rubric_prompt=own)
    assert result.prompts == ["Plan: brief", "1. Look. / 10 / Hi / What?"]
    with pytest.raises(ConfigError, match="a map of `steps` and `evaluate`"):
        graded(["9"], "Hi", "g-eval", "brief", rubric_prompt="Judge!")
    general = graded([STEPS, "9"], "Hi", "g-eval", "brief", options={"rubricPrompt": "Judge by {{ rubric }}!"})
    assert "plan how to judge" in general.prompts[0], "a prompt for rubrics is none for g-eval"


# ---- before the run


@pytest.mark.parametrize(
    "type", ["llm-rubric", "model-graded-closedqa", "factuality", "model-graded-factuality", "g-eval"]
)
@pytest.mark.parametrize("value", ["", "  ", 7, [], [""]])
def test_a_value_that_cannot_be_judged_by_is_found_before_the_run(graded: Graded, type: str, value: object) -> None:
    if type == "llm-rubric" and isinstance(value, list):
        value = True
    with pytest.raises(ConfigError, match="needs a `value`"):
        graded([says(True)], "Hi", type, value)


def test_a_value_that_is_empty_for_one_case_decides_nothing(graded: Graded) -> None:
    for type in ("model-graded-closedqa", "factuality", "g-eval"):
        with pytest.raises(Undecided, match="needs a `value`"):
            graded(["Y"], "Hi", type, "{{ absent }}")


@pytest.mark.parametrize("prompt", ["{% if %}", [{"role": "user", "content": "{{ x | nope }}"}], ["fine", "{% if %}"]])
def test_a_rubric_prompt_that_is_no_template_is_found_before_the_run(graded: Graded, prompt: Json) -> None:
    with pytest.raises(ConfigError):
        graded([says(True)], "Hi", "llm-rubric", "kind", rubric_prompt=prompt)


def test_each_kind_says_which_grader_it_needs() -> None:
    for kind in ("llm-rubric", "model-graded-closedqa", "factuality", "model-graded-factuality", "g-eval"):
        assert GRADER_ROLES[kind] == ("text",)
