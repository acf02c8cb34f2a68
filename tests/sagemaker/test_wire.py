from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from random import Random
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import ReadOnlyCredentials
from urllib3 import HTTPResponse

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Operation, Request
from sagemaker_eval.sagemaker.service import OPERATIONS, input_members
from sagemaker_eval.sagemaker.session import static_target
from sagemaker_eval.sagemaker.wire import SignedRequest, Wire

NOW = datetime(2026, 11, 23, 21, 59, 59, tzinfo=UTC)
REGION = "eu-central-1"
URLS = (
    "https://runtime.sagemaker.eu-central-1.amazonaws.com",
    "http://127.0.0.1:8080",
    "https://vpce.example:8443/base",
)
METHODS = {
    Operation.INVOKE: "invoke_endpoint",
    Operation.STREAM: "invoke_endpoint_with_response_stream",
    Operation.ASYNC: "invoke_endpoint_async",
}
WHOLE_NUMBERS = {"RequestTTLSeconds", "InvocationTimeoutSeconds"}
OURS_ALONE = {"user-agent", "accept-encoding", "amz-sdk-invocation-id", "amz-sdk-request", "content-length"}
"""Headers that differ by design (`wire` says how), and the length, which the HTTP library adds."""


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """botocore's own clock, stopped at NOW."""
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    yield


def credentials_of(token: str | None) -> ReadOnlyCredentials:
    return ReadOnlyCredentials("AKIAEXAMPLE", "wJalr/secret+key", token)


def wire_to(url: str) -> Wire:
    return Wire(static_target(url, REGION, "test", "AKIAEXAMPLE", "wJalr/secret+key"))


class Boto3:
    """What boto3 clients would send, caught before it leaves."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str | None], Any] = {}
        self._sent: list[AWSPreparedRequest] = []

    def _client(self, url: str, token: str | None) -> Any:
        key = (url, token)
        if key not in self._clients:
            session = boto3.Session("AKIAEXAMPLE", "wJalr/secret+key", token, region_name=REGION)
            client = session.client("sagemaker-runtime", endpoint_url=url)
            client.meta.events.register("before-send.sagemaker-runtime", self._catch)
            self._clients[key] = client
        return self._clients[key]

    def _catch(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self._sent.append(request)
        return AWSResponse(request.url, 200, {}, HTTPResponse(BytesIO(), preload_content=False))  # type: ignore[arg-type]

    def sends(self, request: Request, url: str, token: str | None) -> AWSPreparedRequest:
        members: dict[str, Any] = {"EndpointName": request.endpoint, "Body": request.body, **dict(request.routing)}
        members |= {"ContentType": request.content_type} if request.content_type else {}
        members |= {"Accept": request.accept} if request.accept else {}
        members |= {name: int(value) for name, value in request.routing if name in WHOLE_NUMBERS}
        getattr(self._client(url, token), METHODS[request.operation])(**members)
        return self._sent.pop()


def random_request(random: Random) -> Request:
    operation = random.choice(OPERATIONS)
    members = sorted({*input_members(operation)} - {"EndpointName", "Body", "ContentType", "Accept"})
    bodies = (b"", b"{}", '{"inputs": "Grüße, 世界"}'.encode(), random.randbytes(random.randrange(5000)), b"\r\n\r\n")
    return Request(
        endpoint=random.choice(("my-endpoint", "Ab-1", "a", "e" * 63, "with space", "sl/ash", "ümlaut", "t~il.de_")),
        body=random.choice(bodies),
        content_type=random.choice(("application/json", "text/csv; charset=utf-8", "application/x-npy", "")),
        accept=random.choice(("application/json", "*/*", "application/jsonlines;verbose=true", "")),
        routing=tuple((name, random_value(random, name)) for name in members if random.random() < 0.3),
        operation=operation,
        repeat=random.randrange(3),
    )


def random_value(random: Random, name: str) -> str:
    if name in WHOLE_NUMBERS:
        return str(random.randint(60, 3600))
    return random.choice(
        ("AllTraffic", "a=b; c=d", "model.tar.gz", "  two  spaces ", "x" * 300, "~!*'()/?%20", "é", "`[0]` > `1`")
    )


def shared_headers(headers: dict[str, Any]) -> dict[str, bytes]:
    texts = {
        name.lower(): value if isinstance(value, bytes) else str(value).encode() for name, value in headers.items()
    }
    return {name: value for name, value in texts.items() if name not in OURS_ALONE}


@pytest.mark.usefixtures("fixed_clock")
def test_the_wire_equals_boto3s() -> None:
    random, boto, wires = Random(20261123), Boto3(), {url: wire_to(url) for url in URLS}
    credentials = {token: credentials_of(token) for token in (None, "IQoJ//session+token==")}
    for _ in range(300):
        request, url, token = random_request(random), random.choice(URLS), random.choice(list(credentials))
        theirs = boto.sends(request, url, token)
        ours = wires[url].sign(request, credentials[token], NOW)
        assert (ours.method, ours.url) == (theirs.method, theirs.url)
        assert shared_headers(ours.headers) == shared_headers(dict(theirs.headers))
        assert ours.body == (theirs.body or b"")


def signature(signed: SignedRequest) -> str:
    return signed.headers["Authorization"]


def test_each_second_each_body_and_each_credentials_have_a_signature_of_their_own() -> None:
    wire, first, second = wire_to(URLS[0]), credentials_of(None), credentials_of("token")
    request, other = Request("ep", b"1"), Request("ep", b"2")
    signed = [
        wire.sign(request, first, NOW),
        wire.sign(other, first, NOW),
        wire.sign(request, second, NOW),
        wire.sign(request, first, NOW + timedelta(seconds=1)),
        wire.sign(request, first, NOW + timedelta(days=1)),
    ]
    assert len({signature(one) for one in signed}) == 5
    assert signature(wire.sign(request, first, NOW)) == signature(signed[0])


def test_each_operation_has_a_path_of_its_own() -> None:
    wire, credentials = wire_to(URLS[0]), credentials_of(None)
    urls = [wire.sign(Request("ep", b"", operation=operation), credentials, NOW).url for operation in OPERATIONS]
    paths = ("invocations", "invocations-response-stream", "async-invocations")
    assert urls == [f"{URLS[0]}/endpoints/ep/{path}" for path in paths]


def test_members_that_change_with_every_call_do_not_pile_up() -> None:
    wire, credentials = wire_to(URLS[0]), credentials_of(None)
    for number in range(3000):
        wire.sign(Request("ep", b"", routing=(("InferenceId", str(number)),)), credentials, NOW)
    assert len(wire._templates) <= 1024


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("ep", b"", routing=(("CustomAttributes", "a\nX-Evil: 1"),)), "control character"),
        (Request("ep", b"", routing=(("Nonsense", "1"),)), "Nonsense"),
        (Request("ep", b"", routing=(("InferenceId", ""),)), "InferenceId"),
        (Request("ep", b"", routing=(("TargetModel", "a"),), operation=Operation.STREAM), "TargetModel"),
        (Request("ep", b"", routing=(("RequestTTLSeconds", "soon"),), operation=Operation.ASYNC), "no whole number"),
    ],
)
def test_members_that_cannot_be_sent_are_faults(request_: Request, message: str) -> None:
    with pytest.raises(EndpointFault, match=message) as caught:
        wire_to(URLS[0]).sign(request_, credentials_of(None), NOW)
    assert caught.value.code == "ParamValidation"


def test_no_secret_shows_in_a_signed_request_or_its_wire() -> None:
    wire = wire_to(URLS[0])
    signed = wire.sign(Request("ep", b"body"), credentials_of("session-token"), NOW)
    for shown in (repr(signed), repr(wire), repr(wire.target), repr(wire._templates)):
        assert "session-token" not in shown and "secret" not in shown and "Signature" not in shown
