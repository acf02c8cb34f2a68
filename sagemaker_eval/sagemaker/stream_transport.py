"""The way to the service and back for answers that come piece by piece (InvokeEndpointWithResponseStream)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.connections import ConnectionPool, Sender
from sagemaker_eval.sagemaker.event_stream import MEDIA_TYPE, Frames
from sagemaker_eval.sagemaker.faults import classify
from sagemaker_eval.sagemaker.signed_calls import SignedCalls, told_by
from sagemaker_eval.sagemaker.transport import DEFAULT_TIMEOUT_MS
from sagemaker_eval.sagemaker.wire import SignedRequest

if TYPE_CHECKING:
    import aiohttp

STREAM_LIMIT_MS = 490_000
"""Outlasts the 8 minutes that SageMaker gives a stream, so that its own word on the end is heard."""

_MS = 1000


class Decoder(Protocol):
    """Reads the payload of one stream while it comes; `formats.streams.StreamDecoder` is one."""

    def feed(self, data: bytes) -> int:
        """How many pieces of generated text these bytes complete. Raises `EndpointFault`."""
        ...

    def close(self) -> object:
        """Raises `EndpointFault` where the answer is not complete."""
        ...


class Pace:
    """When the pieces of a stream came, in s of the clock."""

    def __init__(self) -> None:
        self._pieces = 0
        self._first = 0.0
        self._last = 0.0

    def add(self, pieces: int, now: float) -> None:
        """These many pieces were complete `now`; 0 changes nothing."""
        if pieces:
            self._first = self._first if self._pieces else now
            self._last = now
            self._pieces += pieces

    def timings(self, started: float, ended: float) -> Timings:
        """The times of the whole stream, in ms."""
        wire = (ended - started) * _MS
        return Timings(
            wire=wire,
            first_token=(self._first - started) * _MS if self._pieces else None,
            inter_token=(self._last - self._first) * _MS / (self._pieces - 1) if self._pieces > 1 else None,
            total=wire,
        )


class StreamTransport:
    """An `Invoke` that signs, sends once and reads the stream to its end; only complete answers are answers.

    `timeout_ms` is the longest silence, before the first byte and between any two; a stream as a whole has `limit_ms`.
    Raises `EndpointFault` for every failure, those that the service or the container report within the stream among
    them, and `SetupError` where there are no credentials to sign with.
    """

    def __init__(
        self,
        signed: SignedCalls,
        pool: ConnectionPool,
        decoder: Callable[[str], Decoder],
        *,
        ca_bundle: str | None = None,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        limit_ms: float = STREAM_LIMIT_MS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._signed = signed
        self._sender = Sender(pool, timeout_ms, ca_bundle=ca_bundle, clock=clock)
        self._decoder = decoder
        self._limit_ms = limit_ms
        self._clock = clock

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt: its body is all payload that came, `timings` run from just before sending."""
        return await self._signed.make(request, lambda signed: self._sent(signed, request))

    async def make_ready(self, request: Request) -> None:
        """Credentials, libraries, route and session, so that nothing keeps a call from going out once it is made."""
        signed = await self._signed.sign(request)
        self._sender.make_ready(signed.url)

    async def _sent(self, signed: SignedRequest, request: Request) -> Answer:
        limit = asyncio.timeout(self._limit_ms / _MS)
        try:
            async with limit:
                return await self._exchange(signed, request)
        except EndpointFault:
            raise
        except Exception as error:
            fault = self._overdue(request) if limit.expired() else self._signed.network_fault(error, request)
            if fault is None:
                raise
            raise fault from error

    async def _exchange(self, signed: SignedRequest, request: Request) -> Answer:
        started = self._clock()
        async with self._sender.open(signed.url, signed.headers, signed.body) as response:
            if response.status >= 300:
                raise self._signed.service_fault(response.status, response.headers, await response.read(), request)
            try:
                return await self._read(response, started, request)
            except EndpointFault as fault:
                fault.request_id = fault.request_id or response.headers.get("x-amzn-RequestId")
                raise

    async def _read(self, response: aiohttp.ClientResponse, started: float, request: Request) -> Answer:
        headers = response.headers
        _check_media_type(headers.get("Content-Type", MEDIA_TYPE), self._signed.wire.target.url)
        content_type = headers.get("X-Amzn-SageMaker-Content-Type", "")
        decoder, pace, body = self._decoder(content_type), Pace(), bytearray()
        frames = Frames(lambda code, payload: self._reported(code, payload, request))
        async for data in response.content.iter_any():
            now = self._clock()
            for payload in frames.feed(data):
                body += payload
                pace.add(decoder.feed(payload), now)
        ended = self._clock()
        frames.close()
        decoder.close()
        return Answer(
            body=bytes(body),
            content_type=content_type,
            status=response.status,
            variant=headers.get("x-Amzn-Invoked-Production-Variant"),
            request_id=headers.get("x-amzn-RequestId"),
            timings=pace.timings(started, ended),
            told=told_by(headers),
        )

    def _reported(self, code: str, payload: bytes, request: Request) -> EndpointFault:
        """The fault of an error that the service reports in the stream; one that is not known is a failure of its."""
        return self._signed.service_fault(500, {"x-amzn-ErrorType": code}, payload, request)

    def _overdue(self, request: Request) -> EndpointFault:
        fields = {"ErrorCode": "ModelInvocationTimeExceeded"}
        return classify("ModelStreamError", None, fields, self._signed.context(request))


def _check_media_type(media_type: str, url: str) -> None:
    if media_type.partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise EndpointFault(
            f"{url} answered `{media_type}` where a stream was asked for",
            code="NoEventStream",
            retry=Retry.NEVER,
            hint="what stands behind this URL does not know InvokeEndpointWithResponseStream: leave out `stream`",
        )
