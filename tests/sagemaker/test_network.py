from __future__ import annotations

import inspect
import ssl

import aiohttp
import pytest
from aiohttp import client_exceptions
from aiohttp.client_reqrep import ConnectionKey
from yarl import URL

from sagemaker_eval.sagemaker.faults import FAULTS, FaultContext
from sagemaker_eval.sagemaker.network import NETWORK_CODES, network_code, network_fault

CONTEXT = FaultContext("ep", "us-west-2", "https://runtime.sagemaker.us-west-2.amazonaws.com", timeout_ms=80_000)
KEY = ConnectionKey("h", 443, True, True, None, None, None)

CLIENT_EXCEPTIONS = [
    exception
    for _, exception in inspect.getmembers(client_exceptions, inspect.isclass)
    if issubclass(exception, aiohttp.ClientError)
]


@pytest.mark.parametrize("exception", CLIENT_EXCEPTIONS)
def test_every_exception_of_the_http_client_has_a_row(exception: type[aiohttp.ClientError]) -> None:
    assert network_code(exception.__new__(exception)) in FAULTS


def test_every_code_has_a_row() -> None:
    assert set(NETWORK_CODES.values()) <= set(FAULTS)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "Name or service not known")), "DNSError"),
        (aiohttp.ClientConnectorError(KEY, ConnectionRefusedError(111, "Connection refused")), "ConnectionError"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "Connection refused")), "ProxyError"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError(1, "wrong version number")), "SSLError"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("self-signed")), "CertificateError"),
        (aiohttp.ConnectionTimeoutError("to host"), "ConnectTimeout"),
        (aiohttp.SocketTimeoutError("reading"), "ReadTimeout"),
        (TimeoutError(), "ReadTimeout"),
        (aiohttp.ServerDisconnectedError(), "ConnectionClosed"),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), "ConnectionClosed"),
        (aiohttp.ClientConnectionResetError("Cannot write"), "ConnectionClosed"),
        (aiohttp.ClientPayloadError("Response payload is not completed"), "ConnectionClosed"),
        (aiohttp.InvalidURL("::"), "InvalidURL"),
        (ConnectionResetError(104, "Connection reset by peer"), "ConnectionError"),
    ],
)
def test_failures_on_the_way_have_their_codes(error: Exception, code: str) -> None:
    fault = network_fault(error, CONTEXT)
    assert fault is not None
    assert fault.code == code
    assert "\n" not in fault.message


def test_what_is_no_failure_of_the_network_is_none_of_its_faults() -> None:
    assert network_fault(KeyError("bug"), CONTEXT) is None


@pytest.mark.parametrize(("status", "code", "stops_run"), [(407, "407", True), (503, "ProxyError", False)])
def test_a_proxy_that_refuses_the_tunnel_does_not_betray_its_password(status: int, code: str, stops_run: bool) -> None:
    info = aiohttp.RequestInfo(URL("http://user:hush@proxy:3128"), "CONNECT", {}, URL("http://user:hush@proxy:3128"))  # type: ignore[arg-type]
    fault = network_fault(aiohttp.ClientHttpProxyError(info, (), status=status, message="no"), CONTEXT)
    assert fault is not None
    assert (fault.code, fault.stops_run) == (code, stops_run)
    assert "hush" not in fault.message
