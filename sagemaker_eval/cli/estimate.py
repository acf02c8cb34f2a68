"""What a run would take, as far as that can be told before it: calls, cache hits, time, cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.model import ProviderSpec, Response, SageMakerOptions
from sagemaker_eval.reporting.figures import counted, dollars, duration
from sagemaker_eval.running.scheduling import concurrency


@dataclass(slots=True)
class Expected:
    """What is expected of one provider. `latencies` are the wire times in ms of its answers in the cache."""

    spec: ProviderSpec
    calls: int = 0
    hits: int = 0
    latencies: list[float] = field(default_factory=list)

    def add(self, stored: Response | None) -> None:
        """Count one case, whose answer may be in the cache."""
        if stored is None:
            self.calls += 1
            return
        self.hits += 1
        self.latencies.append(stored.timings.wire)

    def seconds(self, in_flight: int) -> float | None:
        """How long the calls will take: by the mean latency so far and by every limit on the pace; None: unknown."""
        if not self.calls:
            return 0.0
        if not self.latencies:
            return None
        options = self.spec.options
        pace = (self.spec.delay_ms or 0) / 1000
        if isinstance(options, SageMakerOptions) and options.rates.requests_per_second:
            pace = max(pace, 1 / options.rates.requests_per_second)
        latency = sum(self.latencies) / len(self.latencies) / 1000
        return max(latency * self.calls / min(in_flight, self.calls), latency + pace * (self.calls - 1))


def estimate(run: Prepared, expected: list[Expected]) -> Iterator[str]:
    """The lines that a dry run ends with."""
    if not expected:
        return
    calls, hits = sum(part.calls for part in expected), sum(part.hits for part in expected)
    cache = f", {counted(hits, 'answer')} in the cache" if run.suite.cache else ", the cache is off"
    yield f"calls: {calls:,}{cache}; those of graders are not counted"
    times = {part.spec.name: part.seconds(concurrency(part.spec, run.suite)) for part in expected}
    unknown = [name for name, seconds in times.items() if seconds is None]
    known = max((seconds for seconds in times.values() if seconds is not None), default=0.0)
    if unknown:
        named = ", ".join(f"`{name}`" for name in unknown)
        yield f"time: not known for {named}: no answer in the cache tells how long one takes"
    if known or not unknown:
        yield f"time: about {duration(known * 1000)}, by the latency of the answers in the cache"
    yield from _cost(expected, times)


def _cost(expected: list[Expected], times: dict[str, float | None]) -> Iterator[str]:
    """By the price of an instance-hour: what only AWS could tell is not asked for, as nothing is sent."""
    priced: dict[str, tuple[float, float]] = {}
    for part in expected:
        options, seconds = part.spec.options, times[part.spec.name]
        if isinstance(options, SageMakerOptions) and options.instance_hourly_usd is not None and seconds is not None:
            _, longest = priced.get(options.endpoint, (0.0, 0.0))
            priced[options.endpoint] = options.instance_hourly_usd, max(longest, seconds)
    if priced:
        total = sum(hourly * seconds / 3600 for hourly, seconds in priced.values())
        yield f"cost: about {dollars(total)} for one instance of each endpoint with `instanceHourlyUsd`"
    else:
        prices = any(getattr(part.spec.options, "instance_hourly_usd", None) is not None for part in expected)
        yield f"cost: not known{', as the time is not' if prices else ': no provider has `instanceHourlyUsd`'}"
