"""Sums come out the same in whatever order their parts come."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.running.exact_sum import ExactSum, total

NUMBERS = st.lists(st.floats(-1e12, 1e12))


def sum_of(numbers: list[float]) -> ExactSum:
    exact = ExactSum()
    for number in numbers:
        exact.add(number)
    return exact


@given(NUMBERS)
def test_a_sum_is_the_exact_one_rounded_once(numbers: list[float]) -> None:
    assert sum_of(numbers).value == float(sum(map(Fraction, numbers)))


@given(NUMBERS, NUMBERS)
def test_sums_of_parts_are_the_sum_of_the_whole(some: list[float], more: list[float]) -> None:
    assert total([sum_of(more), sum_of(some)]) == sum_of(some + more).value


def test_what_is_no_number_is_left_out() -> None:
    assert sum_of([0.5, math.nan, math.inf, 0.25]).value == 0.75
