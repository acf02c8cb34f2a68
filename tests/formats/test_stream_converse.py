"""What streams in the shape of ConverseStream are put together to."""

from __future__ import annotations

import pytest

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.streams import StreamDecoder, read_stream
from sagemaker_eval.model import Json, TokenUsage
from tests.formats.stream_samples import json_lines, sse


def text(piece: str, index: int = 0) -> Json:
    return {"contentBlockDelta": {"delta": {"text": piece}, "contentBlockIndex": index}}


START: Json = {"messageStart": {"role": "assistant"}}
END: Json = {"messageStop": {"stopReason": "end_turn"}}
USAGE: Json = {"metadata": {"usage": {"inputTokens": 9, "outputTokens": 2}}}


def test_blocks_become_the_message() -> None:
    decoder = StreamDecoder()
    assert decoder.feed(json_lines(START, text("Olá "), text(""), text("👋"), END, USAGE)) == 2
    reading = FORMATS.get("custom").read(decoder.close().document)
    assert (reading.output, reading.finish_reason) == ("Olá 👋", "end_turn")
    assert reading.usage == TokenUsage(9, 2, requests=1)


def test_without_its_end_it_is_truncated() -> None:
    with pytest.raises(EndpointFault, match="before its last event"):
        read_stream(sse(START, text("Olá")))
