"""The HTTP server of the stand-in: a thread of its own, an event loop of its own, requests in and replies out.

    with Sandbox(load_script("script.yaml")) as sandbox:
        os.environ.update(sandbox.environment())
        ...

Every AWS SDK can call it, with the keys of the sandbox: SageMaker Runtime, and what belongs to it of SageMaker's
control plane, S3 and the price list, all on one port.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import nullcontext
from threading import Thread
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from aiohttp import web

from sagemaker_eval.errors import SetupError
from sagemaker_eval.sandbox.invocations import Invocation, read_invocation
from sagemaker_eval.sandbox.openai_path import BearerCheck
from sagemaker_eval.sandbox.replies import Chunk, Ending, Reply, aws_error, html_error
from sagemaker_eval.sandbox.request_log import LoggedRequest, Moments, RequestLog
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.service import Service
from sagemaker_eval.sandbox.signature import Incoming, SignatureCheck

LOOPBACK = "127.0.0.1"
REGION = "us-east-1"
MAX_BODY = 26 * 1024 * 1024
"""Bytes of a request body; a larger one gets HTTP 413."""

CONFLICTING_VARIABLES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""Variables that `Sandbox.environment` cannot overrule: a client of the sandbox must not have them."""

_ENDPOINT_VARIABLES = tuple(
    f"AWS_ENDPOINT_URL_{service}" for service in ("SAGEMAKER_RUNTIME", "SAGEMAKER", "S3", "PRICING")
)
_BACKLOG = 1024
_GRACE = 0.05
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a connection that ends with a reset in place of a farewell."""
_LOG = logging.getLogger(__name__)
_HTTP_LOG = logging.getLogger(f"{__name__}.http")
"""What aiohttp says of broken requests: with tracebacks, and of no use to anybody."""
_HTTP_LOG.addHandler(logging.NullHandler())
_HTTP_LOG.propagate = False


class Sandbox:
    """A context manager that serves while it is open.

    It listens on the loopback interface unless `host` says otherwise, on any free port unless `port` does. `clock`
    gives seconds since the epoch, `sleep` waits for seconds; `on_request` is called, in the thread of the server, for
    each request as it is answered. Opening it raises `SetupError` where it cannot listen.
    """

    access_key_id = "SANDBOXACCESSKEYID00"
    secret_access_key = "sandbox-secret-access-key-that-opens-nothing"

    def __init__(
        self,
        script: SandboxScript | None = None,
        host: str = LOOPBACK,
        port: int = 0,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        on_request: Callable[[LoggedRequest], None] | None = None,
    ) -> None:
        self._script = script or SandboxScript.parse(None, "")
        self._host = host
        self._wanted_port = port
        self._sleep = sleep
        self._on_request = on_request
        signatures = SignatureCheck(self.access_key_id, self.secret_access_key, clock)
        bearer = BearerCheck(self.access_key_id, self.secret_access_key, clock)
        self._service = Service(self._script, signatures, bearer, clock)
        self._log = RequestLog()
        self._port = 0
        self._thread: Thread | None = None
        self._stop: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        if self._thread is not None:
            raise RuntimeError("this sandbox is open already")
        ready: Future[tuple[int, Callable[[], object]]] = Future()
        self._thread = Thread(target=self._run, args=(ready,), name="sagemaker-sandbox", daemon=True)
        self._thread.start()
        try:
            self._port, self._stop = ready.result()
        except (OSError, OverflowError, UnicodeError) as error:
            self._thread.join()
            self._thread = None
            message = f"the sandbox cannot listen on {self._host}:{self._wanted_port}: {_reason(error)}"
            raise SetupError(message, "choose another port, or 0 for any free one") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stop is not None and self._thread is not None:
            self._stop()
            self._thread.join()
        self._thread = self._stop = None

    def wait(self) -> None:
        """Return when the server has ended; interrupted by Ctrl-C."""
        if self._thread is not None:
            self._thread.join()

    @property
    def port(self) -> int:
        """The port it listens on; 0 before it is opened."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients on this machine reach it."""
        host = {"0.0.0.0": LOOPBACK, "::": "::1", "": LOOPBACK}.get(self._host, self._host)
        return f"http://[{host}]:{self._port}" if ":" in host else f"http://{host}:{self._port}"

    @property
    def identity(self) -> str:
        """`sandbox:` and a digest of the script: the same for all sandboxes that answer alike, whatever their port."""
        return self._script.identity

    def deploys(self, endpoint: str) -> bool:
        """Whether the script says how an endpoint is deployed."""
        return self._script.rule_for(endpoint).deployment is not None

    @property
    def requests(self) -> tuple[LoggedRequest, ...]:
        """The newest requests, oldest first."""
        return self._log.entries()

    def count(self, endpoint: str | None = None) -> int:
        """Invocations received so far, attempt by attempt: all of them, or those of one endpoint.

        Calls of the control plane, of S3 and of the price list are none.
        """
        return self._log.count(endpoint)

    def environment(self) -> dict[str, str]:
        """The variables with which AWS SDKs and sageval call this sandbox, and nothing else, without a proxy.

        `CONFLICTING_VARIABLES` must not be set beside them.
        """
        direct = f"{LOOPBACK},localhost,::1"
        return {
            **dict.fromkeys(_ENDPOINT_VARIABLES, self.url),
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": "",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": direct,
            "no_proxy": direct,
        }

    def _run(self, ready: Future[tuple[int, Callable[[], object]]]) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: Future[tuple[int, Callable[[], object]]]) -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        http = web.Server(
            self._handle,
            request_factory=_request,
            handler_cancellation=True,
            access_log=None,
            logger=_HTTP_LOG,
            auto_decompress=False,
        )
        try:
            listener = await loop.create_server(http, self._host, self._wanted_port, backlog=_BACKLOG)
        except Exception as error:
            ready.set_exception(error)
            return
        port: int = listener.sockets[0].getsockname()[1]
        ready.set_result((port, lambda: loop.call_soon_threadsafe(stop.set)))
        await stop.wait()
        listener.close()
        await http.shutdown(_GRACE)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answers one request; a bug of ours is an InternalFailure, with its traceback in the debug log alone."""
        try:
            incoming = await _receive(request)
        except web.HTTPRequestEntityTooLarge:
            incoming = _incoming(request, b"")
            invocation, reply = read_invocation(incoming), html_error(413, "Request Entity Too Large")
        else:
            invocation = read_invocation(incoming)
            reply = self._reply(incoming, invocation)
        moments = self._record(incoming, invocation, reply.status)
        async with reply.place or nullcontext():
            if reply.delay_ms:
                await self._sleep(reply.delay_ms / 1000)
            moments.started = time.perf_counter()
            return await self._send(request, reply, moments)

    def _reply(self, incoming: Incoming, invocation: Invocation | None) -> Reply:
        try:
            return self._service.reply(incoming, invocation)
        except Exception:
            _LOG.debug("the sandbox failed", exc_info=True)
            return aws_error(500, "InternalFailure", {"Message": "The sandbox failed to answer this request."})

    def _record(self, incoming: Incoming, invocation: Invocation | None, status: int) -> Moments:
        endpoint = invocation.endpoint if invocation else None
        entry = LoggedRequest(incoming.method, incoming.target, endpoint, incoming.headers, incoming.body, status)
        self._log.add(entry)
        if self._on_request is not None:
            self._on_request(entry)
        return entry.moments

    async def _send(self, request: web.BaseRequest, reply: Reply, moments: Moments) -> web.StreamResponse:
        """The response, written as far as the reply's ending has it."""
        headers = {"x-amzn-RequestId": str(uuid4()), "Content-Type": reply.content_type, **dict(reply.headers)}
        if reply.ending is Ending.COMPLETE and reply.chunks is None:
            return web.Response(status=reply.status, body=reply.body, headers=headers)
        if reply.ending is Ending.NEVER and reply.chunks is None:
            await asyncio.Event().wait()
        response = web.StreamResponse(status=reply.status or 200, headers=headers)
        if reply.chunks is not None:
            await response.prepare(request)
            await self._write(response, reply.chunks, moments)
        elif reply.ending is Ending.TRUNCATED:
            response.content_length = len(reply.body) + 1
            await response.prepare(request)
            await response.write(reply.body)
        await _end(request, response, reply.ending)
        return response

    async def _write(self, response: web.StreamResponse, chunks: tuple[Chunk, ...], moments: Moments) -> None:
        for chunk in chunks:
            if chunk.wait_ms:
                await self._sleep(chunk.wait_ms / 1000)
            if chunk.has_token and moments.first_token is None:
                moments.first_token = time.perf_counter()
            await response.write(chunk.data)


def _reason(error: Exception) -> str:
    """Why there is no listening, without what asyncio says around it."""
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return str(error)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    """aiohttp's request, with a bound of ours for the body."""
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)


async def _receive(request: web.BaseRequest) -> Incoming:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
        request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    return _incoming(request, await request.read())


def _incoming(request: web.BaseRequest, body: bytes) -> Incoming:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        key = name.lower()
        headers[key] = f"{headers[key]},{value}" if key in headers else value
    return Incoming(request.method, request.raw_path, headers, body)


async def _end(request: web.BaseRequest, response: web.StreamResponse, ending: Ending) -> None:
    """Ends a response of which as much is written as there is to be."""
    if ending is Ending.COMPLETE:
        await response.write_eof()
    elif ending is Ending.NEVER:
        await asyncio.Event().wait()
    elif request.transport is not None:
        if ending is Ending.CUT and response.prepared:
            connection: socket.socket = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            request.transport.abort()
        request.transport.close()
