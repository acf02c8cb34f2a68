"""Calls to the services of AWS that speak its JSON protocol, signed and typed, without botocore's models of them.

The model of SageMaker's control plane alone takes longer to load than all the calls that are needed of it. Protocol:
"AWS JSON 1.1 protocol", Smithy specification; signature: SigV4, as botocore computes it.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.connections import ConnectionPool, Sender
from sagemaker_eval.sagemaker.faults import EXPIRED, FAULTS, FaultContext, classify
from sagemaker_eval.sagemaker.hints import one_line
from sagemaker_eval.sagemaker.service import parse_error
from sagemaker_eval.sagemaker.session import Target
from sagemaker_eval.sagemaker.wire import METHOD, UNSIGNED_HEADERS

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

TIMEOUT_MS = 5_000
"""What one call may take: these calls are a courtesy, and a run does not wait long for them."""

_ATTEMPTS = 3
_LONGEST_PAUSE_S = 2.0

_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "NotAuthorized", "UnauthorizedException"})
_NOT_FOUND = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_OTHER_SERVER = frozenset({"UnknownOperationException", "CertificateError", "InvalidURL"})
_RESOURCE = re.compile(r"on resource: (arn:\S+[^\s.,;:])")
_HIDDEN = "***"


class Trouble(StrEnum):
    """Why a call of this kind gave no answer, as far as it matters to whoever asked."""

    DENIED = "denied"
    """The caller is known, and may not do this."""
    NOT_FOUND = "not found"
    """What was asked about does not exist."""
    UNREACHABLE = "unreachable"
    """There is no way to the service, or something else is at its address."""
    SETUP = "setup"
    """The credentials are wrong or have expired: nobody would be answered."""
    FAILED = "failed"
    """Anything else, such as throttling that does not end."""


class ServiceFault(EndpointFault):
    """A call failed; `trouble` says in which way, `code` and `message` are those of the service or of the network."""

    def __init__(self, trouble: Trouble, message: str, *, code: str, hint: str | None, retry: Retry) -> None:
        super().__init__(message, code=code, hint=hint, retry=retry, stops_run=trouble is Trouble.SETUP)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Service:
    """A service by the names that its protocol needs. `region` is the one that calls are signed for."""

    name: str
    url: str
    region: str
    signing_name: str
    target_prefix: str


class JsonService:
    """One service, asked with the credentials of a target. Throttling and failures of the service are tried again."""

    def __init__(
        self,
        service: Service,
        target: Target,
        pool: ConnectionPool,
        timeout_ms: float = TIMEOUT_MS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.service = service
        self._credentials = target.credentials
        self._sender = Sender(pool, timeout_ms, ca_bundle=target.ca_bundle)
        self._context = FaultContext(endpoint="", region=service.region, url=service.url, timeout_ms=timeout_ms)
        self._sleep = sleep

    async def call(self, operation: str, payload: Mapping[str, Json]) -> dict[str, Json]:
        """The members of the answer. Raises `ServiceFault`, and `SetupError` where there are no credentials."""
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.25, max=_LONGEST_PAUSE_S),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )
        return await retrying(self._once, operation, json.dumps(payload).encode())

    async def _once(self, operation: str, body: bytes) -> dict[str, Json]:
        credentials = await self._credentials.fresh()
        try:
            return await self._sent(operation, body, credentials)
        except ServiceFault as fault:
            if fault.code not in EXPIRED:
                raise
            renewed = await self._credentials.renew(credentials)
            if renewed is None:
                raise
        return await self._sent(operation, body, renewed)

    async def _sent(self, operation: str, body: bytes, credentials: ReadOnlyCredentials) -> dict[str, Json]:
        try:
            status, headers, content, _ = await self._sender.post(
                f"{self.service.url}/", self._headers(operation, body, credentials), body
            )
        except Exception as error:
            fault = self._unreachable(error)
            if fault is None:
                raise
            raise fault from error
        if status >= 300:
            raise self._refusal(operation, status, headers, content)
        return self._document(content)

    def _headers(self, operation: str, body: bytes, credentials: ReadOnlyCredentials) -> dict[str, str]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        service = self.service
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{service.target_prefix}.{operation}",
        }
        request = AWSRequest(method=METHOD, url=f"{service.url}/", headers=headers, data=body)
        SigV4Auth(credentials, service.signing_name, service.region).add_auth(request)
        return {**dict(request.headers.items()), **UNSIGNED_HEADERS}

    def _document(self, content: bytes) -> dict[str, Json]:
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            document = None
        if isinstance(document, dict):
            return document
        raise strange_answer(self.service.name, self.service.url)

    def _refusal(self, operation: str, status: int, headers: Mapping[str, str], content: bytes) -> ServiceFault:
        error = parse_error(status, headers, content)
        text = self._blotted(str(error.fields.get("Message") or ""))
        trouble = _trouble(error.code, status, text)
        if trouble is Trouble.DENIED:
            return self._denial(operation, error.code, text)
        if trouble is Trouble.NOT_FOUND:
            message = f"{operation}: {one_line(text)}"
            return ServiceFault(trouble, message, code=error.code, hint=None, retry=Retry.NEVER)
        told = classify(error.code, status, {"Message": text}, self._context)
        hint = told.hint if trouble is Trouble.SETUP else None
        return ServiceFault(trouble, told.message, code=error.code, hint=hint, retry=told.retry)

    def _denial(self, operation: str, code: str, text: str) -> ServiceFault:
        action = f"{self.service.signing_name}:{operation}"
        named = _RESOURCE.search(text)
        statement = {"Effect": "Allow", "Action": action, "Resource": named[1] if named else "*"}
        return ServiceFault(
            Trouble.DENIED,
            f"the caller may not `{action}` ({code}): {one_line(text)}",
            code=code,
            hint=f"the IAM policy of the caller must include {json.dumps(statement)}",
            retry=Retry.NEVER,
        )

    def _unreachable(self, error: Exception) -> ServiceFault | None:
        from sagemaker_eval.sagemaker.network import network_code, reason_of

        code = network_code(error)
        if code is None:
            return None
        reason = reason_of(error) or code
        return ServiceFault(
            Trouble.UNREACHABLE,
            f"no answer from {self.service.name} at {self.service.url} ({code}): {reason}",
            code=code,
            hint="check the network, and HTTPS_PROXY and NO_PROXY where they are set",
            retry=Retry.NEVER,
        )

    def _blotted(self, text: str) -> str:
        for secret in self._credentials.secrets:
            text = text.replace(secret, _HIDDEN)
        return text


def strange_answer(service: str, url: str) -> ServiceFault:
    """What to raise where an answer is not of the form that answers of the service have."""
    return ServiceFault(
        Trouble.UNREACHABLE,
        f"{url} did not answer as {service} does",
        code="BadResponse",
        hint="check what listens there, and the proxy variables",
        retry=Retry.NEVER,
    )


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ServiceFault) and error.retry in {Retry.COUNTED, Retry.PATIENT}


def _trouble(code: str, status: int, text: str) -> Trouble:
    if code in _DENIED:
        return Trouble.DENIED
    if code in _NOT_FOUND or "could not find" in text.lower():
        return Trouble.NOT_FOUND
    if code in _OTHER_SERVER or (code.isdigit() and 300 <= status < 500 and status != 429):
        return Trouble.UNREACHABLE
    row = FAULTS.get(code)
    return Trouble.SETUP if row is not None and row.stops_run else Trouble.FAILED
