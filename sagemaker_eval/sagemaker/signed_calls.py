"""What every signed way to the service has in common: size, signature, renewal of credentials, and faults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Operation, Request
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.faults import EXPIRED, FaultContext, classify
from sagemaker_eval.sagemaker.service import parse_error
from sagemaker_eval.sagemaker.wire import SignedRequest, Wire

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

T = TypeVar("T")

MAX_PAYLOAD = 25 * 1024 * 1024
"""Bytes that InvokeEndpoint takes, with and without a response stream ("Amazon SageMaker AI FAQ": 25 MB)."""

MAX_SERVERLESS_PAYLOAD = 4 * 1024 * 1024
"""Bytes that a serverless endpoint takes ("Amazon SageMaker AI FAQ": 4 MB)."""

MAX_INLINE_PAYLOAD = 128_000
"""Bytes that InvokeEndpointAsync takes in the request itself (API reference of the operation)."""

_TOLD = {
    "X-Amzn-SageMaker-Custom-Attributes": "customAttributes",
    "X-Amzn-SageMaker-New-Session-Id": "newSessionId",
    "X-Amzn-SageMaker-Closed-Session-Id": "closedSessionId",
}
"""Headers of answers besides variant and request id, and the keys that documents have for them."""

_HIDDEN = "***"


def utc_now() -> datetime:
    return datetime.now(UTC)


class SignedCalls:
    """Signs the calls of one provider and tells what their failures mean; what is sent is up to `once`.

    `timeout_ms` is what the message of a timeout names. Nothing here tries again, but for credentials that ran out.
    """

    def __init__(
        self, wire: Wire, credentials: CredentialSource, timeout_ms: float, now: Callable[[], datetime] = utc_now
    ) -> None:
        self.wire = wire
        self._credentials = credentials
        self._timeout_ms = timeout_ms
        self._now = now

    async def make(self, request: Request, once: Callable[[SignedRequest], Awaitable[T]]) -> T:
        """What `once` makes of the signed request, which it sends in one HTTP exchange or fails with `EndpointFault`.

        Where the service finds the credentials expired, they are renewed and the call is made once more; an answer
        or a fault of that second call has 2 `attempts`. Raises `EndpointFault`, with 0 `attempts` where nothing was
        sent, and `SetupError` where there are no credentials to sign with.
        """
        credentials = await self._credentials.fresh()
        signed = self._signed(request, credentials)
        try:
            return await once(signed)
        except EndpointFault as fault:
            if fault.code not in EXPIRED:
                raise
            renewed = await self._credentials.renew(credentials)
            if renewed is None:
                raise
        return await self._again(request, once, renewed)

    async def _again(
        self, request: Request, once: Callable[[SignedRequest], Awaitable[T]], renewed: ReadOnlyCredentials
    ) -> T:
        try:
            result = await once(self._signed(request, renewed))
        except EndpointFault as fault:
            fault.attempts = 2
            raise
        return replace(result, attempts=2) if isinstance(result, Answer) else result

    async def sign(self, request: Request) -> SignedRequest:
        """The signed request. Raises `EndpointFault` for what cannot be sent, and `SetupError` as `make`."""
        return self._signed(request, await self._credentials.fresh())

    def _signed(self, request: Request, credentials: ReadOnlyCredentials) -> SignedRequest:
        try:
            check_payload(request)
            return self.wire.sign(request, credentials, self._now())
        except EndpointFault as fault:
            fault.attempts = 0
            raise

    def service_fault(self, status: int, headers: Mapping[str, str], body: bytes, request: Request) -> EndpointFault:
        """The fault that an HTTP answer of 300 or above stands for; secrets in its message are blotted out."""
        error = parse_error(status, headers, body)
        secrets = self._credentials.secrets
        fields = {name: _without_secrets(value, secrets) for name, value in error.fields.items()}
        return classify(error.code, status, {**fields, "RequestId": error.request_id}, self.context(request))

    def network_fault(self, error: BaseException, request: Request) -> EndpointFault | None:
        """The fault that an exception of the HTTP client stands for, None for an exception that is no such failure."""
        from sagemaker_eval.sagemaker.network import network_fault

        return network_fault(error, self.context(request))

    def context(self, request: Request) -> FaultContext:
        """What the fault table is told of the call."""
        target = self.wire.target
        kind, _, account = target.identity.partition(":")
        return FaultContext(
            endpoint=request.endpoint,
            region=target.region,
            url=target.url,
            body_size=len(request.body),
            timeout_ms=self._timeout_ms,
            account=account if kind == "account" else None,
            component=next((value for name, value in request.routing if name == "InferenceComponentName"), None),
        )


def told_by(headers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """What the headers of an answer tell besides variant and request id, for `Answer.told`. Names in any case."""
    return tuple((key, headers[name]) for name, key in _TOLD.items() if name in headers)


def check_payload(request: Request) -> None:
    """Raises `EndpointFault` for a body that is larger than its operation takes, before anything is sent."""
    size = len(request.body)
    if size <= MAX_INLINE_PAYLOAD:
        return
    if request.operation is not Operation.ASYNC:
        if size > MAX_PAYLOAD:
            raise _too_large(size, MAX_PAYLOAD, "shorten the prompt, or set `async: {bucket: …}`, which takes 1 GB")
    elif all(name != "InputLocation" for name, _ in request.routing):
        raise _too_large(size, MAX_INLINE_PAYLOAD, "set `async: {bucket: …}`: through S3 a request may have 1 GB")


def check_serverless_payload(request: Request) -> None:
    """Raises `EndpointFault` for a body that is larger than a serverless endpoint takes, before anything is sent."""
    if len(request.body) > MAX_SERVERLESS_PAYLOAD:
        fault = _too_large(len(request.body), MAX_SERVERLESS_PAYLOAD, "shorten the prompt, or deploy on instances")
        fault.attempts = 0
        raise fault


def _too_large(size: int, limit: int, hint: str) -> EndpointFault:
    return EndpointFault(
        f"the request body of {size:,} bytes is too large: SageMaker takes {limit:,} bytes (413)", code="413", hint=hint
    )


def _without_secrets(value: Any, secrets: frozenset[str]) -> Any:
    """`value` with what must never be shown blotted out: services and proxies quote the request that they refuse."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _HIDDEN)
    return value
