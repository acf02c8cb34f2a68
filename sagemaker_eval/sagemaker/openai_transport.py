"""The way to an endpoint over its OpenAI path: chat completions with a bearer token, in one piece or streamed.

The path serves nothing but `chat/completions`, takes no signature, and names an inference component in itself; what
the container sends goes through as it is, server-sent events included.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

import msgspec

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request
from sagemaker_eval.sagemaker.bearer_token import BearerTokens
from sagemaker_eval.sagemaker.connections import Sender
from sagemaker_eval.sagemaker.faults import EXPIRED, classify
from sagemaker_eval.sagemaker.openai_faults import openai_fault
from sagemaker_eval.sagemaker.signed_calls import SignedCalls, check_payload
from sagemaker_eval.sagemaker.stream_transport import STREAM_LIMIT_MS, Decoder, Pace
from sagemaker_eval.sagemaker.wire import UNSIGNED_HEADERS

if TYPE_CHECKING:
    import aiohttp

_COMPONENT = "InferenceComponentName"


class _Chat(NamedTuple):
    """A request as it goes out: `body` names a model, `streamed` says whether it asks for a stream."""

    url: str
    body: bytes
    streamed: bool


class OpenAiTransport:
    """An `Invoke` that sends a chat completion once; a body with `"stream": true` is answered by a stream.

    The answer's body is what the container sent, all events of a stream; only complete streams are answers. A body
    without a `model` is sent with an empty one: the path asks for the key, and containers take that for the model
    they have. Where AWS finds the token expired, the credentials are renewed and the call is made once more.
    A stream as a whole has `limit_ms`, and no silence may last longer than the sender's time limit.
    Raises `EndpointFault` for every failure of the call, and `SetupError` where there are no credentials.
    """

    def __init__(
        self,
        signed: SignedCalls,
        sender: Sender,
        tokens: BearerTokens,
        decoder: Callable[[str], Decoder],
        limit_ms: float = STREAM_LIMIT_MS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._signed = signed
        self._sender = sender
        self._tokens = tokens
        self._decoder = decoder
        self._limit_ms = limit_ms
        self._clock = clock

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt; `timings` run from just before sending to the last byte read."""
        chat = self._chat(request)
        token = await self._tokens.fresh()
        try:
            return await self._sent(chat, token, request)
        except EndpointFault as fault:
            if fault.code not in EXPIRED:
                raise
            renewed = await self._tokens.renewed(token)
            if renewed is None:
                raise
        try:
            return replace(await self._sent(chat, renewed, request), attempts=2)
        except EndpointFault as fault:
            fault.attempts = 2
            raise

    async def make_ready(self, request: Request) -> None:
        """Token, libraries, route and session, so that nothing keeps a call from going out once it is made."""
        url = self.url(request)
        await self._tokens.fresh()
        self._sender.make_ready(url)

    def url(self, request: Request) -> str:
        """Where a request goes. Raises `EndpointFault` for members that this path does not take."""
        members = dict(request.routing)
        component = members.pop(_COMPONENT, None)
        if members:
            raise EndpointFault(
                f"the OpenAI path of an endpoint does not take {', '.join(f'`{name}`' for name in sorted(members))}",
                code="ParamValidation",
                hint="leave it out, or leave out `transport: openai`, for InvokeEndpoint takes it",
            )
        within = f"/inference-components/{quote(component, safe='')}" if component else ""
        base = f"{self._signed.wire.target.url}/endpoints/{quote(request.endpoint, safe='')}"
        return f"{base}{within}/openai/v1/chat/completions"

    def _chat(self, request: Request) -> _Chat:
        try:
            check_payload(request)
            url = self.url(request)
        except EndpointFault as fault:
            fault.attempts = 0
            raise
        body, streamed = with_model(request.body)
        return _Chat(url, body, streamed)

    async def _sent(self, chat: _Chat, token: str, request: Request) -> Answer:
        limit = asyncio.timeout(self._limit_ms / 1000)
        try:
            async with limit:
                return await self._exchange(chat, token, request)
        except EndpointFault:
            raise
        except Exception as error:
            fault = self._overdue(request) if limit.expired() else self._signed.network_fault(error, request)
            if fault is None:
                raise
            raise fault from error

    async def _exchange(self, chat: _Chat, token: str, request: Request) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **UNSIGNED_HEADERS}
        if request.accept:  # of streams too: OpenAI's own clients say so
            headers["Accept"] = request.accept
        started = self._clock()
        async with self._sender.open(chat.url, headers, chat.body) as response:
            if response.status >= 300:
                context, secrets = self._signed.context(request), self._tokens.secrets
                raise openai_fault(response.status, response.headers, await response.read(), context, secrets)
            try:
                return await self._read(response, chat.streamed, started)
            except EndpointFault as fault:
                fault.request_id = fault.request_id or response.headers.get("x-amzn-RequestId")
                raise

    async def _read(self, response: aiohttp.ClientResponse, streamed: bool, started: float) -> Answer:
        headers = response.headers
        content_type = headers.get("Content-Type", "")
        pace = Pace()
        body = await self._read_stream(response, content_type, pace) if streamed else await response.read()
        return Answer(
            body=body,
            content_type=content_type,
            status=response.status,
            variant=headers.get("x-Amzn-Invoked-Production-Variant"),
            request_id=headers.get("x-amzn-RequestId") or headers.get("X-Request-Id"),
            timings=pace.timings(started, self._clock()),
        )

    async def _read_stream(self, response: aiohttp.ClientResponse, content_type: str, pace: Pace) -> bytes:
        decoder, body = self._decoder(content_type), bytearray()
        async for data in response.content.iter_any():
            now = self._clock()
            body += data
            pace.add(decoder.feed(data), now)
        decoder.close()
        return bytes(body)

    def _overdue(self, request: Request) -> EndpointFault:
        fields = {"ErrorCode": "ModelInvocationTimeExceeded"}
        return classify("ModelStreamError", None, fields, self._signed.context(request))


def with_model(body: bytes) -> tuple[bytes, bool]:
    """The body with a `model` in it, and whether it asks for a stream; one that is no JSON object stays as it is."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body, False
    if not isinstance(document, dict):
        return body, False
    streamed = document.get("stream") is True
    if "model" in document:
        return body, streamed
    rest = body.lstrip()[1:]
    return b'{"model":""' + (b"," if document else b"") + rest, streamed
