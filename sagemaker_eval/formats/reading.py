"""The reader that all text formats share: it knows the shapes of the containers and tolerates each for every type.

The same JumpStart model answers with a list or an object, depending on the version of its container; so a model type
only says which shapes it tries first.
"""

from __future__ import annotations

from typing import TypeAlias

from sagemaker_eval.formats.failures import check_failure
from sagemaker_eval.formats.usage import read_usage
from sagemaker_eval.model import Json, Reading

Shape: TypeAlias = tuple[str | int, ...]
"""The keys and indices that lead from the top of an answer to its text."""

SHAPES: tuple[Shape, ...] = (
    ("choices", 0, "message"),
    ("choices", 0, "text"),
    ("generated_text",),
    (0, "generated_text"),
    (0, "generation"),
    ("generation",),
    ("generated_texts", 0),
    (0, 0, "generated_text"),
    ("generations", 0, "text"),
    ("completions", 0, "data", "text"),
    (0, "summary_text"),
    (0, "translation_text"),
    ("body", "generation"),
    ("content",),
    ("message", "content"),
    ("text",),
    ("output", "message"),
    ("output",),
    ("outputs", 0, "data", 0),
    ("outputs", 0),
    ("completion",),
    ("response",),
    ("answer",),
    ("predictions",),
)
"""Where the containers put their text, most telling first."""

FINISH_REASONS: tuple[Shape, ...] = (
    ("choices", 0, "finish_reason"),
    ("details", "finish_reason"),
    (0, "details", "finish_reason"),
    ("stop_reason",),
    ("body", "stop_reason"),
    ("finish_reason",),
    ("stopReason",),
    ("completions", 0, "finishReason", "reason"),
    ("generations", 0, "finish_reason"),
)

SCORES = ("score", "scores")
"""What marks an object as the answer of a classifier, a reranker or another pipeline that writes no text."""


def read_text(document: Json, preferred: tuple[Shape, ...] = ()) -> Reading:
    """What an answer says, in the first shape that fits: those of `preferred`, then all that are known.

    An empty text is an answer. Where no shape fits, `found` is False. The finish reason is the container's own word.
    Raises `EndpointFault` where the document is an error.
    """
    output = _find(document, preferred)
    if output is None:
        output = _find(document, SHAPES)
    if output is None:
        output = _bare(document)
    check_failure(document, answered=output is not None and output != "")
    usage, reason = read_usage(document), _finish_reason(document)
    return Reading(output=output, found=output is not None, usage=usage, finish_reason=reason)


def follow(document: Json, shape: Shape) -> Json:
    """The value at the end of a shape, None where the document does not have it."""
    value = document
    for step in shape:
        if isinstance(step, str):
            if not isinstance(value, dict):
                return None
            value = value.get(step)
        elif isinstance(value, list) and len(value) > step:
            value = value[step]
        else:
            return None
    return value


def _find(document: Json, shapes: tuple[Shape, ...]) -> Json:
    for shape in shapes:
        value = follow(document, shape)
        if value is not None:
            return value if isinstance(value, str) else _spoken(value)
    return None


def _spoken(value: Json) -> Json:
    """The text in a value: of a chat message, of the last message of a chat, of content blocks, of a list of one text.

    Anything else is returned as it is.
    """
    if isinstance(value, dict):
        return _message_text(value) if "role" in value or "content" in value else value
    if not isinstance(value, list):
        return value
    if not value:
        return ""
    if len(value) == 1 and isinstance(value[0], str):
        return value[0]
    if all(isinstance(item, dict) for item in value):
        return _text_of_objects(value)
    return value


def _message_text(message: dict[str, Json]) -> Json:
    """The content of a chat message; where it has none, its tool calls, its reasoning or its refusal, else nothing."""
    content = message.get("content")
    if not content and message.get("tool_calls"):
        return message["tool_calls"]
    if content is not None:
        return content if isinstance(content, str) else _spoken(content)
    for key in ("reasoning_content", "reasoning", "refusal"):
        if isinstance(message.get(key), str):
            return message[key]
    return ""


def _text_of_objects(objects: list[dict[str, Json]]) -> Json:
    if "role" in objects[-1]:
        return _message_text(objects[-1])
    texts = [item["text"] for item in objects if isinstance(item.get("text"), str)]
    return "".join(texts) if texts else objects


def _bare(document: Json) -> Json:
    """The output of an answer that is not wrapped: a JSON scalar, a list of one text, scores of a pipeline."""
    if not isinstance(document, list | dict):
        return document
    if isinstance(document, dict):
        return document if any(key in document for key in SCORES) else None
    if len(document) == 1 and isinstance(document[0], str):
        return document[0]
    if document and all(isinstance(item, dict) and any(key in item for key in SCORES) for item in document):
        return document[0] if len(document) == 1 else document
    return None


def _finish_reason(document: Json) -> str | None:
    for shape in FINISH_REASONS:
        reason = follow(document, shape)
        if isinstance(reason, str):
            return reason
    return None
