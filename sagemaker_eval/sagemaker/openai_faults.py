"""Errors of an endpoint's OpenAI path: OpenAI's envelope, with words of SageMaker or of the container in it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker import hints
from sagemaker_eval.sagemaker.faults import FAULTS, FaultContext, classify
from sagemaker_eval.sagemaker.model_errors import read_container_error
from sagemaker_eval.sagemaker.service import parse_error

_OF_SERVICE = re.compile(r"(?:endpoint|inference component) \S+ ", re.IGNORECASE)
"""How SageMaker's own words begin where the endpoint, and not its model, is what is wrong."""

_AWS_CODES = frozenset(code for code in FAULTS if not code.isdigit()) - {"InternalServerError"} | {"ModelError"}
"""What may stand in an envelope as AWS's word; `InternalServerError` is what vLLM says of itself."""

_BY_STATUS = frozenset({408, 413, 429})
"""Statuses that mean the same whoever answers."""

_REFUSED = (401, 403)
_HIDDEN = b"***"


@dataclass(frozen=True, slots=True)
class _Envelope:
    """`{"error": {...}}`, or an error without the envelope, as older containers have it."""

    message: str
    codes: tuple[str, ...]

    def aws_code(self) -> str | None:
        """The code, where it is one of AWS's."""
        return next((code for code in self.codes if code in _AWS_CODES), None)


def openai_fault(
    status: int, headers: Mapping[str, str], body: bytes, context: FaultContext, secrets: frozenset[str]
) -> EndpointFault:
    """The fault of an answer of 300 or above; `secrets` are blotted out in what it quotes.

    AWS's code decides where there is one. Without it, tokens that are refused and endpoints that do not exist are
    SageMaker's to refuse; everything else is the container's, and read like a ModelError.
    """
    for secret in secrets:
        body = body.replace(secret.encode(), _HIDDEN)
    error = parse_error(status, headers, body)
    envelope = _envelope(body)
    message = envelope.message if envelope else error.fields.get("Message")
    fields = {**error.fields, "Message": message, "RequestId": error.request_id}
    code = error.code if not error.code.isdigit() else envelope and envelope.aws_code()
    if code:
        return classify(code, status, fields, context)
    text = str(message or "")
    if status in _REFUSED:
        return _refused(status, text, error.request_id, context)
    if _OF_SERVICE.match(text):
        return classify("ValidationError", status, fields, context)
    if status < 400 or status in _BY_STATUS or envelope is None:
        return classify(str(status), status, fields, context)
    return _of_container(status, text, error.request_id, context)


def _refused(status: int, text: str, request_id: str | None, context: FaultContext) -> EndpointFault:
    if "expired" in text.lower():
        return classify("ExpiredTokenException", status, {"Message": text, "RequestId": request_id}, context)
    endpoint = hints.endpoint_arn(context.endpoint, context.region, context.account)
    statements = [
        {"Effect": "Allow", "Action": "sagemaker:CallWithBearerToken", "Resource": "*"},
        {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": endpoint},
    ]
    said = hints.one_line(text) or "no further message"
    return EndpointFault(
        f"access denied to `{context.endpoint}` in {context.region} with a bearer token ({status}): {said}",
        code=str(status),
        stops_run=True,
        hint=f"the IAM policy of the caller must include {' and '.join(map(json.dumps, statements))}",
        request_id=request_id,
    )


def _of_container(status: int, text: str, request_id: str | None, context: FaultContext) -> EndpointFault:
    log = hints.container_log(None, context.endpoint, context.region, context.component)
    reading = read_container_error(status, text, log)
    return EndpointFault(
        reading.message,
        code=str(status),
        retry=reading.retry,
        stops_run=reading.stops_run,
        hint=reading.hint,
        request_id=request_id,
        original_status=status,
    )


def _envelope(body: bytes) -> _Envelope | None:
    try:
        document: Json = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    error = document.get("error", document)
    if isinstance(error, str):
        return _Envelope(error, ())
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return None
    return _Envelope(error["message"], tuple(str(error.get(name) or "") for name in ("type", "code")))
