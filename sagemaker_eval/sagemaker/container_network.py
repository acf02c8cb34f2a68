"""Failures on the way to a container that is called directly: the classes of the fault table, in words of their own."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from urllib.parse import urlsplit

import aiohttp

from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.sagemaker.container_faults import LOG
from sagemaker_eval.sagemaker.faults import FAULTS
from sagemaker_eval.sagemaker.network import network_code, reason_of

_CHECK_URL = "check the URL of the provider, and that the container publishes its port"
_REFUSED = f"[Errno {errno.ECONNREFUSED}]"

_WORDS: Mapping[str, tuple[str, str]] = {
    "ConnectionError": ("cannot connect to {url}", _CHECK_URL),
    "ConnectTimeout": ("no connection to {url} in time", _CHECK_URL),
    "DNSError": ("the name in {url} cannot be resolved", "check the URL of the provider"),
    "InvalidURL": ("{url} cannot be called", "check the URL of the provider"),
    "BadResponse": ("{url} did not answer in HTTP", "check what listens there: " + LOG),
    "ConnectionClosed": ("the connection to {url} was closed before the answer was complete", LOG),
    "ReadTimeout": (
        "no answer from {url} within {timeout_ms:,.0f} ms",
        "allow it more time (`timeoutMs`), or ask for fewer tokens (`maxTokens`)",
    ),
}


def network_fault(error: BaseException, url: str, timeout_ms: float, reached: bool) -> EndpointFault | None:
    """The fault that an exception of the HTTP client stands for, None for an exception that is no such failure.

    A connection that is refused by a container never `reached` before stops the run without another try: nobody
    listens there. Later it may be a container that is being restarted.
    """
    code = network_code(error)
    if code is None:
        return None
    if not reached and _is_refused(error):
        return _nobody(url)
    row = FAULTS[code]
    meaning, hint = _WORDS.get(code, (row.meaning, row.hint))
    reason = reason_of(error)
    told = f"{meaning.format(url=url, timeout_ms=timeout_ms)} ({code})"
    return EndpointFault(
        f"{told}: {reason}" if reason else told,
        code=code,
        retry=row.retry,
        stops_run=row.stops_run,
        hint=hint and hint.format(url=url),
    )


def _nobody(url: str) -> EndpointFault:
    port = urlsplit(url).port or 80
    return EndpointFault(
        f"nothing listens at {url}",
        code="ConnectionError",
        retry=Retry.NEVER,
        stops_run=True,
        hint=f"start the container first, for example `docker run -p {port}:8080 <image> serve`, or correct the URL",
    )


def _is_refused(error: BaseException) -> bool:
    """A name with several addresses fails with one error for all of them, which has no number of its own."""
    if not isinstance(error, aiohttp.ClientConnectorError):
        return False
    cause = error.os_error
    return cause.errno == errno.ECONNREFUSED or (cause.errno is None and _REFUSED in str(cause))
