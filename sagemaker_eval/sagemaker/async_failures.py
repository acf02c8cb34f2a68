"""What goes wrong with asynchronous inference that calls of other kinds do not know."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Request
from sagemaker_eval.sagemaker.faults import FAULTS, FaultContext, classify
from sagemaker_eval.sagemaker.hints import one_line

MAX_PAYLOAD = 1 << 30
"""Bytes that a request in S3 may have ("Asynchronous inference", Amazon SageMaker developer guide)."""

LONGEST_INVOCATION_S = 3600
"""What `InvocationTimeoutSeconds` may be at most."""

_EXPIRED_IN_QUEUE = re.compile(r"RequestTTLSeconds|expired in the queue", re.IGNORECASE)

_FIELDS = ("Message", "OriginalStatusCode", "OriginalMessage", "LogStreamArn", "ErrorCode", "RequestId")


def failed(body: bytes, context: FaultContext) -> EndpointFault:
    """The fault that a failure object tells of: the ModelError of a call that would have been answered at once.

    Failure objects have the error in words or as JSON; both are read. A container that timed out did so after the
    invocation timeout of this call, not after the 60 s of others.
    """
    text = body.decode("utf-8", "replace")
    if _EXPIRED_IN_QUEUE.search(text):
        return _expired(text, context)
    fields = _fields(text)
    code = str(fields.get("ErrorCode") or "ModelError")
    fault = classify(code if code in FAULTS else "ModelError", None, fields, context)
    if fault.original_status != 0:
        return fault
    said = one_line(str(fields.get("OriginalMessage") or fields.get("Message") or "")) or "no further message"
    return EndpointFault(
        f"the model did not answer within the invocation timeout (ModelError, original status 0): {said}",
        code="ModelError",
        hint="ask for fewer tokens (`maxTokens`), or allow more time (`async: {invocationTimeoutSeconds: …}`, at most "
        f"{LONGEST_INVOCATION_S:,}; without it 900)",
        request_id=fault.request_id,
        original_status=0,
    )


def _expired(text: str, context: FaultContext) -> EndpointFault:
    return EndpointFault(
        f"the request expired in the queue of `{context.endpoint}`: {one_line(text)}",
        code="QueueExpired",
        hint="the endpoint is behind: lower `maxConcurrency`, give it more instances, or let requests wait longer "
        "(`async: {requestTtlSeconds: …}`, at most 21,600)",
    )


def _fields(text: str) -> Mapping[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {"Message": text}
    if not isinstance(document, dict):
        return {"Message": text}
    fields = {name: document[name] for name in _FIELDS if document.get(name) is not None}
    fields.setdefault("Message", document.get("message") or document.get("failureReason") or text)
    return fields


def input_removed(location: object) -> EndpointFault:
    """The request went missing before the endpoint had read it."""
    return EndpointFault(
        f"the request at `{location}` was removed before the endpoint read it",
        code="InputRemoved",
        retry=Retry.COUNTED,
        hint="another run may be asking the same at the same time: give each a `prefix` of its own under `async`",
    )


def timed_out(request: Request, timeout_ms: float, output: object, tells_failures: bool) -> EndpointFault:
    """Nobody knows whether the model is still at it, so the call is not made again."""
    hint = "the request may still wait in the endpoint's queue: look at its backlog and at the container's log"
    if not tells_failures:
        hint += "; it may also have failed, which this endpoint cannot tell: it has no `S3FailurePath`"
    return EndpointFault(
        f"no answer from `{request.endpoint}` within {timeout_ms / 1000:,.0f} s at `{output}`",
        code="AsyncTimeout",
        hint=hint + "; or allow more time (`async: {timeoutMs: …}`)",
    )


def check_payload(request: Request) -> None:
    """Raises `EndpointFault` for a body that is too large even for S3."""
    size = len(request.body)
    if size > MAX_PAYLOAD:
        raise EndpointFault(
            f"the request body of {size:,} bytes is too large: asynchronous endpoints take {MAX_PAYLOAD:,} bytes (413)",
            code="413",
            hint="shorten the prompt",
        )


def nowhere(told: str | None, request_id: str | None) -> EndpointFault:
    """The call was accepted, but where its answer will be cannot be known."""
    what = f"names `{told}` as the place of its answer" if told else "does not say where its answer will be"
    return EndpointFault(
        f"the endpoint {what}",
        code="BadResponse",
        hint="check the endpoint URL of the provider's settings, and the proxies on the way",
        request_id=request_id,
    )
