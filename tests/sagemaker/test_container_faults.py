"""HTTP errors of a container that is called directly, and failures on the way to it."""

from __future__ import annotations

import errno
import json

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Json
from sagemaker_eval.sagemaker.container_faults import http_fault
from sagemaker_eval.sagemaker.container_network import network_fault

URL = "http://127.0.0.1:8080/invocations"
KEY = ConnectionKey("127.0.0.1", 8080, False, True, None, None, None)


def said(body: Json, status: int = 400) -> str:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return http_fault(status, content, URL).message.partition(": ")[2]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "m", "error": "e"}, "m: e"),
        ({"error": {"message": "inner", "type": "t"}}, "inner"),
        ({"detail": "Not Found"}, "Not Found"),
        ({"detail": [{"msg": "one"}, {"msg": "two"}]}, "one; two"),
        ({"errors": ["a", "b"]}, "a; b"),
        ("text alone", "text alone"),
        ({"code": 7}, '{"code": 7}'),
        ([], "[]"),
        (b"<html>\n busy </html>", "<html> busy </html>"),
        (b"", "no further message"),
        (b"\xff", "\ufffd"),
    ],
)
def test_what_a_body_says(body: Json, words: str) -> None:
    assert said(body) == words


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (400, Retry.NEVER),
        (408, Retry.COUNTED),
        (422, Retry.NEVER),
        (424, Retry.ONCE),
        (429, Retry.COUNTED),
        (500, Retry.ONCE),
        (502, Retry.COUNTED),
        (503, Retry.COUNTED),
        (507, Retry.ONCE),
    ],
)
def test_classes_are_those_of_a_model_error(status: int, retry: Retry) -> None:
    fault = http_fault(status, b"{}", URL)
    assert (fault.retry, fault.code, fault.original_status, fault.stops_run) == (retry, str(status), status, False)


def test_a_prompt_that_is_too_long_is_not_sent_again() -> None:
    fault = http_fault(500, b'{"error": "input is too long"}', URL)
    assert fault.retry is Retry.NEVER
    assert str(fault.hint).startswith("shorten the prompt")


def refused(number: int | None, text: str = "Connect call failed") -> aiohttp.ClientConnectorError:
    error = OSError(number, text) if number else OSError(text)
    return aiohttp.ClientConnectorError(KEY, error)


def fault_of(error: BaseException, *, reached: bool = False) -> EndpointFault:
    fault = network_fault(error, URL, 1_500, reached)
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    "error",
    [
        refused(errno.ECONNREFUSED),
        refused(None, f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] a, [Errno {errno.ECONNREFUSED}] b"),
    ],
)
def test_a_refused_connection_means_that_nobody_is_there(error: aiohttp.ClientConnectorError) -> None:
    fault = fault_of(error)
    assert (fault.message, fault.stops_run, fault.retry) == (f"nothing listens at {URL}", True, Retry.NEVER)


def test_but_not_of_a_container_that_has_answered_before() -> None:
    fault = fault_of(refused(errno.ECONNREFUSED), reached=True)
    assert (fault.stops_run, fault.retry) == (False, Retry.COUNTED)
    assert fault.message == f"cannot connect to {URL} (ConnectionError): Connection refused"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (TimeoutError(), f"no answer from {URL} within 1,500 ms (ReadTimeout)"),
        (refused(errno.EHOSTUNREACH), f"cannot connect to {URL} (ConnectionError): No route to host"),
        (aiohttp.ServerDisconnectedError(), f"the connection to {URL} was closed before the answer was complete"),
    ],
)
def test_words_without_aws(error: BaseException, message: str) -> None:
    fault = fault_of(error)
    assert fault.message.startswith(message)
    assert fault.retry is Retry.COUNTED
    assert "AWS" not in f"{fault.message}{fault.hint}" and "SageMaker" not in f"{fault.message}{fault.hint}"


def test_an_exception_of_another_kind_is_no_fault() -> None:
    assert network_fault(KeyError("bug"), URL, 1, False) is None
