from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sagemaker_eval.errors import SetupError
from sagemaker_eval.model import Json, StaticKeys
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.control_plane import ControlPlane
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.json_service import ServiceFault, Trouble
from sagemaker_eval.sagemaker.session import Target, static_target

SECRET, TOKEN = "wJalr/very-secret", "IQoJ/session-token"
DENIAL = (
    "User: arn:aws:iam::111111111111:user/eva is not authorized to perform: sagemaker:DescribeEndpoint "
    "on resource: arn:aws:sagemaker:us-west-2:111111111111:endpoint/ep because no policy allows it"
)

Refusal = tuple[int, dict[str, Json]]


def refusal(code: str, message: str, status: int = 400) -> Refusal:
    return status, {"__type": f"com.amazon.coral.service#{code}", "message": message}


@dataclass
class Stand:
    """A stand-in for the control plane that gives its replies in turn, the last one for ever."""

    replies: list[Refusal | dict[str, Json] | bytes]
    url: str = ""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def answer(self, request: web.BaseRequest) -> web.Response:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, bytes):
            return web.Response(body=reply)
        status, document = reply if isinstance(reply, tuple) else (200, reply)
        return web.json_response(document, status=status, headers={"x-amzn-RequestId": "id-1"})


@asynccontextmanager
async def standing(*replies: Refusal | dict[str, Json] | bytes) -> AsyncIterator[Stand]:
    stand = Stand(list(replies))
    server = web.Server(stand.answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    stand.url = f"http://{host}:{port}"
    try:
        yield stand
    finally:
        await runner.cleanup()


async def no_pause(seconds: float) -> None:
    return None


@asynccontextmanager
async def plane_of(target: Target, **options: Any) -> AsyncIterator[ControlPlane]:
    pool = ConnectionPool(2, proxies=False)
    try:
        yield ControlPlane(target, pool, sleep=no_pause, **options)
    finally:
        await pool.close()


def target_at(url: str) -> Target:
    return static_target(url, "us-west-2", "account:111111111111", "AKIAEXAMPLE", SECRET, TOKEN)


def asked(*replies: Refusal | dict[str, Json] | bytes) -> tuple[dict[str, Json], Stand]:
    """What a call came back with, and who was asked."""

    async def story() -> tuple[dict[str, Json], Stand]:
        async with standing(*replies) as stand, plane_of(target_at(stand.url)) as plane:
            return await plane.call("DescribeEndpoint", {"EndpointName": "ep"}), stand

    return asyncio.run(story())


def fault_of(*replies: Refusal | dict[str, Json] | bytes) -> ServiceFault:
    with pytest.raises(ServiceFault) as caught:
        asked(*replies)
    return caught.value


def test_an_operation_is_a_signed_post_of_its_members() -> None:
    answer, stand = asked({"EndpointStatus": "InService"})
    [(headers, body)] = stand.requests
    assert answer == {"EndpointStatus": "InService"}
    assert json.loads(body) == {"EndpointName": "ep"}
    assert headers["x-amz-target"] == "SageMaker.DescribeEndpoint"
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert headers["user-agent"].startswith("sageval/")


def test_the_signature_is_the_one_that_botocore_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    _, stand = asked({})
    [(headers, body)] = stand.requests
    monkeypatch.setattr(SigV4Auth, "_modify_request_before_signing", lambda self, request: None)
    signed = {name: headers[name] for name in ("content-type", "x-amz-target", "x-amz-date", "x-amz-security-token")}
    again = AWSRequest(method="POST", url=f"{stand.url}/", headers=signed, data=body)
    again.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials("AKIAEXAMPLE", SECRET, TOKEN), "sagemaker", "us-west-2")
    signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
    assert headers["authorization"].endswith(f"Signature={signature}")


def test_a_denial_names_the_statement_that_the_policy_lacks() -> None:
    fault = fault_of(refusal("AccessDeniedException", DENIAL))
    assert (fault.trouble, fault.code, fault.stops_run) == (Trouble.DENIED, "AccessDeniedException", False)
    assert fault.message.startswith("the caller may not `sagemaker:DescribeEndpoint` (AccessDeniedException): User:")
    assert '"Resource": "arn:aws:sagemaker:us-west-2:111111111111:endpoint/ep"' in str(fault.hint)


def test_what_does_not_exist_is_told_apart_from_other_refusals() -> None:
    missing = fault_of(refusal("ValidationException", 'Could not find endpoint "arn:aws:…:endpoint/ep".'))
    assert (missing.trouble, missing.message) == (
        Trouble.NOT_FOUND, 'DescribeEndpoint: Could not find endpoint "arn:aws:…:endpoint/ep"',
    )  # fmt: skip
    assert fault_of(refusal("ValidationException", "1 validation error detected")).trouble is Trouble.FAILED


@pytest.mark.parametrize("code", ["UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"])
def test_credentials_that_nobody_would_accept_are_a_matter_of_setup(code: str) -> None:
    fault = fault_of(refusal(code, "The security token included in the request is wrong", 403))
    assert (fault.trouble, fault.stops_run, fault.code) == (Trouble.SETUP, True, code)
    assert fault.hint


def test_secrets_that_a_refusal_repeats_are_blotted_out() -> None:
    fault = fault_of(refusal("ValidationException", f"no such thing as {SECRET} or {TOKEN}"))
    assert "no such thing as *** or ***" in fault.message


@pytest.mark.parametrize(
    "reply",
    [b"<html>a proxy</html>", b"[]", b"[" * 99_999, (404, {}), (403, {}), refusal("UnknownOperationException", "")],
    ids=["a page", "a list", "a deep list", "404", "403", "another service"],
)
def test_something_else_at_the_address_is_no_control_plane(reply: Any) -> None:
    assert fault_of(reply).trouble is Trouble.UNREACHABLE


def test_nobody_at_the_address_is_unreachable() -> None:
    async def story() -> ServiceFault:
        async with standing({}) as stand:
            url = stand.url
        async with plane_of(target_at(url)) as plane:
            with pytest.raises(ServiceFault) as caught:
                await plane.call("DescribeEndpoint", {})
        return caught.value

    fault = asyncio.run(story())
    assert (fault.trouble, fault.code) == (Trouble.UNREACHABLE, "ConnectionError")
    assert "Connection refused" in fault.message


def test_silence_ends_with_the_time_limit() -> None:
    async def story() -> ServiceFault:
        never = asyncio.Event()

        async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await never.wait()
            writer.close()

        async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with plane_of(target_at(url), timeout_ms=20) as plane:
                with pytest.raises(ServiceFault) as caught:
                    await plane.call("DescribeEndpoint", {})
            never.set()
        return caught.value

    fault = asyncio.run(story())
    assert (fault.trouble, fault.code) == (Trouble.UNREACHABLE, "ReadTimeout")


def test_throttling_is_waited_for_and_in_the_end_given_up() -> None:
    throttled = refusal("ThrottlingException", "Rate exceeded")
    answer, stand = asked(throttled, throttled, {"EndpointStatus": "InService"})
    assert (answer["EndpointStatus"], len(stand.requests)) == ("InService", 3)
    assert fault_of(throttled).trouble is Trouble.FAILED


def test_a_refusal_is_not_asked_twice() -> None:
    async def story() -> int:
        async with standing(refusal("AccessDeniedException", DENIAL)) as stand:
            async with plane_of(target_at(stand.url)) as plane:
                with pytest.raises(ServiceFault):
                    await plane.call("DescribeEndpoint", {})
            return len(stand.requests)

    assert asyncio.run(story()) == 1


def test_expired_credentials_are_renewed_once() -> None:
    keys = [Credentials("AKIAFIRST", "a"), Credentials("AKIASECOND", "b")]

    async def story() -> list[str]:
        async with standing(refusal("ExpiredTokenException", "expired", 403), {"ok": True}) as stand:
            base = target_at(stand.url)
            target = Target(base.url, base.region, base.identity, CredentialSource(lambda: keys.pop(0)),
                            control_url=stand.url)  # fmt: skip
            async with plane_of(target) as plane:
                assert await plane.call("DescribeEndpoint", {}) == {"ok": True}
            return [headers["authorization"].split("Credential=")[1].split("/")[0] for headers, _ in stand.requests]

    assert asyncio.run(story()) == ["AKIAFIRST", "AKIASECOND"]


def test_without_credentials_nothing_is_sent() -> None:
    async def story() -> int:
        async with standing({}) as stand:
            target = Target(stand.url, "us-west-2", "nobody", CredentialSource(lambda: None), control_url=stand.url)
            async with plane_of(target) as plane:
                with pytest.raises(SetupError, match="no AWS credentials found"):
                    await plane.call("DescribeEndpoint", {})
            return len(stand.requests)

    assert asyncio.run(story()) == 0


def test_a_list_is_read_to_its_last_page() -> None:
    async def story() -> tuple[list[Any], list[Any]]:
        pages: list[Any] = [
            {"Endpoints": [{"EndpointName": "a"}], "NextToken": "t"},
            {"Endpoints": [{"EndpointName": "b"}]},
        ]
        async with standing(*pages) as stand, plane_of(target_at(stand.url)) as plane:
            found = await plane.items("ListEndpoints", {"NameContains": "x"}, "Endpoints")
            return found, [json.loads(body) for _, body in stand.requests]

    found, bodies = asyncio.run(story())
    assert [each["EndpointName"] for each in found] == ["a", "b"]
    assert bodies[0] == {"NameContains": "x", "MaxResults": 100}
    assert bodies[1] == {**bodies[0], "NextToken": "t"}


@pytest.mark.parametrize("page", [{"Endpoints": [], "NextToken": "t"}, {"Endpoints": "ep"}, {"Endpoints": ["ep"]}])
def test_a_list_without_end_or_of_something_else_is_given_up(page: dict[str, Json]) -> None:
    async def story() -> None:
        async with standing(page) as stand, plane_of(target_at(stand.url)) as plane:
            await plane.items("ListEndpoints", {}, "Endpoints")

    with pytest.raises(ServiceFault, match="did not answer as SageMaker's control plane does"):
        asyncio.run(story())


def test_a_target_without_a_control_plane_is_never_asked() -> None:
    source = CredentialSource.of_keys(StaticKeys("AKIAEXAMPLE", SECRET))

    async def story() -> ServiceFault:
        async with plane_of(Target("http://127.0.0.1:1", "us-west-2", "x", source)) as plane:
            with pytest.raises(ServiceFault) as caught:
                await plane.call("DescribeEndpoint", {})
        return caught.value

    fault = asyncio.run(story())
    assert (fault.trouble, fault.code) == (Trouble.UNREACHABLE, "NotConfigured")
    assert fault.hint == "set AWS_ENDPOINT_URL_SAGEMAKER beside it"
