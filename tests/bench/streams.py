"""How soon the first token of a stream is noticed: what is told of it beside what the endpoint knows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import quantiles

from sagemaker_eval.formats.streams import streaming_body
from sagemaker_eval.model import Operation, Request
from tests.bench.lines import line_to
from tests.bench.measures import Measured, at_most
from tests.bench.peers import bodies
from tests.bench.sandbox import SandboxProcess
from tests.bench.suites import ENDPOINT

IN_FLIGHT = 100
STREAMS = 500
LIMIT_MS = 10

_ANSWER = " ".join(["token"] * 40)
_SCRIPT = {
    ENDPOINT: {
        "shape": "tgi",
        "latency": 200,
        "jitter": 100,
        "stream": {"firstToken": 100, "interToken": 40},
        "answers": [{"answer": _ANSWER}],
    }
}


def streams() -> Iterator[Measured]:
    """(i) The time to the first token, 100 streams of 25 tokens a second at a time, beside the endpoint's truth."""
    with SandboxProcess(_SCRIPT) as sandbox:
        told = asyncio.run(_first_tokens(sandbox.url))
        truth = sandbox.first_tokens()
    late = sorted((told[body] - truth[body]) * 1000 for body in told)
    cuts = quantiles(late, n=100, method="inclusive")
    what = f"first token of {STREAMS} streams, {IN_FLIGHT} at once, beside its writing"
    yield Measured("i", f"{what}: p50", f"{cuts[49]:.2f} ms")
    yield at_most("i", f"{what}: p95", cuts[94], LIMIT_MS, " ms")
    yield at_most("i", f"{what}: most", max(abs(late[0]), late[-1]), LIMIT_MS, " ms")


async def _first_tokens(url: str) -> dict[bytes, float]:
    """When the first token of each stream came, by `time.perf_counter`, as the timings of its answer tell."""
    moments: dict[bytes, float] = {}
    async with line_to(url, Operation.STREAM, in_flight=IN_FLIGHT) as line:
        share = iter([streaming_body(body, "huggingface") for body in bodies(STREAMS)])

        async def work() -> None:
            for body in share:
                answer = await line(Request(ENDPOINT, body, operation=Operation.STREAM))
                timings = answer.timings
                assert timings.first_token is not None
                moments[body] = time.perf_counter() + (timings.first_token - timings.wire) / 1000

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return moments
