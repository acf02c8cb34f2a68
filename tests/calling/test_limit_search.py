from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.limit_search import FIRST, LimitSearch, Sent


def full_house(search: LimitSearch) -> list[Sent]:
    """Calls for all of the width, sent at once."""
    return [search.sent(number + 1) for number in range(search.width)]


def rounds(search: LimitSearch, count: int, capacity: float = 1e9) -> Iterator[int]:
    """The width after each of so many rounds: all calls at once, answered in the time that a queue behind K takes."""
    for _ in range(count):
        for number in range(search.width):
            in_flight = search.width
            search.answered(search.sent(in_flight), 200 * max(1, in_flight / capacity) * (1 + 0.01 * (number % 3)))
        yield search.width


def test_it_begins_with_two_and_grows_up_to_the_most_where_nothing_speaks_against_it() -> None:
    search = LimitSearch(40)
    assert search.width == FIRST
    assert list(rounds(search, 30))[-1] == 40
    assert (search.limit, search.tried) == (float("inf"), 40)


def test_it_never_allows_more_than_the_most() -> None:
    search = LimitSearch(1)
    assert set(rounds(search, 30)) == {1}


@pytest.mark.parametrize("capacity", [2, 7, 32])
def test_it_stays_about_the_knee(capacity: int) -> None:
    search = LimitSearch(100)
    later = list(rounds(search, 80, capacity))[40:]
    assert sum(later) / len(later) == pytest.approx(capacity, rel=0.1)
    assert search.knee == pytest.approx(capacity, rel=0.1)


def test_it_follows_an_endpoint_that_grows() -> None:
    search = LimitSearch(100)
    assert list(rounds(search, 60, 4))[-1] <= 5
    assert list(rounds(search, 400, 12))[-1] == pytest.approx(12, abs=2)


def test_a_refusal_leaves_one_less_than_were_in_flight() -> None:
    search = LimitSearch(64)
    list(rounds(search, 8))
    calls = full_house(search)
    search.refused(calls[11])
    assert (search.width, search.ceiling) == (11, 11)


def test_all_refusals_of_calls_that_were_under_way_are_one_cut() -> None:
    search = LimitSearch(64)
    list(rounds(search, 8))
    calls = full_house(search)
    for call in reversed(calls[8:]):
        search.refused(call)
    assert search.width == len(calls) - 1


def test_cuts_that_follow_each_other_become_deeper() -> None:
    search = LimitSearch(64)
    list(rounds(search, 30))
    widths = []
    for _ in range(6):
        search.refused(full_house(search)[-1])
        widths.append(search.width)
    assert widths == [63, 62, 55, 44, 30, 18]


def test_steady_refusals_leave_one_call_in_flight() -> None:
    search = LimitSearch(64)
    for _ in range(50):
        search.refused(full_house(search)[-1])
    assert search.width == 1


def test_after_refusals_it_grows_again() -> None:
    search = LimitSearch(64)
    for _ in range(50):
        search.refused(full_house(search)[-1])
    assert list(rounds(search, 60))[-1] == 64


def test_one_more_is_tried_ever_more_rarely_where_it_is_refused_each_time() -> None:
    search = LimitSearch(64)
    tries = []
    for number in range(200):
        calls = full_house(search)
        for call in calls:
            if call.in_flight > 5:
                search.refused(call)
                tries.append(number)
            else:
                search.answered(call, 200)
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert search.ceiling == 5
    assert gaps[-1] == max(gaps)
    assert gaps[-1] >= 8


def test_refusals_at_random_do_not_hold_it_down() -> None:
    search = LimitSearch(64)
    widths = []
    for number in range(2_000):
        call = search.sent(search.width)
        if number % 20 == 7:
            search.refused(call)
        else:
            search.answered(call, 200)
        widths.append(search.width)
    later = widths[500:]
    assert sum(later) / len(later) > 4


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 80), st.floats(0.01, 1e6)), max_size=300), st.integers(1, 70))
def test_whatever_happens_the_width_is_between_one_and_the_most(
    story: list[tuple[bool, int, float]], most: int
) -> None:
    search = LimitSearch(most)
    for is_answered, in_flight, ms in story:
        call = search.sent(in_flight)
        if is_answered:
            search.answered(call, ms)
        else:
            search.refused(call)
        assert 1 <= search.width <= most
