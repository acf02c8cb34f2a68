"""All containers, and which of them answers a request."""

from __future__ import annotations

import re

from sagemaker_eval.sandbox.containers import chat, embedding, generate
from sagemaker_eval.sandbox.containers.asking import NOT_JSON, Asked, is_dialog
from sagemaker_eval.sandbox.containers.base import CONTAINERS, ContainerAnswer

FAMILIES = (generate, chat, embedding)
"""The modules whose containers file themselves in the registry."""

_CLAUDE = re.compile(r"claude|anthropic", re.IGNORECASE)
_EMBEDDING = re.compile(r"embed|minilm|(?:^|-)(?:bge|gte|e5(?![0-9]))", re.IGNORECASE)


def answer(asked: Asked, shape: str | None = None) -> ContainerAnswer:
    """What the container called `shape` answers; without a shape, the one that the request suggests."""
    return CONTAINERS.get(shape or recognise(asked))(asked)


def shape_names() -> tuple[str, ...]:
    """The names that a script may give as `shape`, sorted."""
    return CONTAINERS.names()


def recognise(asked: Asked) -> str:
    """The shape that a request without a script gets: by its members first, then by the endpoint's name."""
    fields = asked.fields
    if asked.document is NOT_JSON:
        return "text"
    if ("messages" in fields or "prompt" in fields) and _is_claude(asked):
        return "anthropic"
    if "messages" in fields or "prompt" in fields:
        return "openai"
    if "input" in fields or "texts" in fields:
        return "embedding"
    if "inputs" in fields:
        return _shape_of_inputs(asked)
    if "text_inputs" in fields:
        return "embedding" if _embeds(asked) else "text2text"
    return "custom"


def _is_claude(asked: Asked) -> bool:
    return "anthropic_version" in asked.fields or bool(_CLAUDE.search(asked.endpoint))


def _shape_of_inputs(asked: Asked) -> str:
    inputs = asked.fields["inputs"]
    if isinstance(inputs, list) and len(inputs) == 1 and is_dialog(inputs[0]):
        return "llama2"
    if _EMBEDDING.search(asked.endpoint) and "parameters" not in asked.fields:
        return "embedding"
    return "tgi" if "return_full_text" in asked.parameters else "lmi"


def _embeds(asked: Asked) -> bool:
    named = bool(_EMBEDDING.search(asked.endpoint))
    return named or asked.fields.get("mode") == "embedding" or isinstance(asked.fields["text_inputs"], list)
