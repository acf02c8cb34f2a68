"""Log probabilities in the answers of the servers that tell them."""

from __future__ import annotations

import pytest

from sagemaker_eval.formats.log_probs import read_log_probs
from sagemaker_eval.model import Json

TOLD = [-0.5, -0.25]


@pytest.mark.parametrize(
    "document",
    [
        {"choices": [{"logprobs": {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]}}]},
        {"choices": [{"text": "ab", "logprobs": {"tokens": ["", "a", "b"], "token_logprobs": [None, *TOLD]}}]},
        [{"generated_text": "ab", "details": {"tokens": [{"id": 1, "logprob": figure} for figure in TOLD]}}],
        {"generated_text": "ab", "details": {"tokens": [{"id": 1, "log_prob": figure} for figure in TOLD]}},
    ],
)
def test_each_servers_shape(document: Json) -> None:
    assert read_log_probs(document) == (-0.5, -0.25)


@pytest.mark.parametrize(
    "document",
    [
        None,
        "text",
        [],
        {},
        {"choices": []},
        {"choices": [{"logprobs": None}]},
        {"choices": [{"logprobs": {"content": []}}]},
        {"choices": [{"logprobs": {"content": [{"token": "a"}]}}]},
        {"choices": [{"logprobs": {"token_logprobs": ["high"]}}]},
        {"details": {"tokens": [{"logprob": float("nan")}]}},
        {"details": {"tokens": "none"}},
    ],
)
def test_where_there_are_none(document: Json) -> None:
    assert read_log_probs(document) is None
