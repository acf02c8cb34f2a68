from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials

from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, Request
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.session import Target, static_target
from sagemaker_eval.sagemaker.transport import ConnectionPool, Transport
from sagemaker_eval.sagemaker.wire import Wire

SECRET, TOKEN = "wJalr/very-secret", "IQoJ/session-token"
CUT = b"\r\n"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass
class Server:
    """A SageMaker Runtime in a dozen lines: `replies` are written as they are, by endpoint; b"" keeps silent."""

    replies: dict[str, bytes]
    url: str = ""
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = next(
                    int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:")
                )
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(length))
                reply = self.replies[head.split("/")[2] if head.startswith("POST /endpoints") else "proxied"]
                writer.write(reply)
                if b"Connection: close" in reply or reply == CUT:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()


def http(status: int, body: bytes, *headers: str) -> bytes:
    lines = (f"HTTP/1.1 {status} Status", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def serving(**replies: bytes) -> AsyncIterator[Server]:
    server = Server(replies)
    async with await asyncio.start_server(server.serve, "127.0.0.1", 0) as listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


def target_at(url: str) -> Target:
    return static_target(url, "us-west-2", "account:111111111111", "AKIAEXAMPLE", SECRET, TOKEN)


@asynccontextmanager
async def transport_to(url: str, *, proxies: bool = False, **options: Any) -> AsyncIterator[Transport]:
    target, pool = target_at(url), ConnectionPool(8, proxies=proxies)
    try:
        yield Transport(Wire(target), target.credentials, pool, now=lambda: NOW, **options)
    finally:
        await pool.close()


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def telling() -> None:
        await story()

    asyncio.run(telling())


async def fault_of(transport: Transport, endpoint: str = "ep", body: bytes = b"{}") -> EndpointFault:
    with pytest.raises(EndpointFault) as caught:
        await transport(Request(endpoint, body))
    assert SECRET not in str(caught.value) and TOKEN not in str(caught.value)
    return caught.value


def test_an_answer_carries_what_the_headers_told() -> None:
    reply = http(
        200, b'{"generated_text": "ok"}', "Content-Type: application/json; charset=utf-8", "x-amzn-RequestId: id-1",
        "x-Amzn-Invoked-Production-Variant: AllTraffic", "X-Amzn-SageMaker-Custom-Attributes: trace=7",
    )  # fmt: skip

    async def story() -> None:
        async with serving(ep=reply) as server, transport_to(server.url, clock=count(5.0, 0.25).__next__) as transport:
            answer = await transport(Request("ep", b'{"inputs": "hi"}'))
        assert (answer.body, answer.status) == (b'{"generated_text": "ok"}', 200)
        assert answer.content_type == "application/json; charset=utf-8"
        assert (answer.variant, answer.request_id) == ("AllTraffic", "id-1")
        assert answer.told == (("customAttributes", "trace=7"),)
        assert answer.timings.wire == 250.0
        assert server.bodies == [b'{"inputs": "hi"}']

    run(story)


def headers_of(head: str) -> set[str]:
    ours = ("user-agent", "amz-sdk")
    return {line.lower() for line in head.splitlines() if not line.lower().startswith(ours)}


@pytest.mark.parametrize("body", [b"", b'{"inputs": "hi"}'])
def test_the_bytes_on_the_wire_are_those_of_boto3(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))

    async def story() -> None:
        async with serving(ep=http(200, b"ok")) as server, transport_to(server.url) as transport:
            await transport(Request("ep", body, routing=(("CustomAttributes", "grün"),)))
            client = boto3.client(
                "sagemaker-runtime", "us-west-2", endpoint_url=server.url,
                aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key=SECRET, aws_session_token=TOKEN,
            )  # fmt: skip
            await asyncio.to_thread(
                client.invoke_endpoint, EndpointName="ep", Body=body, ContentType="application/json",
                Accept="application/json", CustomAttributes="grün",
            )  # fmt: skip
            client.close()
        ours, theirs = server.heads
        assert headers_of(ours) == headers_of(theirs)
        assert server.bodies == [body, body]

    run(story)


def test_connections_are_kept_and_bounded() -> None:
    async def story() -> None:
        async with serving(ep=http(200, b"ok")) as server, transport_to(server.url) as transport:
            answers = await asyncio.gather(*(transport(Request("ep", b"%d" % n)) for n in range(200)))
        assert len(answers) == 200
        assert server.connections <= 8
        assert sorted(server.bodies) == sorted(b"%d" % n for n in range(200))

    run(story)


def test_a_large_body_arrives_whole() -> None:
    body = bytes(range(256)) * 20_000

    async def story() -> None:
        async with serving(ep=http(200, b"ok")) as server, transport_to(server.url) as transport:
            await transport(Request("ep", body))
        assert server.bodies == [body]

    run(story)


def test_a_compressed_body_is_handed_on_as_it_came() -> None:
    reply = http(200, b"\x1f\x8bnot really", "Content-Encoding: gzip")

    async def story() -> None:
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            assert (await transport(Request("ep", b""))).body == b"\x1f\x8bnot really"

    run(story)


def test_a_model_error_arrives_with_its_fields() -> None:
    error = {"Message": "Received server error (500)", "OriginalStatusCode": 500, "OriginalMessage": "boom"}
    headers = ("x-amzn-ErrorType: ModelError:", "x-amzn-RequestId: id-7")

    async def story() -> None:
        reply = http(424, json.dumps(error).encode(), *headers)
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert (fault.code, fault.original_status, fault.request_id) == ("ModelError", 500, "id-7")
        assert fault.retry is Retry.ONCE
        assert fault.message == "the model container answered 500 (ModelError): boom"

    run(story)


def test_a_refusal_names_the_endpoint_in_its_account() -> None:
    async def story() -> None:
        reply = http(403, b'{"Message": "no"}', "x-amzn-ErrorType: AccessDeniedException")
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert fault.stops_run
        assert "arn:aws:sagemaker:us-west-2:111111111111:endpoint/ep" in str(fault.hint)

    run(story)


def test_a_service_that_quotes_the_secrets_is_not_quoted_in_turn() -> None:
    async def story() -> None:
        reply = http(
            400, json.dumps({"message": f"bad: {SECRET} {TOKEN}"}).encode(), "x-amzn-ErrorType: ValidationError"
        )
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert fault.message.endswith("bad: *** ***")

    run(story)


def test_a_redirect_is_not_followed() -> None:
    async def story() -> None:
        reply = http(307, b"", "Location: /endpoints/other/invocations")
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert (fault.code, fault.stops_run, len(server.heads)) == ("307", True, 1)

    run(story)


@pytest.mark.parametrize(
    "reply", [CUT, b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\nhalf"], ids=["before", "within"]
)
def test_a_cut_connection_is_a_fault_and_not_half_an_answer(reply: bytes) -> None:
    async def story() -> None:
        async with serving(ep=reply) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert (fault.code, fault.retry) == ("ConnectionClosed", Retry.COUNTED)

    run(story)


def test_a_slow_answer_is_given_up_after_the_timeout() -> None:
    async def story() -> None:
        async with serving(ep=b"") as server, transport_to(server.url, timeout_ms=30) as transport:
            fault = await fault_of(transport)
        assert fault.message == "no answer from `ep` within 30 ms (ReadTimeout)"

    run(story)


def test_an_answer_that_comes_after_the_timeout_is_taken_by_nobody() -> None:
    async def story() -> None:
        async with serving(ep=b"") as server, transport_to(server.url, timeout_ms=50) as transport:
            await fault_of(transport, body=b"one")
            server.replies["ep"] = http(200, b"answer to two")
            assert (await transport(Request("ep", b"two"))).body == b"answer to two"
        assert server.connections == 2, "the connection that still owes an answer is not used again"

    run(story)


def test_a_body_that_is_too_large_opens_no_connection() -> None:
    async def story() -> None:
        async with serving(ep=http(200, b"ok")) as server, transport_to(server.url) as transport:
            fault = await fault_of(transport, body=bytes(25 * 1024 * 1024 + 1))
        assert (fault.code, fault.attempts, server.connections) == ("413", 0, 0)

    run(story)


class InTurn(dict[str, bytes]):
    """Replies that come one after the other, whoever asks."""

    def __init__(self, *replies: bytes) -> None:
        super().__init__()
        self.left = list(replies)

    def __missing__(self, endpoint: str) -> bytes:
        return self.left.pop(0)


def test_a_session_that_expires_is_renewed_and_the_call_made_again() -> None:
    chain = [Credentials("OLD", "old-secret", "t1"), Credentials("NEW", "new-secret", "t2")]
    expired = http(403, b'{"message": "The security token is expired"}', "x-amzn-ErrorType: ExpiredTokenException")

    async def story() -> None:
        async with serving() as server:
            server.replies = InTurn(expired, http(200, b"ok"))
            source, pool = CredentialSource(lambda: chain.pop(0)), ConnectionPool(1, proxies=False)
            answer = await Transport(Wire(target_at(server.url)), source, pool)(Request("ep", b"{}"))
            await pool.close()
        assert (answer.body, answer.attempts) == (b"ok", 2)
        assert ["Credential=OLD/" in head for head in server.heads] == [True, False]
        assert "Credential=NEW/" in server.heads[1]

    run(story)


def test_what_does_not_speak_http_is_told_from_what_does() -> None:
    async def story() -> None:
        async with serving(ep=b"SSH-2.0-OpenSSH_9.6\r\n\r\n") as server, transport_to(server.url) as transport:
            fault = await fault_of(transport)
        assert fault.code == "BadResponse"

    run(story)


def test_nobody_listening_is_a_connection_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def story() -> None:
            async with transport_to(url) as transport:
                fault = await fault_of(transport)
            assert (fault.code, fault.message) == (
                "ConnectionError", f"cannot connect to {url} (ConnectionError): Connection refused"
            )  # fmt: skip

        run(story)


def test_a_proxy_of_the_environment_is_used_and_can_be_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with serving(proxied=http(200, b"by proxy")) as proxy, serving(ep=http(200, b"direct")) as server:
            monkeypatch.setenv("HTTP_PROXY", proxy.url.removeprefix("http://"))
            async with transport_to(server.url, proxies=True) as transport:
                assert (await transport(Request("ep", b""))).body == b"by proxy"
            async with transport_to(server.url, proxies=False) as transport:
                assert (await transport(Request("ep", b""))).body == b"direct"
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            async with transport_to(server.url, proxies=True) as transport:
                assert (await transport(Request("ep", b""))).body == b"direct"

    run(story)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_stop_the_run(content: str | None, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(SetupError, match=r"the certificates in `.*ca\.pem` cannot be read") as caught:
        ConnectionPool(1).route("https://127.0.0.1", str(bundle))
    assert "AWS_CA_BUNDLE" in str(caught.value.hint)


def test_without_a_bundle_botocores_certificates_are_trusted() -> None:
    context = ConnectionPool(1).route("https://127.0.0.1", None).options["ssl"]
    assert context.cert_store_stats()["x509_ca"] > 0


def test_a_bug_on_the_way_is_not_passed_off_as_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(pool: ConnectionPool) -> None:
        raise KeyError("bug")

    monkeypatch.setattr(ConnectionPool, "session", broken)

    async def story() -> None:
        async with transport_to("http://127.0.0.1:1") as transport:
            with pytest.raises(KeyError):
                await transport(Request("ep", b""))

    run(story)


def test_without_credentials_nothing_is_sent() -> None:
    async def story() -> None:
        async with serving(ep=http(200, b"ok")) as server:
            pool = ConnectionPool(1, proxies=False)
            transport = Transport(Wire(target_at(server.url)), CredentialSource(lambda: None), pool)
            with pytest.raises(SetupError, match="no AWS credentials found"):
                await transport(Request("ep", b""))
            await pool.close()
        assert server.connections == 0

    run(story)


def test_a_pool_that_was_never_used_closes_as_well() -> None:
    pool = ConnectionPool(4)
    asyncio.run(pool.close())
    assert pool.size == 4


def test_one_pool_serves_several_targets() -> None:
    async def story() -> None:
        async with serving(ep=http(200, b"one")) as one, serving(ep=http(200, b"two")) as two:
            pool = ConnectionPool(4, proxies=False)
            answers: list[Answer] = []
            for server in (one, two):
                target = target_at(server.url)
                answers.append(await Transport(Wire(target), target.credentials, pool)(Request("ep", b"")))
            await pool.close()
        assert [answer.body for answer in answers] == [b"one", b"two"]

    run(story)


def test_the_pool_is_as_large_as_it_is_told() -> None:
    async def story() -> None:
        pool = ConnectionPool(300, proxies=False)
        connector = pool.session().connector
        assert connector is not None
        assert (connector.limit, connector.limit_per_host) == (300, 300)
        await pool.close()

    run(story)


def test_the_timeout_of_an_attempt_is_in_milliseconds_and_connecting_takes_5_seconds_at_most() -> None:
    target, pool = target_at("http://127.0.0.1:9"), ConnectionPool(1, proxies=False)
    transport = Transport(Wire(target), target.credentials, pool, 70_000)

    async def story() -> None:
        await transport.make_ready(Request("e", b""))
        (route,) = transport._sender._routes.values()
        timeout = route.options["timeout"]
        assert (timeout.total, timeout.sock_connect) == (70.0, 5.0)
        await pool.close()

    run(story)
