"""What latency says of an answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Response, Timings, Verdict

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
