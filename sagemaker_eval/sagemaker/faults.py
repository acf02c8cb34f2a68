"""The table of faults: what each error code means, whether a further try can help, and what the user can do.

The code decides. Text refines only within a code whose cases cannot be told apart otherwise (`ValidationError`,
`ModelError`). Codes without letters are HTTP statuses of answers that carry no AWS code; those in `network.py` name
failures on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.sagemaker import hints
from sagemaker_eval.sagemaker.model_errors import read_model_error

_NOT_FOUND = re.compile(r"^Endpoint \S+ .*not found", re.IGNORECASE)
_CANONICAL_REQUEST = re.compile(r"\s*The Canonical String.*", re.DOTALL | re.IGNORECASE)

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
"""Codes that say: these credentials were right once."""


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What was being called when a fault came back; `body_size` in bytes, `account` None where it is not known."""

    endpoint: str
    region: str
    url: str
    body_size: int = 0
    timeout_ms: float = 0.0
    account: str | None = None
    component: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of the table. `meaning` and `hint` take the fields of `FaultContext` in braces."""

    retry: Retry
    meaning: str
    hint: str | None = None
    stops_run: bool = False


def _stop(meaning: str, hint: str) -> Fault:
    return Fault(Retry.NEVER, meaning, hint, stops_run=True)


_THROTTLED = Fault(
    Retry.PATIENT, "SageMaker throttled the call", "set `delay` or a lower `maxConcurrency` for this provider"
)
_UNAVAILABLE = Fault(Retry.COUNTED, "SageMaker is not available")
_INTERNAL = Fault(Retry.COUNTED, "SageMaker failed internally")
_TIMED_OUT = Fault(Retry.COUNTED, "SageMaker gave up waiting for the request")
_DENIED = _stop("access denied to endpoint `{endpoint}` in {region}", "")
_UNKNOWN_KEY = _stop(
    "AWS does not know the access key",
    "check the access key id, and that {region} is enabled for the account and belongs to its partition",
)
_EXPIRED = _stop("the AWS session has expired", "sign in again (`aws sso login`, or new keys), then " + hints.RUN_AGAIN)
_BAD_SIGNATURE = _stop(
    "AWS rejects the signature", "check the secret access key, and that this computer's clock is right"
)
_SKEWED = _stop("the time of the request is too far from AWS's", "set this computer's clock")
_UNSIGNED = _stop(
    "the request reached AWS without a whole signature", "check that no proxy or gateway before {url} drops headers"
)
_TOO_LARGE = Fault(
    Retry.NEVER,
    "the request body of {body_size:,} bytes is too large",
    "real-time endpoints take 25 MB (6 MB in older documents of AWS), serverless ones 4 MB, asynchronous ones 1 GB "
    "through S3 (`async:` with a `bucket`)",
)
_WRONG_ADDRESS = _stop("{url} does not answer InvokeEndpoint", "check the endpoint URL of the provider's settings")

FAULTS: Mapping[str, Fault] = {
    **dict.fromkeys(
        (
            "429",
            "BandwidthLimitExceeded",
            "EC2ThrottledException",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "ThrottledException",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        _THROTTLED,
    ),
    "ModelNotReadyException": Fault(
        Retry.LOADING, "the model behind `{endpoint}` is not ready yet", hints.STILL_LOADING
    ),
    **dict.fromkeys(("ServiceUnavailable", "ServiceUnavailableException", "502", "503", "504"), _UNAVAILABLE),
    **dict.fromkeys(
        ("InternalFailure", "InternalServerException", "InternalServerError", "InternalStreamFailure", "500"), _INTERNAL
    ),
    **dict.fromkeys(
        ("InternalDependencyException", "530"), Fault(Retry.COUNTED, "a service that SageMaker depends on failed")
    ),
    **dict.fromkeys(("RequestTimeout", "RequestTimeoutException", "408"), _TIMED_OUT),
    "ModelStreamError": Fault(Retry.COUNTED, "the stream of `{endpoint}` broke"),
    "ValidationError": Fault(Retry.NEVER, "SageMaker does not accept the request"),
    "ValidationException": Fault(Retry.NEVER, "SageMaker does not accept the request"),
    "400": Fault(Retry.NEVER, "the request was refused"),
    **dict.fromkeys(("AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedException"), _DENIED),
    **dict.fromkeys(("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId"), _UNKNOWN_KEY),
    **dict.fromkeys(sorted(EXPIRED), _EXPIRED),
    **dict.fromkeys(("InvalidSignatureException", "SignatureDoesNotMatch"), _BAD_SIGNATURE),
    **dict.fromkeys(("RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"), _SKEWED),
    **dict.fromkeys(
        ("IncompleteSignature", "MissingAuthenticationToken", "MissingAuthenticationTokenException"), _UNSIGNED
    ),
    "OptInRequired": _stop(
        "the AWS account may not use SageMaker in {region}", "enable the region or the service for the account"
    ),
    **dict.fromkeys(
        ("401", "403"),
        _stop(
            "{url} refused the call without an AWS error code",
            "look for a proxy, a firewall or the policy of a VPC endpoint on the way",
        ),
    ),
    **dict.fromkeys(("404", "405", "UnknownOperationException"), _WRONG_ADDRESS),
    "407": _stop(
        "the proxy asks for a name and a password", "put them into HTTPS_PROXY: `http://name:password@host:port`"
    ),
    **dict.fromkeys(("413", "RequestEntityTooLargeException", "RequestTooLargeException"), _TOO_LARGE),
    "ConnectionError": Fault(
        Retry.COUNTED, "cannot connect to {url}", "check the network, and HTTPS_PROXY and NO_PROXY where they are set"
    ),
    "DNSError": Fault(Retry.COUNTED, "the name in {url} cannot be resolved", "check the network and the region"),
    "ConnectTimeout": Fault(
        Retry.COUNTED, "no connection to {url} in time", "check the network; inside a VPC, its endpoint for SageMaker"
    ),
    "ReadTimeout": Fault(
        Retry.COUNTED, "no answer from `{endpoint}` within {timeout_ms:,.0f} ms", hints.THREE_WAYS_OUT
    ),
    "ConnectionClosed": Fault(Retry.COUNTED, "the connection to {url} was closed before the answer was complete"),
    "ProxyError": Fault(
        Retry.COUNTED, "cannot reach {url} through the proxy", "check HTTPS_PROXY, HTTP_PROXY and NO_PROXY"
    ),
    "SSLError": Fault(Retry.COUNTED, "no TLS connection to {url}", "check the proxy variables, and `https` in the URL"),
    "CertificateError": _stop(
        "the certificate of {url} is not trusted",
        "behind a proxy that inspects traffic, set AWS_CA_BUNDLE to the file with its certificate",
    ),
    "InvalidURL": _stop("{url} cannot be called", "check the endpoint URL of the provider's settings"),
    "BadResponse": Fault(
        Retry.COUNTED, "{url} did not answer in HTTP", "check what listens there, and the proxy variables"
    ),
}
"""Rows by error code. A code that is missing is judged by its HTTP status."""

_CREDENTIAL_ROWS = (_UNKNOWN_KEY, _EXPIRED, _BAD_SIGNATURE, _SKEWED, _UNSIGNED)


def classify(code: str, status: int | None, fields: Mapping[str, Any], context: FaultContext) -> EndpointFault:
    """The fault that an error code stands for.

    `fields` are the members of the error by their names in AWS's model (`Message`, `OriginalStatusCode`,
    `OriginalMessage`, `LogStreamArn`, `ErrorCode`) and `RequestId`; any may be missing, and `Message` may be None.
    """
    if code == "ModelError":
        return _model_fault(fields, context)
    row = _refined(code, FAULTS.get(code) or _by_status(status), fields, context)
    values = _values(context)
    meaning = row.meaning.format(**values)
    text = _service_text(row, fields)
    return EndpointFault(
        f"{meaning} ({code}): {text}" if text else f"{meaning} ({code})",
        code=code,
        retry=row.retry,
        stops_run=row.stops_run,
        hint=row.hint.format(**values) if row.hint else None,
        request_id=fields.get("RequestId"),
    )


def as_setup_error(fault: EndpointFault) -> SetupError:
    """The error that ends the run, for a fault that no other call could survive either."""
    return SetupError(fault.message, fault.hint)


def _values(context: FaultContext) -> dict[str, Any]:
    names = ("endpoint", "region", "url", "body_size", "timeout_ms")
    return {name: getattr(context, name) for name in names}


def _service_text(row: Fault, fields: Mapping[str, Any]) -> str:
    """What the service said. A refused signature is answered with the request it should sign, session token and all."""
    text = str(fields.get("Message") or "")
    return hints.one_line(_CANONICAL_REQUEST.sub("", text) if row in _CREDENTIAL_ROWS else text)


def _by_status(status: int | None) -> Fault:
    if status is None or status < 300:
        return Fault(Retry.NEVER, "the call failed")
    if status < 400:
        return _WRONG_ADDRESS
    if status == 429:
        return _THROTTLED
    return _INTERNAL if status >= 500 else Fault(Retry.NEVER, "the request was refused")


def _refined(code: str, row: Fault, fields: Mapping[str, Any], context: FaultContext) -> Fault:
    message = fields.get("Message")
    if code == "400" and "Message" in fields and message is None:
        return _THROTTLED  # bodies of throttled calls are seen with nothing but a null message in them
    if row is _DENIED:
        hint = hints.missing_permission(message or "", context.endpoint, context.region, context.account)
        return replace(row, hint=_literal(hint))
    if code == "DNSError":
        return _misspelled_region(row, context)
    if code == "ModelStreamError" and fields.get("ErrorCode") == "ModelInvocationTimeExceeded":
        meaning = "`{endpoint}` streamed for longer than SageMaker allows (8 minutes)"
        return replace(row, retry=Retry.NEVER, meaning=meaning, hint=hints.STREAM_TOO_LONG)
    if code in {"ValidationError", "ValidationException"}:
        return _validation(row, message or "", context)
    return row


def _validation(row: Fault, message: str, context: FaultContext) -> Fault:
    lowered = message.lower()
    if _NOT_FOUND.search(message):
        hint = hints.endpoint_not_found(context.region)
        return _stop("endpoint `{endpoint}` not found in {region}", _literal(hint))
    if "inference component name header is required" in lowered:
        hint = hints.component_required(context.endpoint, context.region)
        return _stop("endpoint `{endpoint}` needs the name of an inference component", _literal(hint))
    if "inference component" in lowered and "not allowed" in lowered:
        hint = "remove `inferenceComponentName` from the provider's config, or check that the endpoint is the right one"
        return _stop("endpoint `{endpoint}` hosts no inference components", hint)
    if "has no capacity" in lowered:
        meaning = "endpoint `{endpoint}` has no instance running"
        return replace(row, retry=Retry.LOADING, meaning=meaning, hint=hints.SCALED_TO_ZERO)
    if "accept_eula" in lowered or "accept the eula" in lowered:
        return _stop("the licence of the model behind `{endpoint}` has not been accepted", hints.ACCEPT_EULA)
    if "asynchronous" in lowered:
        return replace(row, hint=hints.ASYNC_ONLY)
    return row


def _misspelled_region(row: Fault, context: FaultContext) -> Fault:
    from sagemaker_eval.sagemaker.regions import nearest_region

    meant = nearest_region(context.region) if context.region in context.url else None
    if meant is None:
        return row
    return replace(row, hint=f"`{context.region}` is not a known region: did you mean `{meant}`?")


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _model_fault(fields: Mapping[str, Any], context: FaultContext) -> EndpointFault:
    reading = read_model_error(fields, context.endpoint, context.region, context.component)
    return EndpointFault(
        reading.message,
        code="ModelError",
        retry=reading.retry,
        stops_run=reading.stops_run,
        hint=reading.hint,
        request_id=fields.get("RequestId"),
        original_status=reading.status,
    )
