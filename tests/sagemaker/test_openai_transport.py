from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from aiohttp import web
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.formats.streams import StreamDecoder
from sagemaker_eval.model import Operation, Request
from sagemaker_eval.sagemaker.bearer_token import PREFIX, BearerTokens
from sagemaker_eval.sagemaker.connections import ConnectionPool, Sender
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.openai_transport import OpenAiTransport, with_model
from sagemaker_eval.sagemaker.session import Target
from sagemaker_eval.sagemaker.signed_calls import SignedCalls
from sagemaker_eval.sagemaker.wire import Wire

CHAT = b'{"messages": [{"role": "user", "content": "hi"}]}'
DOCUMENT = b'{"choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}'
PIECES = [
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"hel"}}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]
Reply = web.Response | list[bytes]


def chat(body: bytes = CHAT, **members: str) -> Request:
    return Request("ep", body, routing=tuple(sorted(members.items())), operation=Operation.OPENAI)


def error(status: int, message: str, kind: str = "") -> web.Response:
    return web.json_response({"error": {"message": message, "type": kind}}, status=status)


@dataclass
class Server:
    """The OpenAI path of an endpoint: `replies` in their order, a list of pieces being a stream."""

    replies: list[Reply] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, incoming: web.Request) -> web.StreamResponse:
        self.paths.append(incoming.raw_path)
        self.heads.append({name.lower(): value for name, value in incoming.headers.items()})
        self.bodies.append(await incoming.read())
        reply = self.replies.pop(0) if self.replies else web.Response(body=DOCUMENT, content_type="application/json")
        if isinstance(reply, web.Response):
            return reply
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "x-amzn-RequestId": "id-1"})
        await response.prepare(incoming)
        for piece in reply:
            await response.write(piece)
        return response

    @asynccontextmanager
    async def transport(self, walks: int = 1, **options: Any) -> AsyncIterator[OpenAiTransport]:
        app = web.Application()
        app.router.add_post("/{path:.*}", self.serve)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        keys = count(1)
        source = CredentialSource(lambda: Credentials(f"AKIA{min(next(keys), walks)}", "very-secret"))
        target = Target(url, "us-west-2", "account:111111111111", source)
        pool = ConnectionPool(8, proxies=False)
        signed = SignedCalls(Wire(target), source, 5_000)
        try:
            tokens = BearerTokens(source, target.region)
            yield OpenAiTransport(signed, Sender(pool, 5_000), tokens, StreamDecoder, **options)
        finally:
            await pool.close()
            await runner.cleanup()

    def tell(self, story: Callable[[OpenAiTransport], Awaitable[None]], **options: Any) -> None:
        async def telling() -> None:
            async with self.transport(**options) as transport:
                await story(transport)

        asyncio.run(telling())

    def fault(self, request: Request | None = None, **options: Any) -> EndpointFault:
        caught: list[EndpointFault] = []

        async def story(transport: OpenAiTransport) -> None:
            with pytest.raises(EndpointFault) as raised:
                await transport(request or chat())
            caught.append(raised.value)

        self.tell(story, **options)
        return caught[0]


def test_a_chat_is_sent_with_a_token_and_answered() -> None:
    server = Server()

    async def story(transport: OpenAiTransport) -> None:
        answer = await transport(chat())
        assert (answer.body, answer.status) == (DOCUMENT, 200)
        assert answer.content_type.startswith("application/json")
        assert (answer.timings.wire, answer.timings.total) == (250.0, 250.0)
        assert answer.timings.first_token is None

    server.tell(story, clock=count(5.0, 0.25).__next__)
    assert server.paths == ["/endpoints/ep/openai/v1/chat/completions"]
    head = server.heads[0]
    assert head["authorization"].startswith(f"Bearer {PREFIX}")
    assert (head["content-type"], head["accept"]) == ("application/json", "application/json")
    assert not any(name.startswith("x-amz") for name in head)


def test_a_stream_is_put_together_and_timed() -> None:
    server = Server(replies=[PIECES])
    ticks = count(0.0, 1.0)

    async def story(transport: OpenAiTransport) -> None:
        answer = await transport(chat(b'{"stream": true, "messages": []}'))
        assert answer.body == b"".join(PIECES)
        assert (answer.content_type, answer.request_id) == ("text/event-stream", "id-1")
        timings = answer.timings
        assert timings.first_token is not None and 0 < timings.first_token <= timings.wire

    server.tell(story, clock=ticks.__next__)
    assert json.loads(server.bodies[0]) == {"model": "", "stream": True, "messages": []}


def test_a_stream_without_its_end_is_no_answer() -> None:
    fault = Server(replies=[PIECES[:2]]).fault(chat(b'{"stream":true}'))
    assert (fault.code, fault.retry, fault.request_id) == ("StreamTruncated", Retry.COUNTED, "id-1")


def test_an_error_within_the_stream_is_a_fault() -> None:
    reply: list[Reply] = [[PIECES[0], b'data: {"error": {"message": "out of memory", "code": 500}}\n\n']]
    assert "out of memory" in str(Server(replies=reply).fault(chat(b'{"stream":true}')))


def test_a_stream_that_takes_too_long_is_a_fault() -> None:
    assert Server().fault(chat(b'{"stream":true}'), limit_ms=0).code == "ModelStreamError"


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        (b'{"messages": []}', b'{"model":"","messages": []}'),
        (b' \n{ "a":1}', b'{"model":"", "a":1}'),
        (b"{}", b'{"model":""}'),
        (b'{"model": "lmi"}', b'{"model": "lmi"}'),
        (b'{"model": null}', b'{"model": null}'),
        (b"[1]", b"[1]"),
        (b"no json", b"no json"),
        (b"\xff", b"\xff"),
    ],
)
def test_a_chat_names_a_model_if_only_an_empty_one(body: bytes, sent: bytes) -> None:
    server = Server()

    async def story(transport: OpenAiTransport) -> None:
        await transport(chat(body))

    server.tell(story)
    assert server.bodies == [sent]


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.lists(st.booleans())), st.integers(0, 4))
def test_a_body_is_the_same_chat_with_a_model(document: dict[str, Any], indent: int) -> None:
    body = b" \n" + json.dumps(document, indent=indent).encode()
    named, _ = with_model(body)
    assert json.loads(named) == {"model": "", **document}


@pytest.mark.parametrize(
    ("body", "streamed"), [(b'{"stream":true}', True), (b'{"stream":false}', False), (b'{"stream":1}', False)]
)
def test_only_true_asks_for_a_stream(body: bytes, streamed: bool) -> None:
    assert with_model(body)[1] is streamed


def test_a_component_goes_into_the_path() -> None:
    server = Server()

    async def story(transport: OpenAiTransport) -> None:
        await transport(chat(InferenceComponentName="my component/1"))

    server.tell(story)
    assert server.paths == ["/endpoints/ep/inference-components/my%20component%2F1/openai/v1/chat/completions"]


def test_other_members_are_refused_before_anything_is_sent() -> None:
    server = Server()
    fault = server.fault(chat(InferenceComponentName="c", TargetVariant="blue", SessionId="s"))
    assert (fault.code, fault.attempts) == ("ParamValidation", 0)
    assert str(fault) == "the OpenAI path of an endpoint does not take `SessionId`, `TargetVariant`"
    assert server.paths == []


def test_a_body_that_is_too_large_is_not_sent() -> None:
    server = Server()
    fault = server.fault(chat(b" " * (25 * 1024 * 1024 + 1)))
    assert (fault.code, fault.attempts, server.paths) == ("413", 0, [])


def test_an_expired_token_is_renewed_once() -> None:
    expired = error(403, "The bearer token included in the request is expired")
    server = Server(replies=[expired])

    async def story(transport: OpenAiTransport) -> None:
        answer = await transport(chat())
        assert (answer.body, answer.attempts) == (DOCUMENT, 2)

    server.tell(story, walks=2)
    first, second = (head["authorization"] for head in server.heads)
    assert first != second


def test_a_token_that_stays_expired_stops_the_run() -> None:
    def expired() -> web.Response:
        return error(403, "The token is expired")

    fault = Server(replies=[expired(), expired()]).fault(walks=2)
    assert (fault.code, fault.attempts, fault.stops_run) == ("ExpiredTokenException", 2, True)


def test_without_other_credentials_an_expired_token_is_not_tried_again() -> None:
    server = Server(replies=[error(401, "expired")])
    assert server.fault().stops_run
    assert len(server.paths) == 1


def test_an_error_comes_with_the_words_of_its_envelope() -> None:
    fault = Server(replies=[error(400, "messages is required", "invalid_request_error")]).fault()
    assert (fault.code, fault.retry) == ("400", Retry.NEVER)
    assert "messages is required" in str(fault)


def test_an_error_that_quotes_the_token_keeps_it_hidden() -> None:
    server = Server()

    async def quoting(incoming: web.Request) -> web.StreamResponse:
        return error(400, f"what is {incoming.headers['Authorization']}?")

    server.serve = quoting  # type: ignore[method-assign]
    assert "what is Bearer ***?" in str(server.fault())


def test_a_connection_that_breaks_is_a_network_fault() -> None:
    server = Server()

    async def cut(incoming: web.Request) -> web.StreamResponse:
        assert incoming.transport is not None
        incoming.transport.abort()
        return web.Response()

    server.serve = cut  # type: ignore[method-assign]
    assert server.fault().code == "ConnectionClosed"


def test_making_ready_sends_nothing() -> None:
    server = Server()

    async def story(transport: OpenAiTransport) -> None:
        await transport.make_ready(chat())

    server.tell(story)
    assert server.paths == []


def test_without_credentials_nothing_is_sent() -> None:
    async def story() -> None:
        source = CredentialSource(lambda: None)
        target = Target("http://127.0.0.1:9", "us-west-2", "test", source)
        pool = ConnectionPool(1, proxies=False)
        signed = SignedCalls(Wire(target), source, 5_000)
        transport = OpenAiTransport(signed, Sender(pool, 5_000), BearerTokens(source, "us-west-2"), StreamDecoder)
        with pytest.raises(SetupError, match="no AWS credentials"):
            await transport(chat())
        await pool.close()

    asyncio.run(story())
