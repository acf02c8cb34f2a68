"""What a container is to the stand-in: a function from what is asked to what it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.registry import Registry
from sagemaker_eval.sandbox.containers.asking import Asked


@dataclass(frozen=True, slots=True)
class ContainerAnswer:
    """The HTTP response of a container; a status of 400 and above reaches the caller as a ModelError."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"


Container = Callable[[Asked], ContainerAnswer]

CONTAINERS: Registry[Container] = Registry("shape")
"""The containers that the stand-in can be, by the name that a script's `shape` has."""


def answer_json(document: Json, status: int = 200) -> ContainerAnswer:
    return ContainerAnswer(compact_json(document).encode("utf-8", "surrogatepass"), status)


def answer_text(text: str, status: int = 200) -> ContainerAnswer:
    return ContainerAnswer(text.encode("utf-8", "surrogatepass"), status, "text/plain; charset=utf-8")


def answer_id(asked: Asked) -> str:
    """An identifier that depends on nothing but the endpoint and the request."""
    return sha256(asked.endpoint.encode() + b"\0" + asked.body).hexdigest()[:24]
