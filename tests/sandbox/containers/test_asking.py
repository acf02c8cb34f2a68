from __future__ import annotations

import json

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, decode, prompt_text


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ("Hi", "Hi"),
        ({"prompt": "Hi"}, "Hi"),
        ({"inputs": "Hi", "parameters": {}}, "Hi"),
        ({"inputs": ["a", "b"]}, "a\nb"),
        ({"inputs": {"question": "q", "context": "c"}}, "q"),
        ({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]}, "S\nU"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "U"}, {"type": "image"}]}]}, "U"),
        ({"inputs": [[{"role": "user", "content": "U"}]]}, "U"),
        ([{"role": "user", "content": "U"}], "U"),
        ({"rows": [1, 2]}, '{"rows":[1,2]}'),
        (7, "7"),
    ],
)
def test_the_text_of_a_prompt_is_found_in_any_request(document: Json, text: str) -> None:
    assert prompt_text(document) == text


def test_the_question_is_the_last_message() -> None:
    document = {"messages": [{"role": "user", "content": "old"}, {"role": "user", "content": "new"}]}

    assert Asked("e", json.dumps(document).encode(), document).question == "new"


def test_marks_of_chat_templates_are_no_part_of_the_question() -> None:
    prompt = "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"

    assert Asked("e", b"", {"inputs": prompt}).question.split() == ["Hi"]
    assert Asked("e", b"", {"inputs": "<s>[INST] Hi [/INST]"}).question.split() == ["Hi"]


def test_a_body_that_is_not_json_is_its_own_prompt() -> None:
    assert Asked("e", b"caf\xc3\xa9", decode(b"caf\xc3\xa9")).prompt == "café"
