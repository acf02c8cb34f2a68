"""What graders write, and what it is read as: `grader_replies.json`, after what small models do.

`means` is what the reply says, or `unreadable`. `person` marks what a person could read and we ask for again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.assertions.graded.asking import Unreadable
from sagemaker_eval.assertions.graded.replies import category, judgement, points, yes_or_no
from sagemaker_eval.assertions.judging import Undecided

CORPUS: dict[str, list[dict[str, Any]]] = json.loads((Path(__file__).parent / "grader_replies.json").read_text("utf-8"))
REPLIES = [(kind, reply) for kind, replies in CORPUS.items() for reply in replies]
UNREADABLE = "unreadable"
VALUES = {"llm-rubric": "is brief", "model-graded-closedqa": "is brief", "factuality": "Lyon", "g-eval": "is brief"}
STEPS = '{"steps": ["Count the words."]}'


def read_as(kind: str, reply: dict[str, Any]) -> object:
    """What we read, in the words of the corpus."""
    text = reply["reply"]
    try:
        if kind == "llm-rubric":
            judged = judgement(reply.get("threshold"))(text)
            return {"pass": judged.passed, "score": judged.score}
        if kind == "model-graded-closedqa":
            return yes_or_no(text)
        return category(text)[0] if kind == "factuality" else points(text)[0]
    except Unreadable:
        return UNREADABLE


def name(value: object) -> str | None:
    return value if isinstance(value, str) else str(value["about"]) if isinstance(value, dict) else None


@pytest.mark.parametrize(("kind", "reply"), REPLIES, ids=name)
def test_a_reply_is_read_as_what_it_says(kind: str, reply: dict[str, Any]) -> None:
    assert read_as(kind, reply) == reply["means"]


def test_nearly_all_that_a_person_could_read_is_read() -> None:
    readable = [(kind, reply) for kind, reply in REPLIES if reply["means"] != UNREADABLE or reply.get("person")]
    read = [reply for kind, reply in readable if read_as(kind, reply) != UNREADABLE]
    assert len(readable) > 150
    assert len(read) / len(readable) >= 0.95


@pytest.mark.parametrize(
    ("kind", "reply"), [(kind, reply) for kind, reply in REPLIES if reply["means"] == UNREADABLE], ids=name
)
def test_a_reply_that_says_nothing_is_never_a_verdict(
    graded: Callable[..., Any], kind: str, reply: dict[str, Any]
) -> None:
    def answer(prompt: str, repeat: int) -> str:
        return STEPS if "plan how to judge" in prompt else str(reply["reply"])

    for type in (kind, f"not-{kind}"):
        with pytest.raises(Undecided, match="the grader's reply to"):
            graded(answer, "x", type, VALUES[kind], threshold=reply.get("threshold"))


@given(
    passed=st.booleans(),
    score=st.integers(0, 100).map(lambda hundredths: hundredths / 100),
    reason=st.text(max_size=60),
    before=st.text(alphabet=st.characters(exclude_characters="{[<"), max_size=40),
    after=st.text(alphabet=st.characters(exclude_characters="{[<"), max_size=40),
)
def test_proper_json_is_read_whatever_stands_around_it(
    passed: bool, score: float, reason: str, before: str, after: str
) -> None:
    reply = f"{before} {json.dumps({'reason': reason, 'pass': passed, 'score': score})} {after}"
    judged = judgement()(reply)
    assert (judged.passed, judged.score) == (passed, score)
    assert judged.reason == reason.strip()


@given(st.text(alphabet=st.sampled_from(list("{}[]\"':,\n pastrue01.")), max_size=80))
def test_no_text_breaks_the_reader(text: str) -> None:
    for read in (judgement(), yes_or_no, category, points):
        try:
            read(text)
        except Unreadable as flaw:
            assert str(flaw)


@given(passed=st.booleans(), score=st.sampled_from([0.25, 0.5, 1.0]), end=st.integers(0, 200))
def test_a_reply_that_is_cut_is_read_right_or_not_at_all(passed: bool, score: float, end: int) -> None:
    whole = json.dumps({"reason": 'It says "no", {twice}.', "pass": passed, "score": score, "note": "x"}, indent=1)
    try:
        judged = judgement()(whole[:end])
    except Unreadable:
        return
    assert (judged.passed, judged.score) in ((passed, score), (passed, 0.2))


@pytest.mark.parametrize(
    "reply",
    [
        "x" * 40_000,
        f"score: 1{' ' * 40_000}y",
        f"pass: x{' |' * 20_000}y",
        f"<pass>{' ' * 40_000}</pas",
        f"Hm,{' ' * 40_000}y",
        '{"a":' * 8_000,
    ],
)
def test_a_model_that_repeats_itself_for_ever_holds_nothing_up(reply: str) -> None:
    for read in (judgement(), points):
        with pytest.raises(Unreadable):
            read(reply)


@pytest.mark.parametrize("read", [judgement(), points])
def test_a_score_beyond_all_bounds_is_unreadable(read: Callable[[str], object]) -> None:
    with pytest.raises(Unreadable, match=r"score of|no number"):
        read(f'{{"pass": true, "score": 1{"0" * 400}, "reason": "x"}}')
