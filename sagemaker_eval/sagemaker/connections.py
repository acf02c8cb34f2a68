"""HTTP connections: one pool for a run, and what sends a request over it and reads the answer.

aiohttp is imported when the first call is sent: a run that the cache answers does not need it.
"""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from sagemaker_eval.errors import SetupError

if TYPE_CHECKING:
    import ssl

    import aiohttp
    from yarl import URL

CONNECT_TIMEOUT_S = 5.0

_LARGE_BODY = 1 << 20
"""Bytes above which aiohttp wants a body as a stream, so that writing it does not hold up the loop."""

_OPTIONAL_HEADERS = ("Accept", "Content-Type")
"""Headers that a request may lack, and that aiohttp would then make up."""


@dataclass(frozen=True, slots=True)
class Route:
    """How to reach one URL: through which proxy, and trusting which certificates."""

    url: URL
    options: Mapping[str, Any] = field(repr=False)


class ConnectionPool:
    """The connections of a run: at most `size` at a time, kept alive, made when the first call needs them.

    `proxies=False` ignores the proxies of the environment, which botocore (and so the pool) honours even for
    loopback addresses. Use it in one event loop, and close it there.
    """

    def __init__(self, size: int, proxies: bool = True) -> None:
        self.size = size
        self._proxies = proxies
        self._session: aiohttp.ClientSession | None = None
        self._contexts: dict[str | None, ssl.SSLContext] = {}

    def session(self) -> aiohttp.ClientSession:
        """The HTTP session of the run; call it in the running loop."""
        if self._session is None:
            import aiohttp

            connector = aiohttp.TCPConnector(limit=self.size, limit_per_host=self.size)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def route(self, url: str, ca_bundle: str | None, *, direct: bool = False) -> Route:
        """The route to `url`, which is percent-encoded; `direct` passes by every proxy.

        Raises `SetupError` where the certificates cannot be read.
        """
        from yarl import URL

        options: dict[str, Any] = {}
        if not direct and (proxy := self._proxy(url)):
            options["proxy"] = proxy
        if url.startswith("https:"):
            options["ssl"] = self._tls(ca_bundle)
        return Route(URL(url, encoded=True), options)

    def _proxy(self, url: str) -> str | None:
        from botocore.httpsession import ProxyConfiguration
        from botocore.utils import get_environ_proxies

        if not self._proxies:
            return None
        proxy: str | None = ProxyConfiguration(get_environ_proxies(url)).proxy_url_for(url)
        return proxy

    def _tls(self, ca_bundle: str | None) -> ssl.SSLContext:
        if ca_bundle not in self._contexts:
            self._contexts[ca_bundle] = _tls_context(ca_bundle)
        return self._contexts[ca_bundle]

    async def close(self) -> None:
        """Close all connections; closing twice, or a pool that was never used, does nothing."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _tls_context(ca_bundle: str | None) -> ssl.SSLContext:
    import os.path
    import ssl

    from botocore.httpsession import get_cert_path

    bundle = ca_bundle or str(get_cert_path(True))
    try:
        if os.path.isdir(bundle):
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as error:  # ssl.SSLError among them
        reason = error.strerror or str(error)
        raise SetupError(
            f"the certificates in `{bundle}` cannot be read: {reason}",
            "correct AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or `ca_bundle` of the AWS profile",
        ) from error


class Exchange(NamedTuple):
    """An HTTP answer of whatever status. `wire` is the time from just before sending to the last byte read, in ms."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    wire: float


class Sender:
    """Sends requests, each once, and reads the answers whole or leaves that to others. The way to a URL is found once.

    `direct` passes by every proxy. Nothing here judges an answer or tries again.
    """

    def __init__(
        self,
        pool: ConnectionPool,
        timeout_ms: float,
        *,
        ca_bundle: str | None = None,
        direct: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._pool = pool
        self._timeout_ms = timeout_ms
        self._ca_bundle = ca_bundle
        self._direct = direct
        self._clock = clock
        self._routes: dict[str, Route] = {}

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """The answer to one POST. Raises what aiohttp and the system raise, and `SetupError` as `ConnectionPool`."""
        route = self._routes.get(url) or self.route(url)
        started = self._clock()
        async with self._request(route, headers, body, route.options) as response:
            content = await response.read()
            return Exchange(response.status, response.headers, content, (self._clock() - started) * 1000)

    @asynccontextmanager
    async def open(self, url: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer to one POST with its body unread, for as long as it goes on; left early, its connection is closed.

        Here the time limit is that of a silence: before the headers, and between any two pieces of the body.
        Raises as `post`, while reading too.
        """
        import aiohttp

        route = self._routes.get(url) or self.route(url)
        silence = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT_S, sock_read=self._timeout_ms / 1000)
        async with self._request(route, headers, body, {**route.options, "timeout": silence}) as response:
            yield response

    def _request(
        self, route: Route, headers: Mapping[str, str], body: bytes, options: Mapping[str, Any]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        data = io.BytesIO(body) if len(body) > _LARGE_BODY else body
        lacking = [name for name in _OPTIONAL_HEADERS if name not in headers]
        return self._pool.session().request(
            "POST", route.url, data=data, headers=headers, skip_auto_headers=lacking or None, **options
        )

    def make_ready(self, url: str) -> None:
        """Libraries, route and session, so that nothing keeps a request from going out once it is made."""
        if url not in self._routes:
            self.route(url)
        self._pool.session()

    def route(self, url: str) -> Route:
        """The route to `url` with the time limits of this sender. Raises `SetupError` as `ConnectionPool.route`."""
        import aiohttp

        route = self._pool.route(url, self._ca_bundle, direct=self._direct)
        timeout = aiohttp.ClientTimeout(total=self._timeout_ms / 1000, sock_connect=CONNECT_TIMEOUT_S)
        route = self._routes[url] = Route(route.url, {**route.options, "allow_redirects": False, "timeout": timeout})
        return route
