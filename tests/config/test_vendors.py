"""Ids of promptfoo that sageval does not call: refused by name, with what to use in their place."""

from __future__ import annotations

import pytest

from sagemaker_eval.config.vendors import VENDORS, vendor_refusal
from sagemaker_eval.model import Place

FORMATS = ("anthropic", "openai")


@pytest.mark.parametrize(
    ("id", "message", "hint"),
    [
        ("openai:gpt-4o", "sageval does not call `openai`", "`sagemaker:openai:<endpoint>`"),
        ("anthropic:messages:x", "sageval does not call `anthropic`", "`sagemaker:anthropic:<endpoint>`"),
        ("bedrock:some.model", "sageval does not call `bedrock`", "in a `file://provider.py`"),
        ("exec: ./run.sh", "`exec:` providers are not supported: `exec: ./run.sh`", "in a `file://provider.py`"),
        ("https://host/chat", "`https://host/chat` is a bare URL", "is `container:https://host/chat`"),
    ],
)
def test_what_to_use_in_their_place(id: str, message: str, hint: str) -> None:
    refusal = vendor_refusal(id, FORMATS, Place("run.yaml", 3))

    assert refusal is not None
    (problem,) = refusal.problems
    assert message in problem.message
    assert problem.hint is not None and hint in problem.hint
    assert problem.where == Place("run.yaml", 3)


@pytest.mark.parametrize("id", ["sagemaker:openai:mine", "echo", "openai", "sagmaker:x"])
def test_other_ids_are_not_for_it_to_judge(id: str) -> None:
    assert vendor_refusal(id, FORMATS, Place("run.yaml")) is None


def test_no_vendor_hides_a_kind_of_ours() -> None:
    assert not VENDORS & {"sagemaker", "container", "python", "echo", "file"}
