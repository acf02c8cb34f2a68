"""The dialects in which containers stream: Server-Sent Events, JSON lines, plain text.

A stream tells the same text, tokens and usage as the whole answer to the same request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.containers.asking import Asked
from sagemaker_eval.sandbox.containers.base import ContainerAnswer, Piece, json_bytes, text_bytes
from sagemaker_eval.sandbox.containers.generation import End, Generated
from sagemaker_eval.sandbox.containers.tokens import token_texts

LOGPROB = -0.1
"""The log probability of every token."""

_END_TOKEN = 2
_NO_TOKEN = -1


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an OpenAI-compatible container writes a chunk, its end, and an error."""

    content_type: str
    line: Callable[[Json], bytes]
    end: bytes
    failure: Callable[[str], bytes]


def json_line(document: Json) -> bytes:
    return json_bytes(document) + b"\n"


def event(document: Json, name: str = "") -> bytes:
    """A Server-Sent Event, with the space after `data:` that is usual."""
    heading = f"event: {name}\n".encode() if name else b""
    return heading + b"data: " + json_bytes(document) + b"\n\n"


def _vllm_failure(message: str) -> bytes:
    error = {"message": message, "type": "InternalServerError", "param": None, "code": 500}
    return event({"error": error}) + _DONE


def _djl_failure(message: str) -> bytes:
    return json_line({"error": message, "code": 424})


_DONE = b"data: [DONE]\n\n"
SERVER_SENT_EVENTS = Dialect("text/event-stream", event, _DONE, _vllm_failure)
"""vLLM, SGLang and TGI: `data: {...}`, at last `data: [DONE]`."""

JSON_LINES = Dialect("application/jsonlines", json_line, b"", _djl_failure)
"""LMI: one bare chunk per line and nothing after the last one."""


def stream_openai(document: Mapping[str, Any], asked: Asked, dialect: Dialect) -> ContainerAnswer:
    """The chunks of a chat completion or completion, of which `document` is the whole; usage only where asked for."""
    choice = document["choices"][0]
    is_chat = "message" in choice
    head = {key: document[key] for key in ("id", "object", "created", "model")}
    if is_chat:
        head["object"] = "chat.completion.chunk"
    usage = {"usage": None} if asked.includes_usage else {}

    def chunk(part: Mapping[str, Json], **ending: Json) -> bytes:
        told = {"index": 0, **part, "logprobs": None, "finish_reason": None, **ending}
        return dialect.line({**head, "choices": [told], **usage})

    def told(text: str) -> dict[str, Json]:
        return {"delta": {"content": text}} if is_chat else {"text": text}

    pieces = [Piece(chunk({"delta": {"role": "assistant", "content": ""}}))] if is_chat else []
    text = choice["message"]["content"] if is_chat else choice["text"]
    pieces += [Piece(chunk(told(token)), has_token=True) for token in token_texts(text)]
    last: dict[str, Json] = {"delta": {}} if is_chat else {"text": ""}
    pieces.append(Piece(chunk(last, finish_reason=choice["finish_reason"], stop_reason=choice["stop_reason"])))
    if asked.includes_usage:
        pieces.append(Piece(dialect.line({**head, "choices": [], "usage": document["usage"]})))
    if dialect.end:
        pieces.append(Piece(dialect.end))
    return _streamed(pieces, dialect.content_type, dialect.failure)


def stream_tgi(text: str, made: Generated, finish_reason: str, seed: Json) -> ContainerAnswer:
    """TGI's events, `data:` without a space; the last one has `text`, the whole answer, and the details."""
    details: Json = {
        "finish_reason": finish_reason,
        "generated_tokens": made.tokens,
        "seed": seed,
        "input_length": made.prompt_tokens,
    }

    def lines() -> Iterator[Piece]:
        for index, token, is_last in _tokens(made):
            ending = (text, details) if is_last else (None, None)
            written = {"id": _END_TOKEN if token is None else index, "text": "</s>" if token is None else token}
            written |= {"logprob": LOGPROB, "special": token is None}
            document = {"index": index, "token": written, "generated_text": ending[0], "details": ending[1]}
            yield Piece(b"data:" + json_bytes(document) + b"\n\n", has_token=token is not None)

    def failure(message: str) -> bytes:
        return b"data:" + json_bytes({"error": message, "error_type": "generation"}) + b"\n\n"

    return _streamed(lines(), "text/event-stream", failure)


def stream_lmi(text: str, made: Generated, finish_reason: str) -> ContainerAnswer:
    """LMI's JSON lines; the last one has `text`, the whole answer, and the details."""
    details: Json = {
        "finish_reason": finish_reason,
        "generated_tokens": made.tokens,
        "input_length": made.prompt_tokens,
    }

    def lines() -> Iterator[Piece]:
        for index, token, is_last in _tokens(made):
            written = {"id": _END_TOKEN if token is None else index, "text": token or "", "log_prob": LOGPROB}
            ending = {"generated_text": text, "details": details} if is_last else {}
            yield Piece(json_line({"token": written, **ending}), has_token=token is not None)

    def failure(message: str) -> bytes:
        token = {"id": _NO_TOKEN, "text": "", "log_prob": -1.0}
        ending = {"generated_text": "", "error": message, "code": 424, "details": {"finish_reason": "error"}}
        return json_line({"token": token, **ending})

    return _streamed(lines(), "application/jsonlines", failure)


def stream_anthropic(message: Mapping[str, Any]) -> ContainerAnswer:
    """Anthropic's named events, of which `message` is the whole."""
    usage, (block,) = message["usage"], message["content"]
    ending = {name: message[name] for name in ("stop_reason", "stop_sequence")}
    start = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    start["usage"] = {**usage, "output_tokens": 0}

    def named(kind: str, **members: Json) -> bytes:
        return event({"type": kind, **members}, kind)

    def failure(text: str) -> bytes:
        return named("error", error={"type": "api_error", "message": text})

    def delta(token: str) -> bytes:
        return named("content_block_delta", index=0, delta={"type": "text_delta", "text": token})

    pieces = [
        Piece(named("message_start", message=start)),
        Piece(named("content_block_start", index=0, content_block={"type": "text", "text": ""})),
        *(Piece(delta(token), has_token=True) for token in token_texts(block["text"])),
        Piece(named("content_block_stop", index=0)),
        Piece(named("message_delta", delta=ending, usage={"output_tokens": usage["output_tokens"]})),
        Piece(named("message_stop")),
    ]
    return _streamed(pieces, "text/event-stream", failure)


def stream_text(text: str) -> ContainerAnswer:
    """Plain text as it comes; it has no way to say that it failed."""
    pieces = [Piece(text_bytes(token), has_token=True) for token in token_texts(text)]
    return _streamed(pieces, "text/plain; charset=utf-8", None)


def _tokens(made: Generated) -> Iterator[tuple[int, str | None, bool]]:
    """Each token with its number from 1 and whether it is the last; None is the end-of-text token, where it came."""
    tokens: list[str | None] = list(token_texts(made.text))
    if made.end is End.DONE or not tokens:
        tokens.append(None)
    for index, token in enumerate(tokens, 1):
        yield index, token, index == len(tokens)


def _streamed(pieces: Iterable[Piece], content_type: str, failure: Callable[[str], bytes] | None) -> ContainerAnswer:
    written = tuple(pieces)
    return ContainerAnswer(b"".join(piece.data for piece in written), 200, content_type, written, failure)
