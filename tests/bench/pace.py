"""How fast an endpoint is asked: `maxConcurrency: auto` beside fixed settings, and requests per second for real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import mean

from sagemaker_eval.calling.adaptive import AdaptiveLimit, Limited
from sagemaker_eval.calling.rates import EndpointRates
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Invoke, Rates, Request
from sagemaker_eval.sagemaker.connections import ConnectionPool
from sagemaker_eval.sagemaker.session import static_target
from sagemaker_eval.sagemaker.transport import Transport
from sagemaker_eval.sagemaker.wire import Wire
from tests.bench.limited_endpoint import Capacity, limited_endpoint
from tests.bench.measures import Measured, at_least, at_most
from tests.bench.peers import bodies
from tests.bench.suites import ENDPOINT

CAPACITIES = (2, 7, 32)
ANSWERS_PER_SECOND = 200
"""What each endpoint can do: few enough for the processor not to matter."""

WORKERS = 64
LEARNING, CALLS, FIXED_CALLS = 200, 600, 300

RATE = 20.0
PACED_CALLS = 100


@dataclass(slots=True)
class _Run:
    """When calls ended, what the limit was then, and how many failed for good."""

    ends: list[float] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    errors: int = 0

    def per_second(self, first: int) -> float:
        """Answers per second from the `first` on, without the last ones, for which nothing came after."""
        ends = self.ends[first:-WORKERS]
        return (len(ends) - 1) / (ends[-1] - ends[0])


def adaptive() -> Iterator[Measured]:
    """(g) Calls in flight found while running, on endpoints of capacity 2, 7 and 32, and 20 starts a second."""
    for capacity in CAPACITIES:
        for refuses in (False, True):
            yield from asyncio.run(_beside_fixed(capacity, refuses=refuses))
    yield from asyncio.run(_spacing())


async def _beside_fixed(capacity: int, *, refuses: bool) -> list[Measured]:
    seconds = capacity / ANSWERS_PER_SECOND
    kind = f"K = {capacity}, {'refuses' if refuses else 'queues'} more"
    fixed = {}
    for in_flight in sorted({capacity, capacity + 1, capacity + capacity // 2}):
        async with limited_endpoint(Capacity(capacity, seconds, refuses=refuses)) as url:
            fixed[in_flight] = (await _calls(url, FIXED_CALLS, in_flight, None)).per_second(2 * capacity)
    best = max(fixed, key=lambda in_flight: fixed[in_flight])
    limit = AdaptiveLimit(WORKERS)
    async with limited_endpoint(Capacity(capacity, seconds, refuses=refuses)) as url:
        found = await _calls(url, CALLS, WORKERS, limit)
    width = mean(found.widths[LEARNING:-WORKERS])
    return [
        Measured("g", f"{kind}: best fixed setting, {best} in flight", f"{fixed[best]:.0f}/s"),
        Measured("g", f"{kind}: {limit.report()}", f"{width:.1f}"),
        at_most(
            "g", f"{kind}: off K after {LEARNING} calls", round(100 * abs(width - capacity) / capacity, 1), 20, " %"
        ),
        at_least("g", f"{kind}: beside the best fixed", found.per_second(LEARNING) / fixed[best], 0.9, " x"),
        at_most("g", f"{kind}: errors", found.errors, 0, ""),
    ]


async def _calls(url: str, calls: int, workers: int, limit: AdaptiveLimit | None) -> _Run:
    pool = ConnectionPool(workers)
    target = static_target(url, "us-east-1", "bench", "AKIABENCHMARKBENCHM1", "a secret")
    transport = Transport(Wire(target), target.credentials, pool)
    line: Invoke = Retrying(transport if limit is None else Limited(transport, limit), 3)
    run, share = _Run(), bodies(calls)

    async def work() -> None:
        for body in share:
            try:
                await line(Request(ENDPOINT, body))
            except EndpointFault:
                run.errors += 1
            run.ends.append(time.perf_counter())
            run.widths.append(limit.width if limit else workers)

    await asyncio.gather(*(work() for _ in range(workers)))
    await pool.close()
    return run


async def _spacing() -> list[Measured]:
    rates = EndpointRates()
    rates.limit(Rates(RATE))
    starts: list[float] = []

    async def call() -> None:
        await rates.turn(0)
        starts.append(time.perf_counter())

    await asyncio.gather(*(call() for _ in range(PACED_CALLS)))
    fullest = max(sum(first <= start <= first + 1 for start in starts) for first in starts)
    ideal, what = (PACED_CALLS - 1) / RATE, f"{PACED_CALLS} calls at {RATE:.0f}/s"
    off = abs(starts[-1] - starts[0] - ideal)
    return [
        at_most("g", f"{what}: most starts within a second", fullest, RATE + 1, ""),
        at_most("g", f"{what}: last start, off {ideal:.2f} s by", off * 1000, 1000 / RATE, " ms"),
    ]
