"""context-recall, context-relevance and context-faithfulness."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.base import GRADER_ROLES
from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import UserCode

Graded = Callable[..., Any]

PASSAGES = [
    "The bridge opened in 1932. It is made of steel.",
    "The harbour is deep.",
    "Ferries leave every hour.",
    "Tickets cost four dollars.",
]
ASKED = {"query": "When did the bridge open?", "context": PASSAGES}


def seen(result: Any, place: int = 0) -> str:
    return str(json.loads(result.prompts[place])[1]["content"])


# ---- context-recall


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("It opened in 1932. First passage. [Attributed]\nIt is red. Nowhere. [Not Attributed]", 0.5),
        ("1. It opened. **[Attributed]**\n2. It is steel. [attributed].", 1.0),
        ("- a (Not Attributed)\n- b (not_attributed)\n- c (Attributed)", 1 / 3),
        ("a: Attributed\nb: Not attributed", 0.5),
        ("a is not plainly [Attributed], so [Not Attributed]", 0.0),
        ("<think>[Attributed]</think>a [Not Attributed]", 0.0),
    ],
)
def test_recall_is_the_share_of_sentences_that_the_context_supports(graded: Graded, reply: str, score: float) -> None:
    verdict = graded([reply], "x", "context-recall", "It opened in 1932. It is red.", vars=ASKED).verdict
    assert verdict.score == pytest.approx(score)
    assert verdict.passed is (score >= 0.5)


def test_recall_sees_the_truth_and_the_context(graded: Graded) -> None:
    reply = ["a [Attributed]\nb [Not Attributed]"]
    result = graded(reply, "x", "context-recall", "It opened in {{ year }}.", vars={**ASKED, "year": 1932})
    assert "It opened in 1932." in seen(result) and PASSAGES[3] in seen(result)
    assert result.verdict.reason == (
        "context-recall score 0.5 reaches the threshold of 0.5: the context supports 1 of 2 sentences"
    )


def test_the_prompt_is_the_context_where_there_is_no_other(graded: Graded) -> None:
    result = graded(["a [Attributed]"], "x", "context-recall", "true", prompt="Given: the harbour is deep.")
    assert "the harbour is deep" in seen(result)


def test_a_reply_without_tags_decides_nothing(graded: Graded) -> None:
    with pytest.raises(Undecided, match="no line with"):
        graded(["All fine."], "x", "context-recall", "true", vars=ASKED)


# ---- context-relevance


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("The bridge opened in 1932.", 0.25),
        ('- "The bridge opened in 1932."\n- The harbour is deep', 0.5),
        ("The bridge opened in 1932.\nIt is made of steel.", 0.25),
        ("the BRIDGE opened in 1932\nThe bridge opened in 1932.", 0.25),
        ("Here is what helps:\nTickets cost four dollars.", 0.25),
        ("\n".join(PASSAGES), 1.0),
        ("Insufficient Information", 0.0),
        ("**insufficient information.**", 0.0),
    ],
)
def test_relevance_is_the_share_of_passages_that_help(graded: Graded, reply: str, score: float) -> None:
    verdict = graded([reply], "x", "context-relevance", vars=ASKED).verdict
    assert verdict.score == score
    turned = graded([reply], "x", "not-context-relevance", vars=ASKED).verdict
    assert (turned.passed, turned.score) == (not verdict.passed, 1 - score)


@pytest.mark.parametrize(
    ("context", "units"),
    [
        ("The bridge opened in 1932. It is steel! Is it long?", 3),
        ("The bridge opened in 1932. It is steel!\n\nIs it long?", 2),
        ([{"text": "The bridge opened in 1932."}, {"page_content": "b"}, {"id": 3}, ""], 3),
        (["The bridge opened in 1932. It is steel."], 2),
    ],
)
def test_what_is_counted_are_passages_or_lines_or_sentences(graded: Graded, context: object, units: int) -> None:
    variables = {"query": "When?", "context": context}
    verdict = graded(["The bridge opened in 1932."], "x", "context-relevance", vars=variables).verdict
    assert verdict.metadata["units"] == units
    assert verdict.score == pytest.approx(1 / units)


def test_sentences_that_the_context_does_not_have_decide_nothing(graded: Graded) -> None:
    with pytest.raises(Undecided, match="no sentence of the passages"):
        graded(["The tunnel opened in 1992."], "x", "context-relevance", vars=ASKED)


# ---- context-faithfulness


@pytest.mark.parametrize(
    ("verdicts", "score"),
    [
        ("1. First passage. Yes\n2. Not there. No", 0.5),
        ("1. Yes\n2. No", 0.5),
        ("1. Yes, the first passage.\n2. No: nowhere.", 0.5),
        ("1: **Yes**\n2: **Yes**", 1.0),
        ("1. It opened in 1932.\nThe first passage says so.\nVerdict: Yes\n2. It is red.\nVerdict: No", 0.5),
        ("a, verdict: no\nb, verdict: no", 0.0),
        ("Explanations...\nFinal verdict for each statement in order: Yes. No.", 0.5),
        ("It opened: yes\nIt is red: no", 0.5),
        ("Statement 1: There is no doubt. Yes\nStatement 2: Yes is not right. No", 0.5),
    ],
)
def test_faithfulness_is_the_share_of_statements_that_the_context_supports(
    graded: Graded, verdicts: str, score: float
) -> None:
    answers = ["It opened in 1932.\nIt is red.", verdicts]
    verdict = graded(answers, "It opened in 1932 and is red.", "context-faithfulness", vars=ASKED).verdict
    assert (verdict.passed, verdict.score) == (score >= 0.5, score)
    assert verdict.usage.requests == 2


def test_the_reason_names_what_the_context_does_not_support(graded: Graded) -> None:
    result = graded(["1. It is old.\n2. It is red.", "1. Yes\n2. No"], "x", "context-faithfulness", vars=ASKED)
    assert result.verdict.reason.endswith("the context does not support: It is red.")
    assert "1. It is old.\n2. It is red." in seen(result, 1)


def test_an_answer_that_claims_nothing_is_faithful(graded: Graded) -> None:
    verdict = graded(["NONE"], "I do not know.", "context-faithfulness", vars=ASKED).verdict
    assert (verdict.passed, verdict.score) == (True, 1.0)
    assert verdict.reason.endswith("the output makes no claims")


@pytest.mark.parametrize("verdicts", ["1. Yes", "1. Yes\n2. No\n3. Yes", "all fine", "1. Yes\n2. Perhaps"])
def test_a_statement_without_a_verdict_is_no_failure_of_the_output(graded: Graded, verdicts: str) -> None:
    with pytest.raises(Undecided, match="decisions on 2 statements"):
        graded(["a is b\nc is d", verdicts], "x", "context-faithfulness", vars=ASKED)


def test_faithfulness_takes_two_prompts_of_the_users(graded: Graded) -> None:
    own = ["Q {{ question }} A {{ answer }}", {"role": "user", "content": "{{ statements }} in {{ context }}"}]
    variables = {"query": "When?", "context": "Steel."}
    result = graded(["a is b", "yes"], "x", "context-faithfulness", vars=variables, rubric_prompt=own)
    assert result.prompts == ["Q When? A x", "1. a is b in Steel."]
    with pytest.raises(ConfigError, match="a list of two prompts"):
        graded(["a"], "x", "context-faithfulness", vars=variables, rubric_prompt="Judge!")


# ---- where the context comes from


def test_the_context_may_be_taken_out_of_the_output(graded: Graded) -> None:
    output = {"answer": "1932", "sources": ["The bridge opened in 1932.", "The harbour is deep."]}
    transform = UserCode("output.sources")
    reply = ["The bridge opened in 1932."]
    result = graded(
        reply, output, "context-relevance", vars={"query": "When?", "context": "z"}, context_transform=transform
    )
    assert result.verdict.score == 0.5


@pytest.mark.parametrize("code", ["output.absent", "[]", "''", "7"])
def test_a_transform_that_finds_no_context_decides_nothing(graded: Graded, code: str) -> None:
    with pytest.raises(Undecided, match="`contextTransform` returned"):
        graded(["x"], {"a": 1}, "context-recall", "true", vars=ASKED, context_transform=UserCode(code))


def test_a_transform_that_cannot_be_loaded_is_found_before_the_run(graded: Graded) -> None:
    with pytest.raises(ConfigError):
        graded(["x"], "x", "context-recall", "true", context_transform=UserCode("output.("))


@pytest.mark.parametrize("type", ["context-relevance", "context-faithfulness"])
@pytest.mark.parametrize(
    ("variables", "flaw"),
    [
        ({"query": "When?"}, "no context"),
        ({"context": "a"}, "no question"),
        ({"query": "When?", "context": []}, "no context"),
    ],
)
def test_a_case_without_context_or_question_cannot_be_judged(
    graded: Graded, type: str, variables: dict[str, object], flaw: str
) -> None:
    with pytest.raises(Undecided, match=flaw):
        graded(["x"], "x", type, vars=variables)


def test_recall_needs_the_true_answer(graded: Graded) -> None:
    with pytest.raises(ConfigError, match="the true answer"):
        graded(["x"], "x", "context-recall", vars=ASKED)


def test_each_kind_says_which_grader_it_needs() -> None:
    for kind in ("context-recall", "context-relevance", "context-faithfulness"):
        assert GRADER_ROLES[kind] == ("text",)
