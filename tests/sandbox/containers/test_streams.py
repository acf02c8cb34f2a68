from __future__ import annotations

import json
from typing import Any

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked, decode
from sagemaker_eval.sandbox.containers.base import ContainerAnswer
from sagemaker_eval.sandbox.containers.shapes import answer

CHAT = [{"role": "user", "content": "Name a tea shop"}]
WITH_USAGE = {"stream_options": {"include_usage": True}}


def reply(document: Json, shape: str, scripted: str | None = "one two. é😀") -> ContainerAnswer:
    body = json.dumps(document).encode()
    return answer(Asked("model-1", body, decode(body), scripted=scripted), shape)


def streamed(document: dict[str, Any], shape: str, **more: Any) -> ContainerAnswer:
    return reply({**document, "stream": True}, shape, **more)


def events(found: ContainerAnswer) -> list[Any]:
    """The data of Server-Sent Events."""
    lines = found.body.decode().split("\n")
    data = [line.removeprefix("data:").removeprefix(" ") for line in lines if line.startswith("data:")]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def lines(found: ContainerAnswer) -> list[Any]:
    return [json.loads(line) for line in found.body.splitlines()]


def test_tgi_streams_events_whose_last_one_has_the_whole_text_and_the_details() -> None:
    found = streamed({"inputs": "Hi", "parameters": {"seed": 7}}, "tgi")

    assert found.content_type == "text/event-stream"
    assert found.body.startswith(b'data:{"index":1,"token":{"id":1,"text":"one ","logprob":-0.1,"special":false}')
    *tokens, last = events(found)
    assert [event["token"]["text"] for event in tokens] == ["one ", "two", ". ", "é", "😀"]
    assert all(event["generated_text"] is None for event in tokens)
    assert last["token"]["special"]
    assert last["generated_text"] == "one two. é😀"
    details = {"finish_reason": "eos_token", "generated_tokens": 5, "seed": 7, "input_length": 1}
    assert last["details"] == details


def test_a_text_that_was_cut_ends_with_its_last_token() -> None:
    parameters = {"max_new_tokens": 2}

    *_, last = events(streamed({"inputs": "Hi", "parameters": parameters}, "tgi"))
    *_, last_line = lines(streamed({"inputs": "Hi", "parameters": parameters}, "lmi"))

    assert (last["token"]["text"], last["generated_text"]) == ("two", "one two")
    assert last["details"]["finish_reason"] == "length"
    assert (last_line["token"]["text"], last_line["details"]["finish_reason"]) == ("two", "length")


def test_lmi_streams_json_lines() -> None:
    found = streamed({"inputs": "Hi"}, "lmi")

    assert found.content_type == "application/jsonlines"
    first, *_, last = lines(found)
    assert first == {"token": {"id": 1, "text": "one ", "log_prob": -0.1}}
    assert last["generated_text"] == "one two. é😀"
    assert last["details"] == {"finish_reason": "eos_token", "generated_tokens": 5, "input_length": 1}


@pytest.mark.parametrize("shape", ["openai", "tgi"])
def test_chat_streams_chunks_and_ends_with_done(shape: str) -> None:
    *chunks, done = events(streamed({"messages": CHAT}, shape))

    assert done == "[DONE]"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": ""}
    assert "".join(delta.get("content", "") for delta in deltas) == "one two. é😀"
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks][-2:] == [None, "stop"]
    assert not any("usage" in chunk for chunk in chunks)


def test_completions_stream_text() -> None:
    *chunks, done = events(streamed({"prompt": "Hi"}, "openai"))

    assert done == "[DONE]"
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == "one two. é😀"


def test_chat_of_lmi_streams_bare_lines_without_done() -> None:
    found = streamed({"messages": CHAT}, "lmi")

    assert b"data:" not in found.body and b"[DONE]" not in found.body
    *_, last = lines(found)
    assert last["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("document", [{"messages": CHAT}, {"prompt": "Hi"}])
def test_usage_is_told_only_where_it_is_asked_for_and_is_that_of_the_whole_answer(document: dict[str, Any]) -> None:
    *chunks, told, _ = events(streamed(document | WITH_USAGE, "openai"))

    assert (told["choices"], told["usage"]) == ([], json.loads(reply(document, "openai").body)["usage"])
    assert all(chunk["usage"] is None for chunk in chunks)
    *_, last = lines(streamed({"messages": CHAT} | WITH_USAGE, "lmi"))
    assert last["usage"]["completion_tokens"] == 5


def test_anthropic_streams_named_events() -> None:
    document = {"messages": CHAT, "max_tokens": 9}

    found = streamed(document, "anthropic")

    kinds = [event["type"] for event in events(found)]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[2:-3] == ["content_block_delta"] * 5
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    whole = json.loads(reply(document, "anthropic").body)
    assert events(found)[-2]["usage"]["output_tokens"] == whole["usage"]["output_tokens"]
    assert b"event: message_stop\ndata: " in found.body


def test_plain_text_streams_as_it_is() -> None:
    found = streamed({"inputs": "Hi"}, "text")

    assert (found.body.decode(), found.content_type) == ("one two. é😀", "text/plain; charset=utf-8")
    assert len(found.pieces) == 5


@pytest.mark.parametrize("shape", ["tgi", "lmi", "openai"])
def test_a_written_text_is_the_same_streamed_and_whole(shape: str) -> None:
    chat = shape == "openai"
    document: dict[str, Any] = {"messages": CHAT} if chat else {"inputs": "Name a tea shop"}

    pieces = streamed(document, shape, scripted=None)
    whole = json.loads(reply(document, shape, scripted=None).body)

    if chat:
        text = "".join(event["choices"][0]["delta"].get("content", "") for event in events(pieces)[:-1])
        assert text == whole["choices"][0]["message"]["content"]
    else:
        last = (events if shape == "tgi" else lines)(pieces)[-1]
        assert last["generated_text"] == (whole[0] if shape == "tgi" else whole)["generated_text"]


@pytest.mark.parametrize("shape", ["toolkit", "custom", "text2text", "embedding"])
def test_containers_that_cannot_stream_answer_whole(shape: str) -> None:
    found = streamed({"inputs": "Hi", "text_inputs": "Hi"}, shape)

    assert (found.pieces, found.failure) == ((), None)


@pytest.mark.parametrize("shape", ["tgi", "lmi", "openai", "anthropic", "text"])
def test_the_pieces_of_a_stream_are_its_body(shape: str) -> None:
    document = {"inputs": "Hi", "max_tokens": 9} | ({"messages": CHAT} if shape in {"openai", "anthropic"} else {})

    found = streamed(document, shape)

    assert b"".join(piece.data for piece in found.pieces) == found.body
    assert sum(piece.has_token for piece in found.pieces) == 5


def test_an_empty_text_streams_no_token() -> None:
    for shape in ("tgi", "lmi", "openai", "text"):
        document = {"messages": CHAT} if shape == "openai" else {"inputs": "Hi"}
        assert not any(piece.has_token for piece in streamed(document, shape, scripted="").pieces)
    assert events(streamed({"inputs": "Hi"}, "tgi", scripted=""))[-1]["generated_text"] == ""
