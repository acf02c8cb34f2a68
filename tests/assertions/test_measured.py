"""What was measured of the call, and what its assertions say of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.assertions.judging import Undecided
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Response, Timings, TokenUsage, Verdict

Judged = Callable[..., Verdict]


@pytest.mark.parametrize(
    ("wire", "threshold", "passed"), [(99.9, 100, True), (100.0, 100, True), (100.001, 100, False), (0.0, 0, True)]
)
def test_an_answer_may_take_as_long_as_the_threshold(
    judged: Judged, wire: float, threshold: float, passed: bool
) -> None:
    assert judged("x", "latency", threshold=threshold, wire=wire).passed is passed
    assert judged("x", "not-latency", threshold=threshold, wire=wire).passed is not passed


def test_only_the_wire_time_counts(judged: Judged) -> None:
    waited = Response("x", attempts=3, timings=Timings(queue=500, backoff=4000, wire=80, total=4580))
    assert judged(None, "latency", threshold=100, response=waited).passed


def test_a_cached_answer_keeps_its_original_time(judged: Judged) -> None:
    cached = Response("x", attempts=0, cached=True, timings=Timings(wire=1500))
    verdict = judged(None, "latency", threshold=1000, response=cached)
    assert verdict.reason == "Expected a latency of at most 1000 ms; it was 1500 ms"


def test_where_nothing_is_called_nothing_is_waited_for(judged: Judged) -> None:
    echoed = Response("x", attempts=0)
    assert judged(None, "latency", threshold=0, response=echoed).passed
    opposite = judged(None, "not-latency", threshold=5, response=echoed)
    assert opposite.reason == "Expected a latency above 5 ms; no call was made"


@pytest.mark.parametrize(
    ("type", "wire", "reason"),
    [
        ("latency", 2000.04321, "Expected a latency of at most 2000 ms; it was 2000.043 ms"),
        ("not-latency", 12.5, "Expected a latency above 2000 ms; it was 12.5 ms"),
    ],
)
def test_a_failure_says_how_long_it_took(judged: Judged, type: str, wire: float, reason: str) -> None:
    assert judged("x", type, threshold=2000.0, wire=wire).reason == reason


@pytest.mark.parametrize("threshold", [None, -1, float("nan")])
def test_a_threshold_is_needed(judged: Judged, threshold: float | None) -> None:
    with pytest.raises(ConfigError, match="`latency` needs a `threshold` in milliseconds"):
        judged("x", "latency", threshold=threshold)


@pytest.mark.parametrize(("most", "passed"), [(0.002, True), (0.0021, True), (0.0019, False)])
def test_a_cost_is_what_the_provider_told(judged: Judged, most: float, passed: bool) -> None:
    answer = Response("x", cost=0.002)
    assert judged(None, "cost", threshold=most, response=answer).passed is passed
    assert judged(None, "not-cost", threshold=most, response=answer).passed is not passed


def test_a_cost_that_nobody_tells_cannot_be_judged(judged: Judged) -> None:
    with pytest.raises(Undecided, match="`sagemaker:e` tells no cost"):
        judged("x", "cost", threshold=1)


def test_tokens_of_prompt_and_answer_count_together(judged: Judged) -> None:
    answer = Response("x", usage=TokenUsage(prompt=30, completion=12, estimated=True))
    assert judged(None, "tokens", threshold=42, response=answer).passed
    assert judged(None, "tokens", threshold=41, response=answer).reason == (
        "Expected tokens of at most 41; it took about 42"
    )


@pytest.mark.parametrize("type", ["cost", "tokens", "ttft", "tokens-per-second"])
def test_a_measure_needs_a_threshold(judged: Judged, type: str) -> None:
    with pytest.raises(ConfigError, match="needs a `threshold`"):
        judged("x", type)


def streamed(first: float | None, wire: float = 900.0) -> Response:
    return Response("x", timings=Timings(queue=5000, backoff=5000, wire=wire, first_token=first, total=wire))


@pytest.mark.parametrize(("first", "passed"), [(99.9, True), (100.0, True), (100.001, False)])
def test_the_first_token_may_take_as_long_as_the_threshold(judged: Judged, first: float, passed: bool) -> None:
    assert judged(None, "ttft", threshold=100, response=streamed(first)).passed is passed
    assert judged(None, "not-ttft", threshold=100, response=streamed(first)).passed is not passed


def test_a_late_first_token_is_told(judged: Judged) -> None:
    late = judged(None, "ttft", threshold=200, response=streamed(250.12345))
    assert late.reason == "Expected a time to first token of at most 200 ms; it was 250.123 ms"
    early = judged(None, "not-ttft", threshold=200, response=streamed(50))
    assert early.reason == "Expected a time to first token above 200 ms; it was 50 ms"


def test_a_cached_answer_keeps_the_time_of_its_first_token(judged: Judged) -> None:
    cached = Response("x", attempts=0, cached=True, timings=Timings(wire=900, first_token=250))
    assert not judged(None, "ttft", threshold=200, response=cached).passed


@pytest.mark.parametrize("type", ["ttft", "not-ttft"])
def test_an_answer_that_came_whole_has_no_first_token(judged: Judged, type: str) -> None:
    with pytest.raises(Undecided, match="did not come token by token") as caught:
        judged(None, type, threshold=100, response=streamed(None))
    assert "`stream: true`" in (caught.value.reason.hint or "")


def generated(tokens: int, wire: float, **more: Any) -> Response:
    return Response(more.pop("output", "x"), usage=TokenUsage(50, tokens), timings=Timings(wire=wire), **more)


@pytest.mark.parametrize(("tokens", "wire", "passed"), [(20, 1000, True), (19, 1000, False), (19, 949, True)])
def test_tokens_per_second_must_reach_the_threshold(judged: Judged, tokens: int, wire: float, passed: bool) -> None:
    answer = generated(tokens, wire)
    assert judged(None, "tokens-per-second", threshold=20, response=answer).passed is passed
    assert judged(None, "not-tokens-per-second", threshold=20, response=answer).passed is not passed


def test_a_slow_answer_says_how_slow_and_whether_its_tokens_were_counted(judged: Judged) -> None:
    counted = judged(None, "tokens-per-second", threshold=20, response=generated(10, 3000))
    assert counted.reason == "Expected tokens per second of at least 20; it was 3.333"
    about = Response("x", usage=TokenUsage(50, 40, estimated=True), timings=Timings(wire=1000))
    estimated = judged(None, "not-tokens-per-second", threshold=20, response=about)
    assert estimated.reason == "Expected tokens per second below 20; it was about 40"


def test_a_cached_answer_keeps_its_rate(judged: Judged) -> None:
    cached = generated(40, 1000, attempts=0, cached=True)
    assert judged(None, "tokens-per-second", threshold=40, response=cached).passed


def test_an_empty_answer_came_at_no_rate(judged: Judged) -> None:
    assert not judged(None, "tokens-per-second", threshold=1, response=generated(0, 500, output="")).passed


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (generated(5, 0, attempts=0), "no time was measured"),
        (generated(0, 500), "`sagemaker:e` tells no tokens of its answer"),
    ],
)
def test_a_rate_that_nobody_measured_cannot_be_judged(judged: Judged, response: Response, reason: str) -> None:
    with pytest.raises(Undecided, match=reason):
        judged(None, "tokens-per-second", threshold=1, response=response)
