"""What streams of Anthropic's Messages API are put together to."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.streams import StreamDecoder, read_stream
from sagemaker_eval.model import Json, TokenUsage
from tests.formats.stream_samples import compact


def events(*documents: dict[str, Json]) -> bytes:
    return "".join(f"event: {event['type']}\ndata: {compact(event)}\n\n" for event in documents).encode()


def delta(index: int, **told: Json) -> dict[str, Json]:
    return {"type": "content_block_delta", "index": index, "delta": told}


def block(index: int, **told: Json) -> dict[str, Json]:
    return {"type": "content_block_start", "index": index, "content_block": told}


START: dict[str, Json] = {
    "type": "message_start",
    "message": {"id": "m", "role": "assistant", "content": [], "stop_reason": None, "usage": {"input_tokens": 9}},
}
END: tuple[dict[str, Json], ...] = (
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)
TEXT = (
    {"type": "ping"},
    block(0, type="text", text=""),
    delta(0, type="text_delta", text="Olá "),
    delta(0, type="text_delta", text="👋"),
    {"type": "content_block_stop", "index": 0},
)


def test_blocks_of_text_become_the_message() -> None:
    decoder = StreamDecoder("text/event-stream")
    assert decoder.feed(events(START, *TEXT, *END)) == 2
    reading = FORMATS.get("anthropic").read(decoder.close().document)
    assert (reading.output, reading.finish_reason) == ("Olá 👋", "end_turn")
    assert reading.usage == TokenUsage(9, 2, requests=1)


def test_thinking_and_tools_are_blocks_of_their_own() -> None:
    body = events(
        START,
        block(0, type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Hm"),
        delta(0, type="signature_delta", signature="s"),
        block(1, type="tool_use", id="t", name="weather", input={}),
        delta(1, type="input_json_delta", partial_json=""),
        delta(1, type="input_json_delta", partial_json='{"city":'),
        delta(1, type="input_json_delta", partial_json=' "Lima"}'),
        *END,
    )
    assert read_stream(body).document["content"] == [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "tool_use", "id": "t", "name": "weather", "input": {"city": "Lima"}},
    ]


def test_a_message_without_its_end_is_truncated() -> None:
    with pytest.raises(EndpointFault, match="the stream ended before its last event"):
        read_stream(events(START, *TEXT))
