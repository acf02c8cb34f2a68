"""What a container is to the stand-in: a function from what is asked to what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.registry import Registry
from sagemaker_eval.sandbox.containers.asking import Asked


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that a streaming container writes at once: a line or an event, with a token of the text or without."""

    data: bytes
    has_token: bool = False


@dataclass(frozen=True, slots=True)
class ContainerAnswer:
    """The HTTP response of a container; a status of 400 and above reaches the caller as a ModelError.

    `pieces` are those of a stream, and `body` is all of them; an answer that is not streamed has none. `failure` gives
    what the container writes into its stream, in its own dialect, where generation fails with a message.
    """

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    pieces: tuple[Piece, ...] = ()
    failure: Callable[[str], bytes] | None = field(default=None, compare=False)


Container = Callable[[Asked], ContainerAnswer]

CONTAINERS: Registry[Container] = Registry("shape")
"""The containers that the stand-in can be, by the name that a script's `shape` has."""


def answer_json(document: Json, status: int = 200) -> ContainerAnswer:
    return ContainerAnswer(json_bytes(document), status)


def answer_text(text: str, status: int = 200) -> ContainerAnswer:
    return ContainerAnswer(text_bytes(text), status, "text/plain; charset=utf-8")


def json_bytes(document: Json) -> bytes:
    return text_bytes(compact_json(document))


def text_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def answer_id(asked: Asked) -> str:
    """An identifier that depends on nothing but the endpoint and the request."""
    return sha256(asked.endpoint.encode() + b"\0" + asked.body).hexdigest()[:24]
