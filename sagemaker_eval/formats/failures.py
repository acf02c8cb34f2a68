"""Errors that containers report in the body of an answer with HTTP 200."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json

RETRY_BY_STATUS: Mapping[int, Retry] = MappingProxyType(
    {
        424: Retry.ONCE,
        429: Retry.COUNTED,
        500: Retry.ONCE,
        502: Retry.COUNTED,
        503: Retry.COUNTED,
        504: Retry.COUNTED,
    }
)
"""A container that crashed on a prompt will mostly do so again; one that is busy will not be for ever."""

STATUS_BY_TYPE: Mapping[str, int] = MappingProxyType(
    {
        "validation": 422,
        "generation": 424,
        "overloaded": 429,
        "incomplete_generation": 500,
        "invalid_request_error": 400,
        "rate_limit_error": 429,
        "api_error": 500,
        "overloaded_error": 503,
    }
)
"""The HTTP status that stands for an error type, for bodies that name no status: TGI's types, then Anthropic's."""

LONGEST_MESSAGE = 500

BATCH_FAILURE_HINT = (
    "add a `delay` of at least 500 ms, check that `modelType` fits the endpoint (`jumpstart` for Llama, `huggingface` "
    "for Mistral), that `contentType` and `acceptType` are `application/json`, and that the endpoint is active"
)


def check_failure(document: Json, answered: bool) -> None:
    """Raises `EndpointFault` where a decoded body is an error; `answered` says that it holds a text that is not empty.

    The code is `ModelError`, as if the container had said so with its HTTP status.
    """
    body = document[0] if isinstance(document, list) and len(document) == 1 else document
    if not isinstance(body, dict) or not _is_failure(body, answered):
        return
    status = _status(body)
    message = _message(body)
    raise EndpointFault(
        message,
        code="ModelError",
        retry=RETRY_BY_STATUS.get(status or 0, Retry.NEVER),
        original_status=status,
        hint=BATCH_FAILURE_HINT if "batch inference failed" in message.lower() else None,
    )


def _is_failure(body: Mapping[str, Json], answered: bool) -> bool:
    details = body.get("details")
    if isinstance(details, dict) and details.get("finish_reason") == "error":
        return True
    if answered:
        return False
    if body.get("error") or body.get("object") == "error":
        return True
    return _as_status(body.get("code")) is not None and isinstance(body.get("message"), str)


def _status(body: Mapping[str, Json]) -> int | None:
    """The HTTP status that a body tells, at its top or inside its `error`, as a number or by the type of the error."""
    inner = body.get("error")
    objects = [body, inner] if isinstance(inner, dict) else [body]
    for told in objects:
        status = _as_status(told.get("code"))
        if status is not None:
            return status
    for told in reversed(objects):
        for name in (told.get("error_type"), told.get("type")):
            if isinstance(name, str) and name in STATUS_BY_TYPE:
                return STATUS_BY_TYPE[name]
    return None


def _as_status(code: Json) -> int | None:
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:9])
    return code if type(code) is int and code >= 400 else None


def _message(body: Mapping[str, Json]) -> str:
    """What the body says, on one line; containers split it over `message` and `error`."""
    inner = body.get("error")
    if isinstance(inner, dict):
        inner = inner.get("message") or inner.get("type")
    said = [text for text in (body.get("message"), inner) if isinstance(text, str) and text.strip()]
    line = " ".join(": ".join(dict.fromkeys(said)).split())
    if not line:
        return "the container answered with an error and no message"
    return line if len(line) <= LONGEST_MESSAGE else f"{line[:LONGEST_MESSAGE]} ..."
