"""Failures on the way to the service: each exception of aiohttp and of the system to one code of the fault table."""

from __future__ import annotations

import os
import socket
import ssl

import aiohttp

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.sagemaker.faults import FaultContext, classify
from sagemaker_eval.sagemaker.hints import one_line

NETWORK_CODES: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "DNSError",
    aiohttp.ClientSSLError: "SSLError",
    aiohttp.ClientConnectorCertificateError: "CertificateError",
    aiohttp.ServerFingerprintMismatch: "CertificateError",
    ssl.SSLCertVerificationError: "CertificateError",
    ssl.SSLError: "SSLError",
    aiohttp.ClientProxyConnectionError: "ProxyError",
    aiohttp.ClientHttpProxyError: "ProxyError",
    aiohttp.ConnectionTimeoutError: "ConnectTimeout",
    aiohttp.ServerTimeoutError: "ReadTimeout",
    TimeoutError: "ReadTimeout",
    aiohttp.ClientConnectorError: "ConnectionError",
    aiohttp.ClientConnectionError: "ConnectionClosed",
    aiohttp.ClientPayloadError: "ConnectionClosed",
    aiohttp.InvalidURL: "InvalidURL",
    aiohttp.NonHttpUrlClientError: "InvalidURL",
    aiohttp.RedirectClientError: "InvalidURL",
    aiohttp.ClientResponseError: "BadResponse",
    aiohttp.ClientError: "ConnectionClosed",
    OSError: "ConnectionError",
}
"""The nearest ancestor decides. A timeout without a class of its own ran out while the answer was awaited."""


def network_code(error: BaseException) -> str | None:
    """The code of a failure on the way, None for an exception that is none."""
    return next((NETWORK_CODES[ancestor] for ancestor in type(error).__mro__ if ancestor in NETWORK_CODES), None)


def network_fault(error: BaseException, context: FaultContext) -> EndpointFault | None:
    """The fault that an exception of the HTTP client stands for, None for an exception that is no such failure."""
    code = network_code(error)
    if code is None:
        return None
    if isinstance(error, aiohttp.ClientHttpProxyError) and error.status == 407:
        return classify("407", 407, {}, context)
    return classify(code, None, {"Message": reason_of(error)}, context)


def reason_of(error: BaseException) -> str:
    """The system's own words; addresses are left out, for the table names the URL, and a proxy's holds a password."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return one_line(_system_words(error.os_error))
    if isinstance(error, aiohttp.ClientResponseError):
        return one_line(error.message)
    return one_line(str(error))


def _system_words(error: OSError) -> str:
    """What the operating system calls the failure; asyncio words some anew, with the address."""
    if isinstance(error, (ssl.SSLError, socket.gaierror)) or not error.errno or error.errno < 0:
        return error.strerror or str(error)
    return os.strerror(error.errno)
