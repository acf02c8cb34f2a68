"""The way to the service and back: an `Invoke` over the connections of a run, one for each provider."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.connections import CONNECT_TIMEOUT_S, ConnectionPool, Sender
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.signed_calls import SignedCalls, told_by, utc_now
from sagemaker_eval.sagemaker.wire import SignedRequest, Wire

__all__ = ["CONNECT_TIMEOUT_S", "DEFAULT_TIMEOUT_MS", "ConnectionPool", "Transport"]

DEFAULT_TIMEOUT_MS = 80_000
"""Outlasts the 60 s that SageMaker gives a model: a client that gives up first has the answer computed twice."""


class Transport:
    """An `Invoke` that signs, sends once and reads the answer; only for expired credentials it sends a second time.

    Raises `EndpointFault` for every failure of the call (`stops_run` marks what the caller turns into a
    `SetupError`), and `SetupError` where there are no credentials to sign with. A call that timed out is closed, so
    that an answer which comes too late is taken by nobody.
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
        self._signed = SignedCalls(wire, credentials, timeout_ms, now)
        self._sender = Sender(pool, timeout_ms, ca_bundle=wire.target.ca_bundle, clock=clock)

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt; `timings.wire` runs from just before sending to the last byte read."""
        return await self._signed.make(request, lambda signed: self._sent(signed, request))

    async def _sent(self, signed: SignedRequest, request: Request) -> Answer:
        try:
            status, headers, body, wire = await self._sender.post(signed.url, signed.headers, signed.body)
        except Exception as error:
            fault = self._signed.network_fault(error, request)
            if fault is None:
                raise
            raise fault from error
        if status >= 300:
            raise self._signed.service_fault(status, headers, body, request)
        return Answer(
            body=body,
            content_type=headers.get("Content-Type", ""),
            status=status,
            variant=headers.get("x-Amzn-Invoked-Production-Variant"),
            request_id=headers.get("x-amzn-RequestId"),
            timings=Timings(wire=wire, total=wire),
            told=told_by(headers),
        )

    async def make_ready(self, request: Request) -> None:
        """Credentials, libraries, route and session, so that nothing keeps a call from going out once it is made."""
        signed = await self._signed.sign(request)
        self._sender.make_ready(signed.url)
