"""ModelError: the container behind an endpoint answered with an error of its own, or did not answer in 60 s."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sagemaker_eval.errors import Retry
from sagemaker_eval.sagemaker import hints

_STATUS_IN_TEXT = re.compile(r"\((\d{1,3})\)")
_WORDS_OF_CONTAINER = re.compile(r'with message "(?P<words>.*?)"(?:\. See |\. For |\s*$)', re.DOTALL)
_OUT_OF_MEMORY = re.compile(r"out of memory|outofmemory", re.IGNORECASE)
_TOO_LONG = re.compile(
    r"too long|must be <=|max_total_tokens|max_input_(?:length|tokens)|maximum (?:context|input|sequence) length"
    r"|context length exceeded|max_model_len",
    re.IGNORECASE,
)

_RETRIES = {
    0: Retry.NEVER,
    424: Retry.ONCE,
    429: Retry.COUNTED,
    500: Retry.ONCE,
    502: Retry.COUNTED,
    503: Retry.COUNTED,
    504: Retry.COUNTED,
}

_STATUS_HINTS = {
    400: "check that `modelType` fits the model and that it takes these parameters",
    404: "check the path or the model that the container serves",
    413: "shorten the prompt",
    415: "check `contentType` and `acceptType`",
    422: "check that `modelType` fits the model and that it takes these parameters",
    429: "the container's queue is full: set `delay` or a lower `maxConcurrency` for this provider",
    503: "the container's queue is full, or its model is not loaded",
}


@dataclass(frozen=True, slots=True)
class ModelErrorReading:
    """What a ModelError says: `status` is the container's own (0: it timed out), None where it cannot be known."""

    status: int | None
    message: str
    retry: Retry
    hint: str | None
    stops_run: bool = False


def read_model_error(
    fields: Mapping[str, Any], endpoint: str, region: str = "", component: str | None = None
) -> ModelErrorReading:
    """The reading of an error's fields (`Message`, `OriginalStatusCode`, `OriginalMessage`, `LogStreamArn`)."""
    message = str(fields.get("Message") or "")
    status = _status(fields.get("OriginalStatusCode"), message)
    words = str(fields.get("OriginalMessage") or "") or _words_of_container(message)
    said = hints.one_line(words) or "no further message"
    log = hints.container_log(fields.get("LogStreamArn"), endpoint, region, component)
    if status == 0:
        text = f"the model did not answer within SageMaker's 60 s (ModelError, original status 0): {said}"
        return ModelErrorReading(0, text, Retry.NEVER, _joined(hints.THREE_WAYS_OUT, log))
    text = f"the model container answered {'an error' if status is None else status} (ModelError): {said}"
    return _reading(status, text, f"{words} {message}", log)


def read_container_error(status: int, words: str, log: str) -> ModelErrorReading:
    """The reading of an HTTP error that a container gave without SageMaker in between: what a ModelError would say.

    `words` are what the body told, and `log` is where the container wrote more.
    """
    text = f"the container answered {status}: {hints.one_line(words) or 'no further message'}"
    return _reading(status, text, words, log)


def _reading(status: int | None, text: str, told: str, log: str) -> ModelErrorReading:
    if "accept_eula" in told:
        return ModelErrorReading(status, text, Retry.NEVER, hints.ACCEPT_EULA, stops_run=True)
    hopeless, hint = _advice(status, told)
    return ModelErrorReading(status, text, Retry.NEVER if hopeless else _retry(status), _joined(hint, log))


def _status(original: Any, message: str) -> int | None:
    if isinstance(original, int):
        return original
    found = _STATUS_IN_TEXT.search(message)
    return int(found.group(1)) if found else None


def _words_of_container(message: str) -> str:
    found = _WORDS_OF_CONTAINER.search(message)
    return found.group("words") if found else message


def _retry(status: int | None) -> Retry:
    if status is None or status >= 500:
        return _RETRIES.get(status or 500, Retry.ONCE)
    return _RETRIES.get(status, Retry.NEVER)


def _advice(status: int | None, text: str) -> tuple[bool, str | None]:
    """Whether a further try is hopeless, and what to do."""
    if _OUT_OF_MEMORY.search(text):
        return True, "the model ran out of memory: shorten the prompt, lower `maxTokens`, or use a larger instance"
    if _TOO_LONG.search(text):
        return True, "shorten the prompt or lower `maxTokens`"
    if "batch inference failed" in text.lower():
        return False, hints.BATCH_INFERENCE_FAILED
    return False, _STATUS_HINTS.get(status or 500)


def _joined(hint: str | None, log: str) -> str:
    return f"{hint}; {log}" if hint else log
