"""The sandbox's containers write their streams by themselves: what is read from one is what they answer at once."""

from __future__ import annotations

import json

import pytest

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.formats.base import FORMATS
from sagemaker_eval.formats.streams import StreamDecoder, read_stream, streaming_body
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox import service
from sagemaker_eval.sandbox.containers.asking import Asked, decode
from sagemaker_eval.sandbox.containers.base import CONTAINERS, ContainerAnswer

assert service.__doc__  # it loads the containers

CHAT = {"messages": [{"role": "user", "content": "Where is Lima? 👩‍🚀"}], "max_tokens": 40}
GENERATE = {"inputs": "Where is Lima? 👩‍🚀", "parameters": {"details": True}}
every_container = pytest.mark.parametrize(("shape", "model_type", "body"), [
    ("tgi", "huggingface", GENERATE), ("tgi", "huggingface", CHAT), ("lmi", "jumpstart", GENERATE),
    ("lmi", "jumpstart", CHAT), ("openai", "openai", CHAT), ("openai", "openai", {"prompt": "Where is Lima?"}),
    ("anthropic", "anthropic", CHAT),
])  # fmt: skip


def answer(shape: str, body: bytes) -> ContainerAnswer:
    return CONTAINERS.get(shape)(Asked("ep", body, decode(body)))


@every_container
def test_a_stream_says_what_the_whole_answer_says(shape: str, model_type: str, body: Json) -> None:
    written = json.dumps(body).encode()
    whole = FORMATS.get(model_type).read(json.loads(answer(shape, written).body))
    streamed = answer(shape, streaming_body(written, model_type))
    reading = FORMATS.get(model_type).read(read_stream(streamed.body, streamed.content_type).document)
    assert (reading.output, reading.finish_reason) == (whole.output, whole.finish_reason)
    assert reading.usage is not None and whole.usage is not None
    assert reading.usage.completion == whole.usage.completion


@every_container
def test_the_pieces_are_the_tokens(shape: str, model_type: str, body: Json) -> None:
    streamed = answer(shape, streaming_body(json.dumps(body).encode(), model_type))
    decoder = StreamDecoder(streamed.content_type)
    assert [decoder.feed(piece.data) for piece in streamed.pieces] == [piece.has_token for piece in streamed.pieces]


@every_container
def test_a_failure_in_the_midst_is_one(shape: str, model_type: str, body: Json) -> None:
    streamed = answer(shape, streaming_body(json.dumps(body).encode(), model_type))
    assert streamed.failure is not None
    begun = b"".join(piece.data for piece in streamed.pieces[:3])
    with pytest.raises(EndpointFault, match="no memory") as caught:
        read_stream(begun + streamed.failure("no memory"), streamed.content_type)
    assert caught.value.code == "ModelError"
