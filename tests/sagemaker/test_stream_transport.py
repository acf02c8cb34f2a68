from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import pytest

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.formats.streams import StreamDecoder
from sagemaker_eval.model import Operation, Request
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import static_target
from sagemaker_eval.sagemaker.signed_calls import SignedCalls
from sagemaker_eval.sagemaker.stream_transport import Pace, StreamTransport
from sagemaker_eval.sagemaker.wire import Wire
from tests.sagemaker.frames import error, exception, payload_part

SECRET, TOKEN = "wJalr/very-secret", "IQoJ/session-token"
EVENTS = (
    b'data: {"choices":[{"index":0,"delta":{"content":"Hel"},"finish_reason":null}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":null}]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{"content":"!"},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
)
SILENCE, CUT = "silence", "cut"
Step = bytes | str


@dataclass
class Server:
    """Answers every POST with `steps`: chunks, each once the one before was read, a silence, or a cut connection."""

    steps: list[Step]
    status: int = 200
    headers: tuple[str, ...] = ("Content-Type: application/vnd.amazon.eventstream",)
    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a client has gone while the server was silent."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._answered(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answered(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(length))
        self.asked.set()
        lines = (f"HTTP/1.1 {self.status} Status", "Transfer-Encoding: chunked", *self.headers, "", "")
        writer.write("\r\n".join(lines).encode())
        for step in self.steps:
            if step == SILENCE:
                await reader.read()
                self.left.set()
                return False
            if step == CUT:
                return False
            assert isinstance(step, bytes)
            writer.write(f"{len(step):x}\r\n".encode() + step + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        return True


@asynccontextmanager
async def serving(*steps: Step, **more: Any) -> AsyncIterator[Server]:
    server = Server(list(steps), **more)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


@asynccontextmanager
async def transport_to(url: str, **options: Any) -> AsyncIterator[StreamTransport]:
    target, pool = static_target(url, "us-west-2", "account:111111111111", "AKIA", SECRET, TOKEN), ConnectionPool(8)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    signed = SignedCalls(Wire(target), target.credentials, options.get("timeout_ms", 1000), lambda: now)
    try:
        yield StreamTransport(signed, pool, options.pop("decoder", StreamDecoder), **options)
    finally:
        await pool.close()


def request(body: bytes = b"{}") -> Request:
    return Request("ep", body, operation=Operation.STREAM)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def telling() -> None:
        await story()

    asyncio.run(telling())


async def fault_of(transport: StreamTransport) -> EndpointFault:
    with pytest.raises(EndpointFault) as caught:
        await transport(request())
    assert SECRET not in str(caught.value) and TOKEN not in str(caught.value)
    return caught.value


def told_fault(*steps: Step, transport: dict[str, Any] | None = None, **server: Any) -> EndpointFault:
    """The fault that a call of a server with these steps ends with."""

    async def story() -> EndpointFault:
        async with serving(*steps, **server) as listening, transport_to(listening.url, **(transport or {})) as invoke:
            return await fault_of(invoke)

    return asyncio.run(story())


def test_an_answer_has_all_payload_and_what_the_headers_told() -> None:
    headers = (
        "Content-Type: application/vnd.amazon.eventstream", "X-Amzn-SageMaker-Content-Type: text/event-stream",
        "x-amzn-RequestId: id-1", "x-Amzn-Invoked-Production-Variant: blue",
        "X-Amzn-SageMaker-Custom-Attributes: a=b",
    )  # fmt: skip
    body = b"".join(EVENTS)

    async def story() -> None:
        steps = [payload_part(body[:70]), payload_part(body[70:])]
        async with serving(*steps, headers=headers) as server, transport_to(server.url) as transport:
            answer = await transport(request(b'{"inputs": "hi"}'))
        assert (answer.body, answer.content_type, answer.status) == (body, "text/event-stream", 200)
        assert (answer.variant, answer.request_id) == ("blue", "id-1")
        assert answer.told == (("customAttributes", "a=b"),)
        assert server.bodies == [b'{"inputs": "hi"}']
        assert server.heads[0].startswith("POST /endpoints/ep/invocations-response-stream HTTP/1.1")

    run(story)


def test_pieces_are_timed_from_just_before_sending() -> None:
    pace = Pace()
    for pieces, now in ((0, 10.5), (1, 11.0), (0, 11.5), (2, 11.25), (1, 12.0), (0, 13.0)):
        pace.add(pieces, now)
    timings = pace.timings(started=10.0, ended=14.0)
    assert (timings.first_token, timings.wire, timings.total) == (1000.0, 4000.0, 4000.0)
    assert timings.inter_token == pytest.approx(1000 / 3)


def test_one_piece_has_no_time_between_and_none_no_first() -> None:
    pace = Pace()
    assert (pace.timings(0.0, 1.0).first_token, pace.timings(0.0, 1.0).inter_token) == (None, None)
    pace.add(1, 0.5)
    assert (pace.timings(0.0, 1.0).first_token, pace.timings(0.0, 1.0).inter_token) == (500.0, None)


def test_the_clock_is_read_when_sending_when_bytes_come_and_at_the_end() -> None:
    async def story() -> None:
        whole = b"".join(map(payload_part, EVENTS))
        ticks = count(5.0, 0.25).__next__
        async with serving(whole) as server, transport_to(server.url, clock=ticks) as transport:
            timings = (await transport(request())).timings
        assert (timings.first_token, timings.inter_token, timings.wire) == (250.0, 0.0, 500.0)
        assert timings.total == 500.0

    run(story)


def test_connections_are_kept_for_the_next_stream() -> None:
    async def story() -> None:
        async with serving(*map(payload_part, EVENTS)) as server, transport_to(server.url) as transport:
            await transport.make_ready(request())
            bodies = {(await transport(request())).body for _ in range(3)}
        assert bodies == {b"".join(EVENTS)}
        assert server.connections == 1

    run(story)


@pytest.mark.parametrize(("frame", "code", "retry", "message"), [
    (exception("ModelStreamError", "took too long", ErrorCode="ModelInvocationTimeExceeded"), "ModelStreamError",
     Retry.NEVER, "took too long"),
    (exception("ModelStreamError", "the connection was lost", ErrorCode="StreamBroken"), "ModelStreamError",
     Retry.COUNTED, "the connection was lost"),
    (exception("InternalStreamFailure", "sorry"), "InternalStreamFailure", Retry.COUNTED, "sorry"),
    (error("InternalFailure", "sorry"), "InternalFailure", Retry.COUNTED, "sorry"),
    (error("Unheard", "of"), "Unheard", Retry.COUNTED, "of"),
    (error("ThrottlingException", "slower"), "ThrottlingException", Retry.PATIENT, "slower"),
    (error("InternalFailure", f"not {SECRET}"), "InternalFailure", Retry.COUNTED, r"not \*\*\*"),
])  # fmt: skip
def test_an_error_within_the_stream_is_a_fault_of_the_table(
    frame: bytes, code: str, retry: Retry, message: str
) -> None:
    headers = ("Content-Type: application/vnd.amazon.eventstream", "x-amzn-RequestId: id-1")
    fault = told_fault(payload_part(EVENTS[0]), frame, SILENCE, headers=headers)
    assert (fault.code, fault.retry, fault.request_id) == (code, retry, "id-1")
    with pytest.raises(EndpointFault, match=message):
        raise fault


def test_an_error_of_the_container_within_the_stream_is_its_own() -> None:
    line = b'data: {"error": "overloaded", "error_type": "overloaded"}\n\n'
    headers = ("Content-Type: application/vnd.amazon.eventstream", "x-amzn-RequestId: id-1")
    fault = told_fault(payload_part(EVENTS[0]), payload_part(line), SILENCE, headers=headers)
    assert (fault.code, fault.original_status, fault.retry) == ("ModelError", 429, Retry.COUNTED)
    assert fault.request_id == "id-1"


@pytest.mark.parametrize(("steps", "code"), [
    ((payload_part(EVENTS[0]),), "StreamTruncated"),
    ((payload_part(EVENTS[0]), payload_part(EVENTS[2])[:30]), "StreamTruncated"),
    ((payload_part(EVENTS[0])[:-1] + b"\0",), "StreamCorrupted"),
    ((payload_part(EVENTS[0]), CUT), "ConnectionClosed"),
    ((CUT,), "ConnectionClosed"),
])  # fmt: skip
def test_a_stream_that_is_not_whole_is_tried_again(steps: tuple[Step, ...], code: str) -> None:
    fault = told_fault(*steps)
    assert (fault.code, fault.retry) == (code, Retry.COUNTED)


def test_a_stream_without_anything_in_it_is_an_empty_answer() -> None:
    assert told_fault().code == "EmptyBody"
    assert told_fault(payload_part(b"")).code == "EmptyBody"


@pytest.mark.parametrize("before", [(), (payload_part(EVENTS[0]),)])
def test_a_silence_is_a_timeout(before: tuple[bytes, ...]) -> None:
    async def story() -> None:
        async with serving(*before, SILENCE) as server, transport_to(server.url, timeout_ms=50) as transport:
            fault = await fault_of(transport)
            await server.left.wait()
        assert (fault.code, fault.retry) == ("ReadTimeout", Retry.COUNTED)
        assert "within 50 ms" in fault.message

    run(story)


def test_a_stream_as_a_whole_has_a_limit_after_which_it_is_not_tried_again() -> None:
    async def story() -> None:
        steps = (payload_part(EVENTS[0]), SILENCE)
        async with serving(*steps) as server, transport_to(server.url, limit_ms=50) as transport:
            fault = await fault_of(transport)
            await server.left.wait()
        assert (fault.code, fault.retry) == ("ModelStreamError", Retry.NEVER)
        assert "longer than SageMaker allows" in fault.message

    run(story)


def test_a_refusal_before_the_stream_is_a_fault_as_of_any_call() -> None:
    body = json.dumps({"Message": "slower"}).encode()
    headers = ("Content-Type: application/json", "x-amzn-ErrorType: ThrottlingException", "x-amzn-RequestId: id-1")
    fault = told_fault(body, status=400, headers=headers)
    assert (fault.code, fault.retry, fault.request_id) == ("ThrottlingException", Retry.PATIENT, "id-1")


def test_an_answer_that_is_no_event_stream_is_told_as_such() -> None:
    fault = told_fault(b"<html>", headers=("Content-Type: text/html; charset=utf-8",))
    assert (fault.code, fault.retry) == ("NoEventStream", Retry.NEVER)
    assert "answered `text/html; charset=utf-8` where a stream was asked for" in fault.message


def test_a_mistake_of_ours_is_no_fault_of_the_endpoint() -> None:
    class Broken:
        def feed(self, data: bytes) -> int:
            raise ZeroDivisionError

        def close(self) -> None: ...

    async def story() -> None:
        steps = map(payload_part, EVENTS)
        async with serving(*steps) as server, transport_to(server.url, decoder=lambda _: Broken()) as transport:
            with pytest.raises(ZeroDivisionError):
                await transport(request())

    run(story)


def test_a_call_that_was_given_up_closes_its_connection() -> None:
    async def story() -> None:
        async with serving(payload_part(EVENTS[0]), SILENCE) as server, transport_to(server.url) as transport:
            call = asyncio.ensure_future(transport(request()))
            await server.asked.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await server.left.wait()

    run(story)


def test_boto3_reads_the_same_payloads() -> None:
    """The frames of these tests are the service's: AWS's own client takes them."""

    async def story() -> None:
        async with serving(*map(payload_part, EVENTS)) as server:
            client = boto3.client(
                "sagemaker-runtime", region_name="us-west-2", endpoint_url=server.url,
                aws_access_key_id="AKIA", aws_secret_access_key=SECRET,
            )  # fmt: skip

            def read() -> bytes:
                answer = client.invoke_endpoint_with_response_stream(EndpointName="ep", Body=b"{}")
                return b"".join(part["PayloadPart"]["Bytes"] for part in answer["Body"])

            assert await asyncio.to_thread(read) == b"".join(EVENTS)

    run(story)
