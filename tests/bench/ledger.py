"""Where the time of an answer goes, on a real clock: latency is the wire's alone, and nothing is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from statistics import mean

from sagemaker_eval.model import Answer, Request
from tests.bench.lines import line_to
from tests.bench.measures import Measured, at_most
from tests.bench.peers import bodies
from tests.bench.sandbox import SandboxProcess
from tests.bench.suites import ENDPOINT

LATENCY_MS = 50
DELAY_MS = 700
THROTTLES = 2
CASES = 5

_SCRIPT = {ENDPOINT: {"shape": "tgi", "latency": LATENCY_MS, "faults": {"throttling": {"first": THROTTLES}}}}


def ledger() -> Iterator[Measured]:
    """(h) An endpoint of 50 ms behind a delay of 700 ms, which throttles each request twice."""
    with SandboxProcess(_SCRIPT) as sandbox:
        cases = asyncio.run(_cases(sandbox.url))
    if any(answer.attempts != THROTTLES + 1 for answer, _ in cases):
        raise RuntimeError("not every case was throttled as often as it should be: the figures would mean nothing")
    timings = [answer.timings for answer, _ in cases]
    sums = [told.queue + told.backoff + told.cold_start + told.wire for told in timings]
    what = f"{LATENCY_MS} ms endpoint, delay {DELAY_MS} ms, {THROTTLES} throttles"
    yield Measured("h", f"{what}: queue, mean", f"{mean(told.queue for told in timings):,.0f} ms")
    yield Measured("h", f"{what}: back-off, mean", f"{mean(told.backoff for told in timings):,.0f} ms")
    yield Measured("h", f"{what}: wire, mean", f"{mean(told.wire for told in timings):.1f} ms")
    off = max(abs(told.wire - LATENCY_MS) for told in timings)
    yield at_most("h", f"{what}: wire, most off {LATENCY_MS} ms", off, 10, " ms")
    off = max(abs(total - told.total) for total, told in zip(sums, timings, strict=True))
    yield at_most("h", f"{what}: sum of the parts, most off the total", off, 2, " ms")
    off = max(abs(total - elapsed) for total, (_, elapsed) in zip(sums, cases, strict=True))
    yield at_most("h", f"{what}: sum of the parts, most off the time of the caller", off, 2, " ms")


async def _cases(url: str) -> list[tuple[Answer, float]]:
    """The answers, one after the other, and how many ms the caller waited for each."""
    cases = []
    async with line_to(url, delay_ms=DELAY_MS) as line:
        await line.settle()
        for body in bodies(CASES):
            began = time.perf_counter()
            answer = await line(Request(ENDPOINT, body))
            cases.append((answer, (time.perf_counter() - began) * 1000))
    return cases
