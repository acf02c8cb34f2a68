"""What is measured, and the limits. Each part yields the rows of the table that it fills."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.endpoint import Endpoint
from tests.bench.processes import SAGEVAL, environment, run
from tests.bench.suites import SAGEMAKER, workplace

CALLS = 10_240
IN_FLIGHT = 64
PEER_CALLS = 3_200
ROUNDS = 3

LATENCY = 0.2
LATENCY_IN_FLIGHT = 256

CACHED_CASES = 10_000
STARTS = 11

FEW_CASES, MANY_CASES = 1_000, 100_000
SCRIPTED_CASES = 10_000


@dataclass(frozen=True, slots=True)
class Measured:
    """A row of the table. `holds` says whether the limit is kept, None where there is no limit."""

    part: str
    what: str
    figure: str
    limit: str = ""
    holds: bool | None = None


def at_least(part: str, what: str, value: float, limit: float, unit: str) -> Measured:
    """A row whose figure must not fall below its limit."""
    return Measured(part, what, _figure(value, unit), f"≥ {_figure(limit, unit)}", value >= limit)


def at_most(part: str, what: str, value: float, limit: float, unit: str) -> Measured:
    """A row whose figure must not exceed its limit."""
    return Measured(part, what, _figure(value, unit), f"≤ {_figure(limit, unit)}", value <= limit)


def throughput() -> Iterator[Measured]:
    """(a) Calls per second on an endpoint that takes no time, everything on, beside its peers."""
    with Endpoint() as endpoint, workplace(CALLS, endpoint.url) as place:
        bare = max(_peer("bare", endpoint, 2 * CALLS) for _ in range(ROUNDS))
        transport = max(_peer("transport", endpoint, CALLS) for _ in range(ROUNDS))
        engine, whole, processor, boto3 = 0.0, 0.0, float("inf"), 0.0
        for _ in range(ROUNDS):
            boto3 = max(boto3, _peer("boto3", endpoint, PEER_CALLS))
            place.forget()
            before = endpoint.requests()
            finished, seconds = place.timed_eval("-j", str(IN_FLIGHT))
            _expect_calls(endpoint.requests() - before, CALLS)
            engine, whole = max(engine, CALLS / seconds), max(whole, CALLS / finished.wall)
            processor = min(processor, finished.processor / CALLS)
    yield at_least("a", "instant endpoint, client without HTTP library", bare, 15_000, "/s")
    yield Measured("a", "transport alone: sign, send, read", _figure(transport, "/s"))
    yield Measured("a", f"boto3, one client, {IN_FLIGHT} threads", _figure(boto3, "/s"))
    yield Measured("a", f"sageval, {IN_FLIGHT} in flight, first case to last", _figure(engine, "/s"))
    yield Measured("a", "sageval, whole process", _figure(whole, "/s"))
    yield Measured("a", "sageval, processor time of the process", _figure(processor * 1e6, " µs/call"))
    yield at_least("a", "sageval, first case to last, beside boto3", engine / boto3, 3.0, " x")


def waiting() -> Iterator[Measured]:
    """(b) Calls that take 200 ms, 256 in flight: how near the run comes to what waiting alone takes."""
    ideal = CALLS / LATENCY_IN_FLIGHT * LATENCY
    with Endpoint(LATENCY) as endpoint, workplace(CALLS, endpoint.url) as place:
        seconds = []
        for _ in range(ROUNDS):
            place.forget()
            seconds.append(place.timed_eval("-j", str(LATENCY_IN_FLIGHT))[1])
    what = f"{CALLS:,} calls of {LATENCY * 1000:.0f} ms, {LATENCY_IN_FLIGHT} in flight (waiting alone: {ideal:.1f} s)"
    yield at_most("b", what, min(seconds), 1.1 * ideal, " s")


def starting() -> Iterator[Measured]:
    """(c) What a user waits for besides the endpoint."""
    with Endpoint() as endpoint, workplace(1, endpoint.url) as place:
        versions = [run([SAGEVAL, "--version"], place.environ).wall for _ in range(STARTS)]
        fresh = []
        for _ in range(STARTS):
            place.forget()
            fresh.append(place.eval().wall)
        cached = [place.eval().wall for _ in range(STARTS)]
    yield at_most("c", "sageval --version, median", statistics.median(versions), 0.15, " s")
    yield at_most("c", "one test, one call, whole process, median", statistics.median(fresh), 1.0, " s")
    yield Measured("c", "one test, cached, whole process, median", _figure(statistics.median(cached), " s"))


def cached() -> Iterator[Measured]:
    """(d) Cases that the cache answers, with the table."""
    with Endpoint() as endpoint, workplace(CACHED_CASES, endpoint.url) as place:
        place.eval("-j", str(IN_FLIGHT))
        before = endpoint.requests()
        runs = [place.eval() for _ in range(ROUNDS)]
        _expect_calls(endpoint.requests() - before, 0)
        seconds = min(place.timed_eval()[1] for _ in range(ROUNDS))
    best = min(finished.wall for finished in runs)
    what = f"{CACHED_CASES:,} cached cases and the table"
    yield at_least("d", f"{what}, whole process", CACHED_CASES / best, 4_000, "/s")
    yield Measured("d", f"{what}, first case to last", _figure(seconds / CACHED_CASES * 1e6, " µs/case"))


def memory() -> Iterator[Measured]:
    """(e) How much more memory a hundred times the cases take: of JSONL, each a call; of CSV, without calls."""
    with Endpoint() as endpoint:
        calls = [_peak(cases, endpoint.url, ".jsonl", SAGEMAKER) for cases in (FEW_CASES, MANY_CASES)]
    echoes = [_peak(cases, "", ".csv", "echo") for cases in (FEW_CASES, MANY_CASES)]
    for what, (few, many) in (("calls, tests from .jsonl", calls), ("echoes, tests from .csv", echoes)):
        what = f"peak memory, {MANY_CASES:,} {what}: beyond that of {FEW_CASES:,} ({few:.0f} MB)"
        yield at_most("e", what, many - few, 60.0, " MB")


def judging() -> Iterator[Measured]:
    """(f) How long it takes to judge, without any call: processor seconds of one core."""
    command = [sys.executable, "-m", "tests.bench.judging"]
    with tempfile.TemporaryDirectory() as home:
        figures = [run([*command, what], environment(Path(home), "")).output for what in ("text", "python")]
    text, python = map(float, figures)
    yield at_most("f", f"{MANY_CASES:,} cases x 3 text assertions", text, 20.0, " s")
    yield at_most("f", f"{SCRIPTED_CASES:,} trivial Python checks", python, 1.0, " s")


PARTS: dict[str, Callable[[], Iterator[Measured]]] = {
    "a": throughput,
    "b": waiting,
    "c": starting,
    "d": cached,
    "e": memory,
    "f": judging,
}


def _peak(cases: int, url: str, ending: str, provider: str) -> float:
    with workplace(cases, url, ending, provider) as place:
        return place.eval("-j", str(IN_FLIGHT), "--fail-under", "0").peak_mb


def _peer(name: str, endpoint: Endpoint, calls: int) -> float:
    """Calls per second of a peer, measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.peers", name, endpoint.url, str(calls), str(IN_FLIGHT)]
    with tempfile.TemporaryDirectory() as home:
        return float(run(command, environment(Path(home), endpoint.url)).output)


def _expect_calls(made: int, wanted: int) -> None:
    if made != wanted:
        raise RuntimeError(f"{made:,} calls were made instead of {wanted:,}: the figures would mean nothing")


def _figure(value: float, unit: str) -> str:
    return f"{value:,.0f}{unit}" if value >= 100 else f"{value:.3g}{unit}"
