from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.saturation import Saturation

LEVELS = (1, 2, 4, 8, 16, 32, 64)


def measured(latency: Callable[[int], float], jitter: float = 0.0, answers: int = 30, seed: int = 0) -> Saturation:
    """What is known after so many answers at each level, whose logarithms scatter by `jitter`."""
    random, saturation = Random(seed), Saturation()
    for in_flight in LEVELS:
        for _ in range(answers):
            saturation.add(in_flight, latency(in_flight) * math.exp(random.gauss(0, jitter)))
    return saturation


@given(st.floats(2, 50), st.floats(0.1, 1e5))
def test_the_number_of_calls_that_are_answered_at_a_time_is_found(capacity: float, ms: float) -> None:
    knee = measured(lambda in_flight: ms * max(1, in_flight / capacity), answers=3).knee()
    assert knee.in_flight == pytest.approx(capacity, rel=1e-6)
    assert knee.confidence > 9


@pytest.mark.parametrize("capacity", [2, 7, 32])
@pytest.mark.parametrize("seed", range(5))
def test_answers_of_different_length_hide_it_little(capacity: int, seed: int) -> None:
    knee = measured(lambda in_flight: 200 * max(1, in_flight / capacity), jitter=0.3, seed=seed).knee()
    assert knee.in_flight == pytest.approx(capacity, rel=0.2)
    assert knee.confidence > 9


def test_one_answer_that_takes_a_hundred_times_as_long_decides_nothing() -> None:
    saturation = measured(lambda in_flight: 200 * max(1, in_flight / 7), jitter=0.1)
    saturation.add(2, 20_000)
    assert saturation.knee().in_flight == pytest.approx(7, rel=0.1)


@pytest.mark.parametrize("seed", range(5))
def test_where_more_calls_take_no_longer_there_is_none_to_speak_of(seed: int) -> None:
    assert measured(lambda _: 200, jitter=0.3, seed=seed).knee().confidence < 9


def test_where_calls_slow_each_other_down_gradually_it_lies_at_two_thirds_of_the_throughput() -> None:
    knee = measured(lambda in_flight: 200 * (1 + in_flight / 10), jitter=0.05).knee()
    assert knee.in_flight == pytest.approx(20, rel=0.2)


def test_nothing_is_concluded_from_a_single_level() -> None:
    saturation = Saturation()
    assert saturation.knee().in_flight == math.inf
    for ms in (100, 300):
        saturation.add(4, ms)
    assert saturation.knee().in_flight == math.inf


def test_what_was_measured_long_ago_gives_way() -> None:
    saturation = measured(lambda in_flight: 200 * max(1, in_flight / 4))
    for _ in range(20):
        for in_flight in LEVELS:
            for _ in range(30):
                saturation.add(in_flight, 200 * max(1, in_flight / 24))
        knee = saturation.knee()
    assert knee.in_flight == pytest.approx(24, rel=0.1)


def test_answers_per_second_follow_from_latency_and_calls_in_flight() -> None:
    saturation = measured(lambda in_flight: 200 * max(1, in_flight / 8))
    assert [saturation.answers_per_second(level) for level in (2, 4, 8, 32)] == pytest.approx([10, 20, 40, 40])
