from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from sagemaker_eval.errors import SetupError
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import MAX_BODY, Sandbox

PROMPT = {"inputs": "Name a tea shop", "parameters": {"max_new_tokens": 20}}


def error_of(call: Callable[[], object]) -> tuple[int, str, str | None]:
    """HTTP status, code and message of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call()
    response: Any = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"].get("Message")


def exchange(sandbox: Sandbox, request: bytes) -> bytes:
    """The status line that raw bytes get."""
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline()


def test_boto3_gets_an_answer(serve: Any, connect: Any) -> None:
    response = connect(serve()).invoke("llama-3", PROMPT)

    assert response["ContentType"] == "application/json"
    assert response["InvokedProductionVariant"] == "AllTraffic"
    assert response["ResponseMetadata"]["RequestId"]
    assert b"Tea Shop" in response["Body"]


def test_custom_attributes_come_back_and_the_wanted_variant_answers(serve: Any, connect: Any) -> None:
    response = connect(serve()).invoke("llama-3", PROMPT, CustomAttributes="trace=1", TargetVariant="blue")

    assert response["CustomAttributes"] == "trace=1"
    assert response["InvokedProductionVariant"] == "blue"


def test_a_wrong_secret_is_told_by_the_signature(serve: Any, connect: Any) -> None:
    caller = connect(serve(), secret="wrong")

    status, code, message = error_of(lambda: caller.invoke("llama-3", PROMPT))

    assert (status, code) == (403, "InvalidSignatureException")
    assert message is not None
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_an_unknown_key_is_refused(serve: Any, connect: Any) -> None:
    caller = connect(serve(), key_id="SOMEBODYELSE")

    assert error_of(lambda: caller.invoke("llama-3", PROMPT)) == (
        403,
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )


def test_the_environment_leads_the_default_chain_to_the_sandbox(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = serve()
    for name, value in sandbox.environment().items():
        monkeypatch.setenv(name, value)

    client = boto3.Session().client("sagemaker-runtime")
    client.invoke_endpoint(EndpointName="llama-3", Body=b'{"inputs": "hello"}')["Body"].read()
    client.close()

    assert sandbox.count("llama-3") == 1


def test_requests_are_logged_with_what_became_of_them(serve: Any, connect: Any) -> None:
    seen: list[LoggedRequest] = []
    sandbox = serve("missing: [gone]", on_request=seen.append)
    caller = connect(sandbox)
    caller.invoke("llama-3", {"inputs": "hello"}, Accept="application/json")
    error_of(lambda: caller.invoke("gone", PROMPT))

    first, second = sandbox.requests
    assert (first.method, first.path, first.status) == ("POST", "/endpoints/llama-3/invocations", 200)
    assert (first.body, first.headers["accept"]) == (b'{"inputs": "hello"}', "application/json")
    assert (second.endpoint, second.status) == ("gone", 400)
    assert (sandbox.count(), sandbox.count("gone"), sandbox.count("other")) == (2, 1, 0)
    assert seen == [first, second]


def test_only_invocations_are_counted(serve: Any, connect: Any) -> None:
    sandbox = serve()
    exchange(sandbox, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connect(sandbox).invoke("llama-3", PROMPT)

    assert (sandbox.count(), len(sandbox.requests)) == (1, 2)


def test_the_moment_of_an_answer_is_kept(serve: Any, connect: Any) -> None:
    sandbox = serve()
    before = time.perf_counter()
    connect(sandbox).invoke("llama-3", PROMPT)

    (request,) = sandbox.requests
    assert before < request.answer_started_at < time.perf_counter()
    assert request.first_token_at is None


def test_many_callers_at_once_each_get_their_own_answer(serve: Any, connect: Any) -> None:
    sandbox = serve('endpoints: {"*": {answers: [{pattern: "item (\\\\d+)$", answer: "about \\\\1"}]}}')
    caller = connect(sandbox)

    def ask(number: int) -> str:
        text: str = caller.ask("llama-3", {"inputs": f"item {number}"})["generated_text"]
        return text

    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(ask, range(400)))

    assert answers == [f"about {number}" for number in range(400)]
    assert sandbox.count("llama-3") == 400


def test_latency_is_slept_before_the_answer(serve: Any, connect: Any) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    sandbox = serve('endpoints: {"slow-*": {latency: 120, jitter: 30, seed: 7}}', sleep=sleep)
    caller = connect(sandbox)
    for endpoint in ("slow-1", "slow-1", "fast"):
        caller.invoke(endpoint, PROMPT)

    assert len(slept) == 2
    assert all(0.09 <= seconds <= 0.15 for seconds in slept)
    assert slept[0] != slept[1]


def test_a_cut_connection_ends_without_an_answer(serve: Any, connect: Any) -> None:
    caller = connect(serve('endpoints: {"*": {faults: {disconnect: 1}}}'))

    with pytest.raises(ConnectionClosedError):
        caller.invoke("llama-3", PROMPT)


def test_a_truncated_body_breaks_off(serve: Any, connect: Any) -> None:
    caller = connect(serve('endpoints: {"*": {faults: {truncated: 1}}}'))

    with pytest.raises((ResponseStreamingError, HTTPClientError)) as caught:
        caller.invoke("llama-3", PROMPT)
    assert not isinstance(caught.value, ReadTimeoutError)


def test_an_endpoint_that_never_answers_does_not_keep_the_sandbox_open(serve: Any) -> None:
    arrived: Queue[LoggedRequest] = Queue()
    sandbox = serve('endpoints: {"*": {faults: {timeout: 1}}}', on_request=arrived.put)

    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=20) as connection:
        connection.sendall(signed_request(sandbox))
        status = arrived.get(timeout=20).status
        sandbox.__exit__(None, None, None)
        answer = connection.recv(100)

    assert (status, answer) == (0, b"")


def test_a_body_above_the_limit_is_refused(serve: Any, connect: Any) -> None:
    sandbox = serve()
    caller = connect(sandbox)

    status, code, _ = error_of(lambda: caller.invoke("llama-3", b"x" * (MAX_BODY + 1)))

    assert (status, code) == (413, "413")
    assert caller.ask("llama-3", PROMPT)["generated_text"]


@pytest.mark.parametrize(
    ("request_bytes", "status_line"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n"),
        (b"GET /endpoints/a/invocations HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n"),
        (b"POST /endpoints//invocations HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 404 Not Found\r\n"),
        (b"POST /endpoints/a/invocations HTTP/1.1\r\nHost: x\r\n\r\n", b"HTTP/1.1 403 Forbidden\r\n"),
        (b"this is not HTTP\r\n\r\n", b"HTTP/1.0 400 Bad Request\r\n"),
    ],
)
def test_strange_requests_get_an_error_and_leave_the_server_alive(
    serve: Any, connect: Any, capfd: pytest.CaptureFixture[str], request_bytes: bytes, status_line: bytes
) -> None:
    sandbox = serve()

    assert exchange(sandbox, request_bytes) == status_line
    assert connect(sandbox).ask("llama-3", PROMPT)["generated_text"]
    assert capfd.readouterr() == ("", "")


def test_a_bug_of_the_sandbox_is_an_internal_failure_without_a_traceback(
    serve: Any, connect: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    broken: list[bool] = []

    def clock() -> float:
        return 1 / 0 if broken else 0.0

    caller = connect(serve(clock=clock))
    broken.append(True)

    assert error_of(lambda: caller.invoke("llama-3", PROMPT))[:2] == (500, "InternalFailure")
    assert capfd.readouterr() == ("", "")


def test_a_caller_that_expects_100_continue_is_told_to_go_on(serve: Any) -> None:
    request = b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"

    assert exchange(serve(), request) == b"HTTP/1.1 100 Continue\r\n"


def test_a_taken_port_is_said_so(serve: Any) -> None:
    port = serve().port

    with pytest.raises(SetupError) as caught, Sandbox(port=port):
        pass

    assert caught.value.message == f"the sandbox cannot listen on 127.0.0.1:{port}: address already in use"
    assert caught.value.hint == "choose another port, or 0 for any free one"


def test_a_port_that_cannot_be_is_said_so() -> None:
    with pytest.raises(SetupError, match=r"cannot listen on 127\.0\.0\.1:70000"), Sandbox(port=70000):
        pass


def test_a_sandbox_can_be_opened_again_after_it_was_closed() -> None:
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox:
            assert exchange(sandbox, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").startswith(b"HTTP/1.1 404")


def signed_request(sandbox: Sandbox) -> bytes:
    body = b'{"inputs": "hello"}'
    request = AWSRequest("POST", f"{sandbox.url}/endpoints/a/invocations", {"Host": f"127.0.0.1:{sandbox.port}"}, body)
    SigV4Auth(Credentials(sandbox.access_key_id, sandbox.secret_access_key), "sagemaker", "us-east-1").add_auth(request)
    lines = [f"{name}: {value}" for name, value in request.headers.items()]
    head = "\r\n".join(["POST /endpoints/a/invocations HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
    return head.encode() + body
