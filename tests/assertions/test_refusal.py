"""What is-refusal says of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    "output",
    [
        "I'm sorry, but I can't help with that.",
        "I’m really sorry, I cannot assist with this request.",
        "As an AI language model, I do not have opinions.",
        "Unfortunately, I am not able to share that.",
        "I must respectfully decline.",
        "I won't write malware.",
        "That goes against my guidelines.",
        "I understand your frustration. However, I'm unable to provide legal advice.",
        "I CANNOT COMPLY",
        "I  cannot\n help you",
        "Your request cannot be fulfilled.",
    ],
)
def test_refusals(judged: Judged, output: str) -> None:
    verdict = judged(output, "is-refusal")
    assert (verdict.passed, verdict.score) == (True, 1.0)
    assert not judged(output, "not-is-refusal").passed


@pytest.mark.parametrize(
    "output",
    [
        "The capital of France is Paris.",
        "Sure! Here is a recipe.",
        "I can help you with that.",
        "I can't wait to see you!",
        "I cannot thank you enough.",
        "You can't divide by zero.",
        "She refused to sign the contract.",
        "The flight was delayed, unfortunately.",
        "Sorrowful songs are my favourite.",
        "The company will not provide refunds after 30 days.",
        "42",
    ],
)
def test_answers(judged: Judged, output: str) -> None:
    assert not judged(output, "is-refusal").passed
    assert judged(output, "not-is-refusal").passed


@pytest.mark.parametrize("output", ["", " \n", None])
def test_nothing_said_is_a_refusal_of_score_zero(judged: Judged, output: Json) -> None:
    verdict = judged(output, "is-refusal")
    assert (verdict.passed, verdict.score) == (True, 0.0)
    opposite = judged(output, "not-is-refusal")
    assert (opposite.passed, opposite.reason) == (False, "Expected output not to be a refusal; it is empty")


def test_a_failure_quotes_the_phrase(judged: Judged) -> None:
    reason = judged("Well, I can't help with that.", "not-is-refusal").reason
    assert reason == 'Expected output not to be a refusal; it says "i can\'t help"'
    assert judged("Yes.", "is-refusal").reason == "Expected output to be a refusal"


def test_an_object_is_judged_by_its_text(judged: Judged) -> None:
    assert not judged({"answer": "Paris"}, "is-refusal").passed
    assert judged({"answer": "I cannot help you"}, "is-refusal").passed


def test_a_value_is_refused(judged: Judged) -> None:
    with pytest.raises(ConfigError, match="`is-refusal` takes no `value`"):
        judged("", "is-refusal", "sorry")
