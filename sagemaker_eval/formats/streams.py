"""Streamed answers: asking for them, and putting them together to what the container would have answered at once.

The dialect is found from the bytes: TGI's and OpenAI's server-sent events, LMI's JSON lines, Anthropic's and Converse's
events, plain text, a JSON document that was not streamed. Whoever reads the answer sees no difference to one that came
whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sagemaker_eval.errors import EndpointFault, FormatError, Retry
from sagemaker_eval.formats.bodies import encode, parse_json
from sagemaker_eval.formats.stream_anthropic import EVENT_TYPES, AnthropicStream
from sagemaker_eval.formats.stream_converse import EVENT_KEYS, ConverseStream
from sagemaker_eval.formats.stream_events import Events
from sagemaker_eval.formats.stream_failures import check_event
from sagemaker_eval.formats.stream_generate import GenerateStream
from sagemaker_eval.formats.stream_joining import Assembler, joined
from sagemaker_eval.formats.stream_lines import LineStream
from sagemaker_eval.formats.stream_openai import OpenAiStream
from sagemaker_eval.formats.stream_readers import Done, Event, truncated
from sagemaker_eval.model import Json

USAGE_TYPES = frozenset({"openai", "huggingface", "jumpstart", "llama"})
"""Model types whose chats are OpenAI's, and so tell the usage of a stream where they are asked to."""

_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Streamed:
    """What a stream was: the document that the container would have answered without streaming, or plain text."""

    document: Json
    is_text: bool = False


class StreamDecoder:
    """Reads a stream while it comes, cut wherever it may be. Use it once: `feed` as often as needed, then `close`."""

    def __init__(self, content_type: str = "") -> None:
        self._events = Events(content_type)
        self._assembler: Assembler | None = None
        self._texts: list[str] = []
        self._done = False

    def feed(self, data: bytes) -> int:
        """How many pieces of generated text these bytes complete: events with text, with reasoning or a tool call.

        A piece is a token for most containers; of plain text it is what came at once. What was not streamed has none.
        Raises `EndpointFault` for an error within the stream, and for what cannot be read.
        """
        return sum(map(self._take, self._events.feed(data)))

    def close(self) -> Streamed:
        """What the stream was, at its end.

        Raises `EndpointFault`: `StreamTruncated` where the end of the answer is missing, `EmptyBody` where nothing
        came, and what `feed` raises for what only the end completes.
        """
        for event in self._events.close():
            self._take(event)
        if self._assembler is not None:
            if not (self._done or self._assembler.ended):
                raise truncated("before its last event")
            return Streamed(self._assembler.document())
        if not self._texts:
            raise _empty()
        return _plain("".join(self._texts))

    def _take(self, event: Event) -> int:
        if isinstance(event, Done):
            self._done = True
            return 0
        if isinstance(event, str):
            return self._take_text(event)
        assembler = self._assembler
        if assembler is None:
            assembler = self._assembler = self._assembler_of(event)
        if isinstance(event, dict):
            check_event(event)
            return assembler.take(event)
        return assembler.take_list(event) if isinstance(assembler, LineStream) else 0

    def _take_text(self, text: str) -> int:
        if self._assembler is not None:
            if not text.strip():  # a sign of life
                return 0
            raise EndpointFault(
                f"the stream holds something that is no JSON: {text[:100]!r}",
                code="StreamCorrupted",
                retry=Retry.COUNTED,
            )
        self._texts.append(text)
        return int(text != "")

    def _assembler_of(self, first: dict[str, Json] | list[Json]) -> Assembler:
        if isinstance(first, list):
            return LineStream()
        if isinstance(first.get("token"), dict):
            return GenerateStream(self._events.sse)
        choices = first.get("choices")
        if isinstance(choices, list) and not any(isinstance(item, dict) and "message" in item for item in choices):
            return OpenAiStream()
        if first.keys() & EVENT_KEYS:
            return ConverseStream()
        kind = first.get("type")
        return AnthropicStream() if isinstance(kind, str) and kind in EVENT_TYPES else LineStream()


def read_stream(body: bytes, content_type: str = "") -> Streamed:
    """What a whole recorded stream was. Raises `EndpointFault` as `StreamDecoder`."""
    decoder = StreamDecoder(content_type)
    decoder.feed(body)
    return decoder.close()


def streaming_body(body: bytes, model_type: str) -> bytes:
    """The request body that asks the container to stream; one that is no JSON object stays as it is.

    A chat or completion of OpenAI's API is asked for its usage too, unless the body says otherwise.
    Raises `FormatError` for numbers that JSON cannot carry.
    """
    try:
        document = parse_json(body.decode())
    except ValueError:
        return body
    if not isinstance(document, dict):
        return body
    document["stream"] = True
    if model_type in USAGE_TYPES and ("messages" in document or (model_type == "openai" and "prompt" in document)):
        options = document.get("stream_options")
        document["stream_options"] = {"include_usage": True, **(options if isinstance(options, dict) else {})}
    try:
        return encode(document)
    except FormatError as error:
        return _escaped(document, error)


def _escaped(document: Json, error: FormatError) -> bytes:
    """JSON in ASCII, which can carry the half of a surrogate pair that a body had as an escape."""
    try:
        return _ASCII_ENCODER.encode(document).encode()
    except (ValueError, RecursionError):
        raise error from None


def _plain(text: str) -> Streamed:
    """Text is a document where it is JSON, as in an answer that came whole."""
    try:
        return Streamed(json.loads(text))
    except (ValueError, RecursionError):
        return Streamed(joined((text,)), is_text=True)


def _empty() -> EndpointFault:
    return EndpointFault(
        "the endpoint answered with an empty stream",
        code="EmptyBody",
        retry=Retry.ONCE,
        hint="look at the container's log; the model may have crashed or refuse this content type",
    )
