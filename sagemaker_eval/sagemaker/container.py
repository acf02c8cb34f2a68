"""A model container that is called directly, without SageMaker in between: `POST /invocations`, unsigned.

The contract is that of SageMaker's own containers ("Use your own inference code with hosting services", Amazon
SageMaker developer guide), so that an image can be tried before it is deployed. No credentials are looked for, and
nothing is sent that names AWS.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, urlsplit, urlunsplit

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.connections import ConnectionPool, Sender
from sagemaker_eval.sagemaker.container_faults import http_fault
from sagemaker_eval.sagemaker.stream_transport import Decoder, Pace
from sagemaker_eval.sagemaker.wire import UNSIGNED_HEADERS

_PATH = "/invocations"
_LITERAL = "/%:@!$&'()*+,;=~?"
"""What stands for itself in a path and a query (RFC 3986, section 3.3), and `%`, which begins what is encoded."""


def invocations_url(url: str) -> str:
    """Where the requests for a container go, percent-encoded: `/invocations`, or the path of its own that a URL has."""
    parts = urlsplit(url)
    path = _PATH if parts.path in ("", "/") else quote(parts.path, _LITERAL)
    return urlunsplit((parts.scheme, parts.netloc.lower(), path, quote(parts.query, _LITERAL), ""))


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine, whatever a name server says."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


class ContainerTransport:
    """An `Invoke` that sends once and reads the answer; `endpoint` of a request is the URL that it goes to.

    `reached` says whether the container has been heard of: a connection that is refused before means that there is
    none, and stops the run. With a `decoder` answers are streams, `timeout_ms` is the longest silence in one, and only
    complete ones are answers. Raises `EndpointFault`.
    """

    def __init__(
        self,
        url: str,
        pool: ConnectionPool,
        timeout_ms: float,
        reached: Callable[[], bool],
        decoder: Callable[[str], Decoder] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._decoder = decoder
        self._clock = clock
        self._sender = Sender(pool, timeout_ms, direct=is_loopback(url))
        self._timeout_ms = timeout_ms
        self._reached = reached

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt; `timings.wire` runs from just before sending to the last byte read."""
        try:
            return await (self._sent(request) if self._decoder is None else self._streamed(request, self._decoder))
        except EndpointFault:
            raise
        except Exception as error:
            from sagemaker_eval.sagemaker.container_network import network_fault

            fault = network_fault(error, request.endpoint, self._timeout_ms, self._reached())
            if fault is None:
                raise
            raise fault from error

    async def _sent(self, request: Request) -> Answer:
        headers = _headers(request.content_type, request.accept)
        status, told, body, wire = await self._sender.post(request.endpoint, headers, request.body)
        if status >= 300:
            raise http_fault(status, body, request.endpoint)
        return Answer(
            body=body,
            content_type=told.get("Content-Type", ""),
            status=status,
            request_id=told.get("X-Request-Id"),
            timings=Timings(wire=wire, total=wire),
        )

    async def _streamed(self, request: Request, new_decoder: Callable[[str], Decoder]) -> Answer:
        started, headers = self._clock(), _headers(request.content_type, request.accept)
        async with self._sender.open(request.endpoint, headers, request.body) as response:
            if response.status >= 300:
                raise http_fault(response.status, await response.read(), request.endpoint)
            content_type = response.headers.get("Content-Type", "")
            decoder, pace, body = new_decoder(content_type), Pace(), bytearray()
            async for data in response.content.iter_any():
                now = self._clock()
                body += data
                pace.add(decoder.feed(data), now)
            ended = self._clock()
            decoder.close()
            return Answer(
                body=bytes(body),
                content_type=content_type,
                status=response.status,
                request_id=response.headers.get("X-Request-Id"),
                timings=pace.timings(started, ended),
            )

    async def make_ready(self, request: Request) -> None:
        """Libraries, route and session, so that nothing keeps a call from going out once it is made."""
        self._sender.make_ready(request.endpoint)


@lru_cache(maxsize=64)
def _headers(content_type: str, accept: str) -> dict[str, str]:
    """Shared between requests: whoever sends it must not change it."""
    return {"Content-Type": content_type, "Accept": accept, **UNSIGNED_HEADERS}
