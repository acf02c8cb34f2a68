"""An endpoint on the loopback interface that answers K requests at a time and lets the others wait, or refuses them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from tests.bench.instant_server import RESPONSE, request_size

_JITTER = 0.2
_REFUSAL = b'{"message":null}'
_REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"x-amzn-ErrorType: ThrottlingException\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL)
)


class Capacity:
    """K places, in which a request stays for `seconds` in the mean of logarithms."""

    def __init__(self, places: int, seconds: float, *, refuses: bool) -> None:
        self._free = asyncio.Semaphore(places)
        self._seconds = seconds
        self._refuses = refuses
        self._random = Random(0)

    async def response(self) -> bytes:
        """The answer to one request."""
        if self._refuses and self._free.locked():
            return _REFUSED
        async with self._free:
            await asyncio.sleep(self._seconds * math.exp(self._random.gauss(0, _JITTER)))
        return RESPONSE


class _Connection(asyncio.Protocol):
    """One keep-alive connection, on which a request comes when the one before is answered."""

    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._unread = b""
        self._answering: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if size := request_size(self._unread):
            self._unread = self._unread[size:]
            self._answering = asyncio.create_task(self._answer())

    async def _answer(self) -> None:
        self._transport.write(await self._capacity.response())


@asynccontextmanager
async def limited_endpoint(capacity: Capacity) -> AsyncIterator[str]:
    """Its URL; it is served by the running loop until the block ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(capacity), "127.0.0.1", 0, backlog=1024)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
