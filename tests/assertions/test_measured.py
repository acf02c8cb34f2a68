"""What latency says of an answer."""

from __future__ import annotations

from collections.abc import Callable

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


@pytest.mark.parametrize("type", ["cost", "tokens"])
def test_a_measure_needs_a_threshold(judged: Judged, type: str) -> None:
    with pytest.raises(ConfigError, match="needs a `threshold`"):
        judged("x", type)
