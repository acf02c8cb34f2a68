"""What the user hears while nothing finishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from sagemaker_eval.model import Case, Column, Prompt, ProviderSpec, Row, TestCase
from sagemaker_eval.running.watchdog import Watchdog

COLUMN = Column(0, ProviderSpec("sagemaker:llama:m", "sagemaker", label="Llama"), Prompt("{{q}}", "p", "1"))


class Time:
    """A clock that stands still until somebody sleeps; after `naps` of them the watch is over."""

    def __init__(self, naps: int = 0) -> None:
        self.now = 1000.0
        self._naps = naps

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if not self._naps:
            raise asyncio.CancelledError
        self._naps -= 1
        self.now += seconds


def case(index: int, description: str | None = None, provider: ProviderSpec | None = None) -> Case:
    return Case(index, Row(index, TestCase(description, provider=provider), 0, {}), COLUMN)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def watchdog(time: Time, heard: list[str]) -> Watchdog:
    return Watchdog(heard.append, clock=time)


def after(time: Time, seconds: float, look: Callable[[], float]) -> float:
    """Look again so many seconds later; the seconds until the next look."""
    time.now += seconds
    return look()


def test_a_minute_without_a_finished_case_is_worth_a_word(watchdog: Watchdog, time: Time, heard: list[str]) -> None:
    watchdog.enter(case(3))
    assert after(time, 59, watchdog.look) == 1
    assert heard == []
    after(time, 1, watchdog.look)
    assert heard == [
        "nothing has finished for 60 s; in flight: Llama, test 3, for 60 s, waiting for an answer",
    ]


def test_each_further_silence_is_twice_as_long(heard: list[str]) -> None:
    time = Time(naps=4)
    watchdog = Watchdog(heard.append, clock=time, sleep=time.sleep)
    watchdog.enter(case(0))
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watchdog.watch())
    assert [line.split(";")[0] for line in heard] == [
        f"nothing has finished for {seconds} s" for seconds in (60, 120, 240, 480)
    ]


def test_a_finished_case_starts_the_silence_anew(watchdog: Watchdog, time: Time, heard: list[str]) -> None:
    watchdog.enter(case(0))
    watchdog.enter(case(1))
    after(time, 100, watchdog.look)
    watchdog.leave(case(0))
    assert after(time, 50, watchdog.look) == 10
    after(time, 10, watchdog.look)
    assert [line.split(", ")[-2] for line in heard] == ["for 100 s", "for 160 s"]


def test_the_three_that_take_longest_are_named(watchdog: Watchdog, time: Time, heard: list[str]) -> None:
    for index in range(5):
        watchdog.enter(case(index))
        time.now += 10
    after(time, 60, watchdog.look)
    (line,) = heard
    assert [f"test {index}," in line for index in range(5)] == [True, True, True, False, False]
    assert line.endswith("; 2 more")


def test_what_a_case_is_at_is_told(watchdog: Watchdog, time: Time, heard: list[str]) -> None:
    judged = case(0, description="long   words " * 10)
    watchdog.enter(judged)
    watchdog.step(judged, "being judged")
    after(time, 60, watchdog.look)
    assert "test 0 (long words long words long words long words long words long…), for 60 s, being judged" in heard[0]


def test_what_an_endpoint_waits_for_is_told_of_the_provider_that_is_asked(time: Time, heard: list[str]) -> None:
    own = ProviderSpec("sagemaker:e", "sagemaker")
    watchdog = Watchdog(heard.append, lambda spec: "waiting to warm up" if spec is own else None, time)
    watchdog.enter(case(0, provider=own))
    watchdog.enter(case(1))
    after(time, 60, watchdog.look)
    assert "test 0, for 60 s, waiting to warm up; Llama, test 1, for 60 s, waiting for an answer" in heard[0]


def test_without_a_case_in_flight_there_is_nothing_to_tell(watchdog: Watchdog, time: Time, heard: list[str]) -> None:
    assert after(time, 60, watchdog.look) == 60
    assert heard == []
