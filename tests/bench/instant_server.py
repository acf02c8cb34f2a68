"""An endpoint that takes no time of its own: every request gets one fixed answer, at once or after a fixed latency.

It prints its port, then its count of requests for each line on stdin. It ends with stdin or after its lifetime.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys

BODY = (
    b'[{"generated_text":"The capital of France is Paris, a city of two million people on the Seine.",'
    b'"details":{"finish_reason":"eos_token","generated_tokens":19,"prefill":[]}}]'
)
"""What a TGI container answers when it is asked for details."""

RESPONSE = (
    b"HTTP/1.1 200 OK\r\n"
    b"x-amzn-RequestId: 5f1a2d3c-0000-4000-8000-0123456789ab\r\n"
    b"x-Amzn-Invoked-Production-Variant: AllTraffic\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Counter:
    """How many requests have come in."""

    def __init__(self) -> None:
        self.requests = 0


class InstantEndpoint(asyncio.Protocol):
    """One keep-alive connection. Requests are told apart and otherwise not read."""

    def __init__(self, counter: Counter, latency: float) -> None:
        self._counter = counter
        self._latency = latency
        self._loop = asyncio.get_running_loop()
        self._unread = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while size := request_size(self._unread):
            self._unread = self._unread[size:]
            self._counter.requests += 1
            if self._latency:
                self._loop.call_later(self._latency, self._transport.write, RESPONSE)
            else:
                self._transport.write(RESPONSE)


def request_size(data: bytes) -> int:
    """The bytes of the first request in `data`, 0 while it is not complete."""
    head = data.find(b"\r\n\r\n")
    if head < 0:
        return 0
    length = _LENGTH.search(data, 0, head)
    size = head + 4 + (int(length[1]) if length else 0)
    return size if len(data) >= size else 0


async def serve(latency: float, lifetime: float) -> None:
    """Serve on a free port of the loopback interface until stdin ends or `lifetime` seconds have passed."""
    loop = asyncio.get_running_loop()
    counter, ended = Counter(), asyncio.Event()

    def answer_parent() -> None:
        if os.read(sys.stdin.fileno(), 1):
            _say(counter.requests)
        else:
            ended.set()

    server = await loop.create_server(lambda: InstantEndpoint(counter, latency), "127.0.0.1", 0, backlog=1024)
    loop.add_reader(sys.stdin.fileno(), answer_parent)
    loop.call_later(lifetime, ended.set)
    _say(server.sockets[0].getsockname()[1])
    await ended.wait()
    server.close()


def _say(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--lifetime", type=float, default=600.0, metavar="SECONDS")
    arguments = parser.parse_args()
    asyncio.run(serve(arguments.latency, arguments.lifetime))


if __name__ == "__main__":
    main()
