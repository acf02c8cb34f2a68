"""The way to the service and back: one pool of HTTP connections for a run, one `Invoke` over it for each provider.

aiohttp is imported when the first call is sent: a run that the cache answers does not need it.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sagemaker_eval.errors import EndpointFault, SetupError
from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.credentials import CredentialSource
from sagemaker_eval.sagemaker.faults import FaultContext, classify
from sagemaker_eval.sagemaker.service import parse_error
from sagemaker_eval.sagemaker.wire import SignedRequest, Wire

if TYPE_CHECKING:
    import ssl

    import aiohttp
    from botocore.credentials import ReadOnlyCredentials
    from yarl import URL

CONNECT_TIMEOUT_S = 5.0
DEFAULT_TIMEOUT_MS = 80_000
"""Outlasts the 60 s that SageMaker gives a model: a client that gives up first has the answer computed twice."""

_LARGE_BODY = 1 << 20
"""Bytes above which aiohttp wants a body as a stream, so that writing it does not hold up the loop."""

_OPTIONAL_HEADERS = ("Accept", "Content-Type")
"""Headers that a request may lack, and that aiohttp would then make up."""

_HIDDEN = "***"


def utc_now() -> datetime:
    return datetime.now(UTC)


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

    def route(self, url: str, ca_bundle: str | None) -> Route:
        """The route to `url`, which is percent-encoded. Raises `SetupError` where the certificates cannot be read."""
        from yarl import URL

        options: dict[str, Any] = {}
        if proxy := self._proxy(url):
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


class Transport:
    """An `Invoke` that signs, sends once and reads the answer; nothing here tries again.

    Raises `EndpointFault` for every failure of the call (`stops_run` marks what the caller turns into a
    `SetupError`), and `SetupError` where there are no credentials to sign with.
    """

    def __init__(
        self,
        wire: Wire,
        credentials: CredentialSource,
        pool: ConnectionPool,
        timeout_ms: float = DEFAULT_TIMEOUT_MS,
        clock: Callable[[], float] = time.perf_counter,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._wire = wire
        self._credentials = credentials
        self._pool = pool
        self._timeout_ms = timeout_ms
        self._clock = clock
        self._now = now
        self._routes: dict[str, Route] = {}

    async def __call__(self, request: Request) -> Answer:
        """The answer to one attempt; `timings.wire` runs from just before sending to the last byte read."""
        credentials = await self._credentials.fresh()
        signed = self._wire.sign(request, credentials, self._now())
        route = self._routes.get(signed.url) or self._route(signed.url)
        started = self._clock()
        try:
            status, headers, body = await self._send(route, signed)
        except Exception as error:
            fault = self._network_fault(error, request)
            if fault is None:
                raise
            raise fault from error
        wire = (self._clock() - started) * 1000
        if status >= 300:
            raise self._service_fault(status, headers, body, request, credentials)
        return Answer(
            body=body,
            content_type=headers.get("Content-Type", ""),
            status=status,
            variant=headers.get("x-Amzn-Invoked-Production-Variant"),
            request_id=headers.get("x-amzn-RequestId"),
            timings=Timings(wire=wire, total=wire),
        )

    async def make_ready(self, request: Request) -> None:
        """Credentials, libraries, route and session, so that nothing keeps a call from going out once it is made."""
        signed = self._wire.sign(request, await self._credentials.fresh(), self._now())
        if signed.url not in self._routes:
            self._route(signed.url)
        self._pool.session()

    async def _send(self, route: Route, signed: SignedRequest) -> tuple[int, Mapping[str, str], bytes]:
        body = io.BytesIO(signed.body) if len(signed.body) > _LARGE_BODY else signed.body
        lacking = [name for name in _OPTIONAL_HEADERS if name not in signed.headers]
        async with self._pool.session().request(
            signed.method,
            route.url,
            data=body,
            headers=signed.headers,
            skip_auto_headers=lacking or None,
            **route.options,
        ) as response:
            return response.status, response.headers, await response.read()

    def _route(self, url: str) -> Route:
        import aiohttp

        route = self._pool.route(url, self._wire.target.ca_bundle)
        timeout = aiohttp.ClientTimeout(total=self._timeout_ms / 1000, sock_connect=CONNECT_TIMEOUT_S)
        options = {**route.options, "allow_redirects": False, "timeout": timeout}
        route = self._routes[url] = Route(route.url, options)
        return route

    def _network_fault(self, error: Exception, request: Request) -> EndpointFault | None:
        from sagemaker_eval.sagemaker.network import network_fault

        return network_fault(error, self._context(request))

    def _service_fault(
        self, status: int, headers: Mapping[str, str], body: bytes, request: Request, credentials: ReadOnlyCredentials
    ) -> EndpointFault:
        error = parse_error(status, headers, body)
        fields = {name: _without_secrets(value, credentials) for name, value in error.fields.items()}
        return classify(error.code, status, {**fields, "RequestId": error.request_id}, self._context(request))

    def _context(self, request: Request) -> FaultContext:
        target = self._wire.target
        kind, _, account = target.identity.partition(":")
        return FaultContext(
            endpoint=request.endpoint,
            region=target.region,
            url=target.url,
            body_size=len(request.body),
            timeout_ms=self._timeout_ms,
            account=account if kind == "account" else None,
        )


def _without_secrets(value: Any, credentials: ReadOnlyCredentials) -> Any:
    """`value` with what must never be shown blotted out: services and proxies quote the request that they refuse."""
    if isinstance(value, str):
        for secret in (credentials.secret_key, credentials.token):
            if secret:
                value = value.replace(secret, _HIDDEN)
    return value
