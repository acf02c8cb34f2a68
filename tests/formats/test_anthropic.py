"""Request bodies of the `anthropic` model type, byte for byte, and the answers of the Messages API."""

from __future__ import annotations

import json

import pytest

from sagemaker_eval.errors import FormatError
from sagemaker_eval.formats import anthropic
from sagemaker_eval.model import Sampling, TokenUsage

FORMAT = anthropic.AnthropicFormat()


def body(prompt: str, sampling: Sampling = Sampling()) -> str:
    return FORMAT.body(prompt, sampling, "application/json").decode()


def test_plain_text_is_one_user_message() -> None:
    assert body("Hi") == '{"messages":[{"role":"user","content":"Hi"}],"max_tokens":1024,"temperature":0.7,"top_p":1}'


def test_sampling_and_stop_sequences_are_sent() -> None:
    assert body("Hi", Sampling(max_tokens=9, temperature=1.0, top_p=0.9, stop=("END",))) == (
        '{"messages":[{"role":"user","content":"Hi"}],'
        '"max_tokens":9,"temperature":1,"top_p":0.9,"stop_sequences":["END"]}'
    )


def test_system_messages_are_joined_beside_the_chat() -> None:
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": [{"type": "text", "text": "And?"}]},
    ]
    sent = json.loads(body(json.dumps(chat)))
    assert sent["system"] == "Be brief.\n\nBe kind."
    assert sent["messages"] == [chat[1], chat[3], chat[4]]


@pytest.mark.parametrize("prompt", ["[1, 2]", "[]", '["a"]', '{"messages": []}'])
def test_json_that_is_no_chat_is_one_user_message(prompt: str) -> None:
    assert json.loads(body(prompt))["messages"] == [{"role": "user", "content": prompt}]


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ('[{"role": "system", "content": "x"}]', "the prompt holds system messages only"),
        ('[{"role": "user", "content": "x"}, {"content": "y"}]', "message 2 of the prompt has no `role`"),
        ('[{"role": "user"}]', "message 1 of the prompt has no `content`"),
        (
            '[{"role": "system", "content": 5}, {"role": "user", "content": "x"}]',
            "the content of a system message is neither a string nor a list of text blocks",
        ),
    ],
)
def test_a_chat_that_cannot_be_sent_is_refused(prompt: str, message: str) -> None:
    with pytest.raises(FormatError) as raised:
        body(prompt)
    assert raised.value.message == message
    assert raised.value.hint


def test_an_answer_is_the_text_of_its_blocks() -> None:
    reading = FORMAT.read(
        {
            "type": "message",
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "Par"},
                {"type": "text", "text": "is"},
            ],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 12, "output_tokens": 3},
        }
    )
    assert reading.output == "Paris"
    assert reading.finish_reason == "end_turn"
    assert reading.usage == TokenUsage(prompt=12, completion=3, requests=1)


def test_no_blocks_are_an_empty_answer() -> None:
    assert FORMAT.read({"role": "assistant", "content": [], "stop_reason": "end_turn"}).output == ""


def test_an_answer_of_tool_calls_is_their_blocks() -> None:
    blocks = [{"type": "tool_use", "id": "1", "name": "f", "input": {}}]
    assert FORMAT.read({"role": "assistant", "content": blocks}).output == blocks
