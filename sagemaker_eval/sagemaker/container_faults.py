"""HTTP errors of a container that is called directly, as faults with the classes that a ModelError would have."""

from __future__ import annotations

import json

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.model_errors import read_container_error

HOPELESS = frozenset({"401", "403", "404", "405"})
"""Codes that show, on the first call, that something else than this model listens at the URL."""

LOG = "the container's log: `docker logs <container>`"

_HINTS = {
    401: "no credentials are sent to a container: call one that needs none",
    403: "no credentials are sent to a container: call one that needs none",
    404: "check the URL: without a path of its own, requests go to `/invocations`",
    405: "check the URL: requests are POSTs, without a path of its own to `/invocations`",
}


def http_fault(status: int, body: bytes, url: str) -> EndpointFault:
    """The fault of an answer of 300 or above. Its message has what the body says."""
    if status < 400:
        return EndpointFault(
            f"{url} redirects to another place ({status})",
            code=str(status),
            stops_run=True,
            hint="write the URL that answers the requests itself",
        )
    reading = read_container_error(status, _said(body), LOG)
    known = _HINTS.get(status)
    return EndpointFault(
        f"{reading.message} ({url})" if known else reading.message,
        code=str(status),
        retry=reading.retry if status != 408 else Retry.COUNTED,
        stops_run=reading.stops_run,
        hint=known or reading.hint,
        original_status=status,
    )


def _said(body: bytes) -> str:
    """What the body of an error says: its message where it is JSON of a known shape, else all of it."""
    text = body.decode("utf-8", "replace")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _message(document) or text


def _message(document: Json) -> str:
    """The messages of an error in JSON; servers split them over `message`, `error` and `detail`."""
    if isinstance(document, str):
        return document
    if isinstance(document, list):
        return "; ".join(filter(None, map(_message, document)))
    if not isinstance(document, dict):
        return ""
    parts = (_message(document.get(name)) for name in ("message", "msg", "error", "errors", "detail"))
    return ": ".join(dict.fromkeys(filter(None, parts)))
