"""classifier and moderation: endpoints that answer with labels instead of words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.base import GRADER_ROLES
from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Response

Graded = Callable[..., Any]

POSITIVE = {"positive": 0.9, "negative": 0.1}
SHAPES: list[Any] = [
    POSITIVE,
    [{"label": "positive", "score": 0.9}, {"label": "negative", "score": 0.1}],
    [[{"label": "negative", "score": 0.1}, {"label": "positive", "score": 0.9}]],
    {"labels": ["positive", "negative"], "scores": [0.9, 0.1]},
    {"sequence": "x", "labels": ["negative", "positive"], "scores": [0.1, 0.9]},
    {"probabilities": [0.9, 0.1], "labels": ["positive", "negative"], "predicted_label": "positive"},
    {"predictions": [{"label": "positive", "score": 0.9}, {"label": "negative", "score": 0.1}]},
    {"predictions": [[{"class": "positive", "probability": 0.9}, {"class": "negative", "probability": 0.1}]]},
    {"results": [{"category_scores": POSITIVE}]},
    {"output": POSITIVE},
    {"data": [{"index": 0, "label": "positive", "probs": [0.1, 0.9]}]},
]


@pytest.mark.parametrize("answer", SHAPES, ids=lambda answer: json.dumps(answer)[:60])
def test_every_shape_of_labels_is_read(graded: Graded, answer: Any) -> None:
    for response in (Response(answer), Response(json.dumps(answer)), Response("positive", raw=json.dumps(answer))):
        verdict = graded([response], "Hurrah!", "classifier", "positive", threshold=0.8).verdict
        assert (verdict.passed, verdict.score) == (True, 0.9)


@pytest.mark.parametrize(
    ("type", "value", "threshold", "passed", "score"),
    [
        ("classifier", "positive", None, False, 0.9),
        ("classifier", "positive", 0.9, True, 0.9),
        ("classifier", "Positive", 0.5, True, 0.9),
        ("classifier", "negative", 0.5, False, 0.1),
        ("classifier", "unheard-of", 0.5, False, 0.0),
        ("classifier", None, 0.5, True, 0.9),
        ("classifier", "{{ mood }}", 0.5, True, 0.9),
        ("not-classifier", "negative", 0.5, True, 0.9),
        ("not-classifier", "positive", 0.5, False, pytest.approx(0.1)),
    ],
)
def test_the_score_of_the_label_has_to_reach_the_threshold(
    graded: Graded, type: str, value: str | None, threshold: float | None, passed: bool, score: float
) -> None:
    result = graded([Response(POSITIVE)], "Hurrah!", type, value, threshold=threshold, vars={"mood": "positive"})
    assert (result.verdict.passed, result.verdict.score) == (passed, score)
    assert result.prompts == ["Hurrah!"]


def test_the_reason_of_a_classifier_tells_the_labels(graded: Graded) -> None:
    verdict = graded([Response(POSITIVE)], "Hurrah!", "classifier", "negative", threshold=0.5).verdict
    assert verdict.reason == (
        "classifier score 0.1 is below the threshold of 0.5: `negative` of positive 0.9, negative 0.1"
    )


def test_a_label_alone_is_certain(graded: Graded) -> None:
    assert graded(["POSITIVE"], "Hurrah!", "classifier", "positive").verdict.passed


@pytest.mark.parametrize(
    "answer",
    ["", "I cannot say.", {}, [], {"error": "busy"}, {"code": 500}, {"labels": ["a"], "scores": []}, {"label": "a"}],
)
def test_an_answer_without_labels_decides_nothing(graded: Graded, answer: Any) -> None:
    for type in ("classifier", "not-classifier"):
        with pytest.raises(Undecided, match="no labels with scores"):
            graded([Response(answer)], "Hurrah!", type, "positive")


def test_a_score_that_is_no_number_decides_nothing(graded: Graded) -> None:
    for score, shown in ((float("inf"), "inf"), (10**400, "10{59}…")):
        answer = [{"label": "positive", "score": score}]
        with pytest.raises(Undecided, match=f"the score `{shown}`"):
            graded([Response(answer)], "Hurrah!", "classifier", "positive")


@pytest.mark.parametrize("answer", ["No", "yes.", "0", "Sorry", "[" * 100_000])
def test_a_word_that_names_no_category_flags_nothing_and_clears_nothing(graded: Graded, answer: str) -> None:
    for type in ("moderation", "not-moderation"):
        with pytest.raises(Undecided, match="cannot be read"):
            graded([answer], "Hurrah!", type)


def test_what_is_classified_may_be_worded(graded: Graded) -> None:
    own = "{{ prompt }} -> {{ output }}"
    assert graded([Response(POSITIVE)], "Hi", "classifier", rubric_prompt=own).prompts == ["What? -> Hi"]
    of_test = {"rubricPrompt": "Judge {{ output }}!"}
    assert graded([Response(POSITIVE)], "Hi", "classifier", options=of_test).prompts == ["Hi"]


# ---- moderation


def openai(**flagged: bool) -> Response:
    """The answer of OpenAI's moderation with two categories."""
    categories = {"hate": False, "self-harm": False} | {
        name.replace("_", "-"): value for name, value in flagged.items()
    }
    result = {
        "flagged": any(categories.values()),
        "categories": categories,
        "category_scores": dict.fromkeys(categories, 0.7),
    }
    return Response({"id": "modr-1", "model": "m", "results": [result]})


@pytest.mark.parametrize(
    ("answer", "flags"),
    [
        (openai(), []),
        (openai(self_harm=True), ["self-harm"]),
        (Response("safe"), []),
        (Response("\n\nsafe"), []),
        (Response("unsafe\nS1,S10"), ["S1 (Violent Crimes)", "S10 (Hate)"]),
        (Response("**Unsafe**\n\nO3"), ["O3"]),
        (Response("unsafe"), []),
        (Response("safe", raw='[{"generated_text": "safe"}]'), []),
        (Response([{"label": "toxic", "score": 0.8}, {"label": "neutral", "score": 0.9}]), ["toxic"]),
        (Response([{"label": "toxic", "score": 0.3}, {"label": "obscene", "score": 0.2}]), []),
        (Response([[{"label": "non-toxic", "score": 0.99}]]), []),
        (Response({"flagged": True, "category": "violence"}), ["violence"]),
        (Response({"flagged": False}), []),
        (Response({"safe": False, "categories": ["S2"]}), ["S2"]),
        (Response({"flags": [{"code": "S3", "confidence": 0.9}]}), ["S3"]),
    ],
)
def test_every_shape_of_moderation_is_read(graded: Graded, answer: Response, flags: list[str]) -> None:
    harmless = answer.output == "safe" or (not flags and answer.output != "unsafe")
    verdict = graded([answer], "x", "moderation").verdict
    assert verdict.metadata["flags"] == flags
    assert (verdict.passed, verdict.score) == (harmless, float(harmless))
    turned = graded([answer], "x", "not-moderation").verdict
    assert (turned.passed, turned.score) == (not harmless, float(not harmless))


@pytest.mark.parametrize(
    ("answer", "value", "passed"),
    [
        (Response("unsafe\nS1"), ["S10"], True),
        (Response("unsafe\nS1"), ["s1"], False),
        (Response("unsafe\nS1"), "Violent Crimes", False),
        (Response("unsafe\nS1"), ["S10", "{{ code }}"], False),
        (openai(self_harm=True), ["hate"], True),
        (openai(self_harm=True), ["self_harm"], False),
    ],
)
def test_only_the_categories_of_the_value_count(graded: Graded, answer: Response, value: object, passed: bool) -> None:
    assert graded([answer], "x", "moderation", value, vars={"code": "S1"}).verdict.passed is passed


def test_a_category_that_the_endpoint_does_not_know_decides_nothing(graded: Graded) -> None:
    with pytest.raises(Undecided, match="knows no category `hat`"):
        graded([openai()], "x", "moderation", ["hat"])
    with pytest.raises(Undecided, match="without a category"):
        graded([Response("unsafe")], "x", "moderation", ["S1"])


def test_a_flag_needs_a_score_of_the_threshold(graded: Graded) -> None:
    answer = Response({"toxic": 0.4, "obscene": 0.1})
    assert graded([answer], "x", "moderation").verdict.passed
    failed = graded([answer], "x", "moderation", threshold=0.4).verdict
    assert (failed.passed, failed.reason) == (False, "flagged: toxic")


def test_moderation_sees_the_prompt_and_the_output_as_a_chat(graded: Graded) -> None:
    result = graded(["safe"], "Hi", "moderation")
    assert json.loads(result.prompts[0]) == [
        {"role": "user", "content": "What?"},
        {"role": "assistant", "content": "Hi"},
    ]
    assert graded(["safe"], "Hi", "moderation", rubric_prompt="{{ output }}").prompts == ["Hi"]


def test_an_empty_output_harms_nobody(graded: Graded) -> None:
    result = graded(["unsafe"], " ", "moderation")
    assert (result.verdict.passed, result.prompts) == (True, [])


@pytest.mark.parametrize("answer", ["", "I think it is fine.", {"error": "busy"}, "<think>safe</think>"])
def test_an_answer_that_is_no_moderation_decides_nothing(graded: Graded, answer: Any) -> None:
    for type in ("moderation", "not-moderation"):
        with pytest.raises(Undecided, match="cannot be read"):
            graded([Response(answer)], "x", type)


@pytest.mark.parametrize("value", [7, [7], "", [""]])
def test_categories_are_texts(graded: Graded, value: object) -> None:
    with pytest.raises(ConfigError, match="list of categories"):
        graded(["safe"], "x", "moderation", value)


def test_each_kind_says_which_endpoint_it_needs() -> None:
    assert GRADER_ROLES["classifier"] == ("classification",)
    assert GRADER_ROLES["moderation"] == ("moderation",)
