"""The way to the service and back: an `Invoke` over the connections of a run, one for each provider."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.connections import CONNECT_TIMEOUT_S, ConnectionPool, Sender
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.faults import FaultContext, classify
from sagemaker_eval.sagemaker.service import parse_error
from sagemaker_eval.sagemaker.wire import Wire

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

__all__ = ["CONNECT_TIMEOUT_S", "DEFAULT_TIMEOUT_MS", "ConnectionPool", "Transport"]

DEFAULT_TIMEOUT_MS = 80_000
"""Outlasts the 60 s that SageMaker gives a model: a client that gives up first has the answer computed twice."""

_HIDDEN = "***"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Transport:
    """An `Invoke` that signs, sends once and reads the answer; nothing here tries again.

    Raises `EndpointFault` for every failure of the call (`stops_run` marks what the caller turns into a
    `SetupError`), and `SetupError` where there are no credentials to sign with.
    """

    def __init__(
        self,
        wire: Wire,
        credentials: CredentialSource,
        pool: ConnectionPool,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._wire = wire
        self._credentials = credentials
        self._sender = Sender(pool, timeout_ms, ca_bundle=wire.target.ca_bundle, clock=clock)
        self._timeout_ms = timeout_ms
        self._now = now

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt; `timings.wire` runs from just before sending to the last byte read."""
        credentials = await self._credentials.fresh()
        signed = self._wire.sign(request, credentials, self._now())
        try:
            status, headers, body, wire = await self._sender.post(signed.url, signed.headers, signed.body)
        except Exception as error:
            fault = self._network_fault(error, request)
            if fault is None:
                raise
            raise fault from error
        if status >= 300:
            raise self._service_fault(status, headers, body, request, credentials)
        return Answer(
            body=body,
            content_type=headers.get("Content-Type", ""),
            status=status,
            variant=headers.get("x-Amzn-Invoked-Production-Variant"),
            request_id=headers.get("x-amzn-RequestId"),
            timings=Timings(wire=wire, total=wire),
        )

    async def make_ready(self, request: Request) -> None:
        """Credentials, libraries, route and session, so that nothing keeps a call from going out once it is made."""
        signed = self._wire.sign(request, await self._credentials.fresh(), self._now())
        self._sender.make_ready(signed.url)

    def _network_fault(self, error: Exception, request: Request) -> EndpointFault | None:
        from sagemaker_eval.sagemaker.network import network_fault

        return network_fault(error, self._context(request))

    def _service_fault(
        self, status: int, headers: Mapping[str, str], body: bytes, request: Request, credentials: ReadOnlyCredentials
    ) -> EndpointFault:
        error = parse_error(status, headers, body)
        fields = {name: _without_secrets(value, credentials) for name, value in error.fields.items()}
        return classify(error.code, status, {**fields, "RequestId": error.request_id}, self._context(request))

    def _context(self, request: Request) -> FaultContext:
        target = self._wire.target
        kind, _, account = target.identity.partition(":")
        return FaultContext(
            endpoint=request.endpoint,
            region=target.region,
            url=target.url,
            body_size=len(request.body),
            timeout_ms=self._timeout_ms,
            account=account if kind == "account" else None,
        )


def _without_secrets(value: Any, credentials: ReadOnlyCredentials) -> Any:
    """`value` with what must never be shown blotted out: services and proxies quote the request that they refuse."""
    if isinstance(value, str):
        for secret in (credentials.secret_key, credentials.token):
            if secret:
                value = value.replace(secret, _HIDDEN)
    return value
