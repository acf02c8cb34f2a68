"""Reads a request body the way containers do: what is asked, and how much of an answer is wanted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.model import EMPTY, Json, compact_json

_TEXT_KEYS = (
    "prompt",
    "inputs",
    "input",
    "text_inputs",
    "texts",
    "message",
    "question",
    "query",
    "text",
    "instruction",
)
_TEMPLATE_MARKS = re.compile(
    r"<\|start_header_id\|>\w*<\|end_header_id\|>|<\|im_start\|>\w*|<(?:start|end)_of_turn>(?:user|model)?"
    r"|<\|[^|>]*\|>|\[/?INST\]|<</?SYS>>|</?s>|<bos>"
)
NOT_JSON = object()
"""The document of a body that is not JSON."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One invocation as the container sees it. `document` is the decoded body, `NOT_JSON` where it is none."""

    endpoint: str
    body: bytes
    document: Json
    custom_attributes: str = ""
    scripted: str | None = None
    """The text that the script prescribes for this prompt."""

    @property
    def fields(self) -> Mapping[str, Any]:
        """The top-level members of the body; none where it is not an object."""
        return self.document if isinstance(self.document, dict) else EMPTY

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The member `parameters`, where it is an object."""
        parameters = self.fields.get("parameters")
        return parameters if isinstance(parameters, dict) else EMPTY

    @property
    def streams(self) -> bool:
        """Whether the body asks for a stream."""
        return self.fields.get("stream") is True

    @property
    def includes_usage(self) -> bool:
        """Whether an OpenAI-compatible stream is to end with its usage."""
        options = self.fields.get("stream_options")
        return isinstance(options, dict) and options.get("include_usage") is True

    @property
    def prompt(self) -> str:
        """Everything that is asked, as one text."""
        if self.document is NOT_JSON:
            return self.body.decode(errors="replace")
        return prompt_text(self.document)

    @property
    def question(self) -> str:
        """The part of the prompt that wants an answer: the last message, without the marks of a chat template."""
        messages = _messages(self.document)
        text = _content(messages[-1]) if messages else self.prompt
        return _TEMPLATE_MARKS.sub(" ", text)


def decode(body: bytes) -> Json:
    """The JSON value of `body`, or `NOT_JSON`."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return NOT_JSON


def prompt_text(document: Json) -> str:
    """The text of a request: its messages, its prompt by any of the usual names, else the whole of it as JSON."""
    if isinstance(document, str):
        return document
    if messages := _messages(document):
        return "\n".join(_content(message) for message in messages)
    if isinstance(document, list) and all(isinstance(item, str) for item in document):
        return "\n".join(document)
    if isinstance(document, dict):
        for key in _TEXT_KEYS:
            if document.get(key) is not None:
                return prompt_text(document[key])
    return compact_json(document)


def number(value: Json) -> float | None:
    """`value` where it is a number; true and false are none."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def limit(value: Json) -> int | None:
    """`value` where it can limit the number of tokens."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def stops(value: Json) -> tuple[str, ...]:
    """Stop sequences, given as a list or as a single text."""
    if isinstance(value, str):
        return (value,) if value else ()
    return tuple(item for item in value if isinstance(item, str) and item) if isinstance(value, list) else ()


def is_dialog(value: Json) -> bool:
    """A list of messages, each with a content."""
    return (
        isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "content" in item for item in value)
    )


def _messages(document: Json) -> list[Json]:
    """The messages of a chat, whether they stand under `messages`, under `inputs` or alone; nested ones too."""
    if isinstance(document, dict):
        for key in ("messages", "inputs"):
            if messages := _messages(document.get(key)):
                return messages
        return []
    if is_dialog(document):
        return list(document)
    return _messages(document[0]) if isinstance(document, list) and len(document) == 1 else []


def _content(message: Mapping[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
    return "" if content is None else str(content)
