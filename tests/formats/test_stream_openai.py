"""What streams of chats are put together to: reasoning, tool calls, several choices, log probabilities."""

from __future__ import annotations

from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.log_probs import read_log_probs
from sagemaker_eval.formats.streams import StreamDecoder, read_stream
from sagemaker_eval.model import Json
from tests.formats.stream_samples import chunk, piece, sse


def message_of(*deltas: dict[str, Json], reason: str = "stop") -> dict[str, Json]:
    document = read_stream(sse(*map(chunk, deltas), chunk({}, reason), "[DONE]")).document
    message: dict[str, Json] = document["choices"][0]["message"]
    return message


def test_reasoning_is_kept_apart_under_the_name_that_it_had() -> None:
    for name in ("reasoning_content", "reasoning"):
        message = message_of({"role": "assistant", "content": ""}, {name: "Hm"}, {name: "m."}, {"content": "4"})
        assert message == {"role": "assistant", "content": "4", name: "Hmm."}


def test_a_chat_that_only_reasons_has_no_content() -> None:
    message = message_of({"role": "assistant", "content": ""}, {"reasoning_content": "Hmm"}, reason="length")
    assert message["content"] is None
    document: Json = {"choices": [{"message": message}]}
    assert FORMATS.get("openai").read(document).output == "Hmm"


def test_reasoning_counts_as_generated() -> None:
    decoder = StreamDecoder()
    deltas = ({"role": "assistant", "content": ""}, {"reasoning": "Hm"}, {"content": "4"}, {"content": None})
    assert [decoder.feed(sse(chunk(delta))) for delta in deltas] == [0, 1, 1, 0]


def call(index: int, arguments: str, **more: Json) -> dict[str, Json]:
    name = {"name": more.pop("name")} if "name" in more else {}
    return {"tool_calls": [{"index": index, **more, "function": {**name, "arguments": arguments}}]}


def test_tool_calls_are_put_together() -> None:
    message = message_of(
        call(0, "", id="a", type="function", name="weather"),
        call(0, '{"city": '),
        call(1, "{}", id="b", type="function", name="time"),
        call(0, '"Lima"}'),
        reason="tool_calls",
    )
    assert message == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Lima"}'}},
            {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
        ],
    }


def test_arguments_and_content_may_come_as_json() -> None:
    parts: tuple[Json, Json] = ([{"type": "text", "text": "a"}], [{"type": "text", "text": "b"}])
    assert message_of(*({"content": part} for part in parts))["content"] == [*parts[0], *parts[1]]
    whole = {"tool_calls": [{"function": {"name": "time", "arguments": {"city": "Lima"}}}, {"index": 1, "id": "b"}]}
    assert message_of(whole)["tool_calls"] == [
        {"function": {"name": "time", "arguments": {"city": "Lima"}}},
        {"id": "b", "function": {"name": "", "arguments": ""}},
    ]


def test_several_choices_are_told_apart_by_their_index() -> None:
    chunks = (
        chunk({"content": "b"}, index=1),
        chunk({"content": "a"}),
        chunk({"content": "!"}, "length", index=1),
        chunk({}, "stop"),
    )
    choices = read_stream(sse(*chunks)).document["choices"]
    told = [(choice["index"], choice["message"]["content"], choice["finish_reason"]) for choice in choices]
    assert told == [(0, "a", "stop"), (1, "b!", "length")]


def test_log_probabilities_are_joined() -> None:
    chat = (
        chunk({"content": "a"}, logprobs={"content": [{"token": "a", "logprob": -1.0}]}),
        chunk({"content": "b"}, "stop", logprobs={"content": [{"token": "b", "logprob": -2.0}]}),
    )
    assert read_log_probs(read_stream(sse(*chat)).document) == (-1.0, -2.0)
    first, last = piece("a"), piece("b", "stop")
    first["choices"][0]["logprobs"] = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": None}
    last["choices"][0]["logprobs"] = {"tokens": ["b"], "token_logprobs": [-2.0], "top_logprobs": None}
    assert read_log_probs(read_stream(sse(first, last)).document) == (-1.0, -2.0)


def test_what_else_chunks_tell_is_kept() -> None:
    last: Json = {**chunk({"content": "x"}, "stop", stop_reason=7), "system_fingerprint": "f", "usage": None}
    document = read_stream(sse(last)).document
    assert document["system_fingerprint"] == "f" and "usage" not in document
    assert document["choices"][0]["stop_reason"] == 7


def test_an_empty_chat_is_an_empty_text() -> None:
    assert message_of({"role": "assistant"})["content"] == ""
