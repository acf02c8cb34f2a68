"""What sageval is measured beside, each as a program of its own that prints calls per second.

`python -m tests.bench.peers boto3|transport|bare URL CALLS IN_FLIGHT`
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.bench.instant_server import RESPONSE
from tests.bench.suites import ENDPOINT


def bodies(count: int) -> Iterator[bytes]:
    """The request bodies of so many calls, no two the same."""
    for number in range(count):
        prompt = f"Answer the question in one sentence. Question: What is the capital of France? ({number})"
        yield json.dumps({"inputs": prompt, "parameters": {"max_new_tokens": 1024, "temperature": 0.7}}).encode()


def boto3_calls(url: str, calls: int, in_flight: int) -> float:
    """Calls per second of a plain boto3 client shared by threads, its retries off."""
    import boto3
    from botocore.config import Config

    config = Config(max_pool_connections=in_flight, retries={"total_max_attempts": 1})
    client = boto3.client("sagemaker-runtime", endpoint_url=url, config=config)

    def call(body: bytes) -> None:
        answer = client.invoke_endpoint(
            EndpointName=ENDPOINT, Body=body, ContentType="application/json", Accept="application/json"
        )
        answer["Body"].read()

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(call, bodies(in_flight)))
        began = time.perf_counter()
        for _ in pool.map(call, bodies(calls)):
            pass
        return calls / (time.perf_counter() - began)


def transport_calls(url: str, calls: int, in_flight: int) -> float:
    """Calls per second of sageval's transport alone: signed, sent, read."""
    from sagemaker_eval.model import Request
    from sagemaker_eval.sagemaker.session import static_target
    from sagemaker_eval.sagemaker.transport import ConnectionPool, Transport
    from sagemaker_eval.sagemaker.wire import Wire

    async def measure() -> float:
        pool = ConnectionPool(in_flight)
        target = static_target(url, "us-east-1", "bench", "AKIABENCHMARKBENCHM1", "a secret")
        transport = Transport(Wire(target), target.credentials, pool)

        async def work(share: Iterator[bytes]) -> None:
            for body in share:
                await transport(Request(ENDPOINT, body))

        await work(bodies(1))
        began = time.perf_counter()
        share = bodies(calls)
        await asyncio.gather(*(work(share) for _ in range(in_flight)))
        seconds = time.perf_counter() - began
        await pool.close()
        return calls / seconds

    return asyncio.run(measure())


class _BareClient(asyncio.Protocol):
    """Sends the same unsigned request again as soon as it is answered."""

    def __init__(self, request: bytes, left: Iterator[int], done: asyncio.Future[None]) -> None:
        self._request = request
        self._left = left
        self._done = done
        self._received = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received >= len(RESPONSE):
            self._received -= len(RESPONSE)
            self._send()

    def _send(self) -> None:
        if next(self._left, None) is None:
            self._transport.close()
            self._done.set_result(None)
        else:
            self._transport.write(self._request)


def bare_calls(url: str, calls: int, in_flight: int) -> float:
    """Requests per second of the endpoint itself, as far as a client without any HTTP library can tell."""
    body = next(bodies(1))
    head = f"POST /endpoints/{ENDPOINT}/invocations HTTP/1.1\r\nHost: bench\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body

    async def measure() -> float:
        loop = asyncio.get_running_loop()
        left, port = iter(range(calls)), int(url.rpartition(":")[2])
        ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(in_flight)]
        began = time.perf_counter()
        for end in ends:
            await loop.create_connection(functools.partial(_BareClient, request, left, end), "127.0.0.1", port)
        await asyncio.gather(*ends)
        return calls / (time.perf_counter() - began)

    return asyncio.run(measure())


PEERS = {"boto3": boto3_calls, "transport": transport_calls, "bare": bare_calls}

if __name__ == "__main__":
    name, url, calls, in_flight = sys.argv[1:]
    sys.stdout.write(f"{PEERS[name](url, int(calls), int(in_flight))}\n")
