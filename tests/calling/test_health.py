from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from sagemaker_eval.calling.health import CIRCUIT_OPEN, Guarded, Health
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"hello")


def now() -> float:
    return asyncio.get_running_loop().time()


def unavailable() -> EndpointFault:
    return EndpointFault("SageMaker is not available", code="ServiceUnavailable", retry=Retry.COUNTED, hint="wait")


def crashed() -> EndpointFault:
    return EndpointFault("the model crashed", code="ModelError", retry=Retry.ONCE, original_status=500)


def timed_out() -> EndpointFault:
    return EndpointFault("no answer in 60 s", code="ModelError", retry=Retry.NEVER, original_status=0)


def cut_off() -> EndpointFault:
    return EndpointFault("the connection was closed", code="ConnectionClosed", retry=Retry.COUNTED)


def refused() -> EndpointFault:
    return EndpointFault("bad prompt", code="ModelError", retry=Retry.NEVER, original_status=422)


def failed_generation() -> EndpointFault:
    return EndpointFault("generation failed", code="ModelError", retry=Retry.ONCE, original_status=424)


def out_of_memory() -> EndpointFault:
    return EndpointFault("CUDA out of memory", code="ModelError", retry=Retry.NEVER, original_status=500)


def empty() -> EndpointFault:
    return EndpointFault("an empty body", code="EmptyBody", retry=Retry.ONCE)


def throttled() -> EndpointFault:
    return EndpointFault("too many calls", code="ThrottlingException", retry=Retry.PATIENT)


class Endpoint:
    """Ends each call in the fault that `fails` makes at that time, or else answers, after 0.1 s both."""

    def __init__(self, fails: Callable[[int], EndpointFault | None], seconds_to_fail: float = 0.1) -> None:
        self.fails = fails
        self.seconds_to_fail = seconds_to_fail
        self.starts: list[float] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append(now())
        fault = self.fails(len(self.starts))
        await asyncio.sleep(0.1 if fault is None else self.seconds_to_fail)
        if fault is not None:
            raise fault
        return Answer(b"hi", timings=Timings(wire=100, total=100))


class Cases:
    """A run of cases over one endpoint, `at_once` of them at a time."""

    def __init__(self, endpoint: Endpoint, at_once: int, max_retries: int = 3) -> None:
        self.health = Health(now)
        self.line = Retrying(
            Guarded(endpoint, self.health), max_retries, clock=now, random=Random(7), health=self.health
        )
        self.slots = asyncio.Semaphore(at_once)

    async def run(self, number: int) -> list[Answer | EndpointFault]:
        return await asyncio.gather(*(self._case() for _ in range(number)))

    async def _case(self) -> Answer | EndpointFault:
        async with self.slots:
            try:
                return await self.line(REQUEST)
            except EndpointFault as fault:
                return fault


def faults(ends: list[Answer | EndpointFault]) -> list[EndpointFault]:
    return [end for end in ends if isinstance(end, EndpointFault)]


@pytest.mark.parametrize("at_once", [1, 4, 32])
@pytest.mark.parametrize("fault", [unavailable, crashed, timed_out, cut_off])
def test_a_dead_endpoint_is_left_alone_and_the_run_over_it_ends(
    run: Run, fault: Callable[[], EndpointFault], at_once: int
) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: fault())
        ends = faults(await Cases(endpoint, at_once).run(500))
        assert len(ends) == 500
        assert len(endpoint.starts) <= 20 + at_once + 6
        assert now() <= 60
        assert sum(end.attempts for end in ends) == len(endpoint.starts)

    run(scene())


@pytest.mark.parametrize("at_once", [1, 8, 64])
def test_an_endpoint_that_dies_half_way_gets_hardly_a_call_more_than_there_are_cases(run: Run, at_once: int) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable() if call > 250 else None)
        ends = await Cases(endpoint, at_once).run(500)
        assert len(faults(ends)) == 250
        assert len(endpoint.starts) <= 250 + 20 + at_once + 6 <= 500 * 1.2

    run(scene())


def test_what_ends_at_once_quotes_the_last_real_fault(run: Run) -> None:
    async def scene() -> None:
        ends = faults(await Cases(Endpoint(lambda call: unavailable()), 4).run(100))
        last = ends[-1]
        assert (last.code, last.attempts, last.retry) == (CIRCUIT_OPEN, 0, Retry.NEVER)
        assert last.message == (
            "endpoint `llama` has failed call after call and is not asked any more (CircuitOpen): "
            "SageMaker is not available"
        )
        assert str(last.hint).startswith("wait; ")

    run(scene())


def test_an_open_circuit_lets_one_trial_through_at_a_time(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable())
        await Cases(endpoint, 20).run(100)
        trials = endpoint.starts[20:]
        assert trials == pytest.approx([1.1, 3.2, 7.3, 15.4, 30.1], abs=0.11)

    run(scene())


def test_an_endpoint_that_recovers_within_half_a_minute_costs_no_case_that_had_not_begun(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable() if now() < 14 else None)
        cases = Cases(endpoint, 20)
        ends = await cases.run(300)
        assert len(faults(ends)) <= 5
        assert cases.health.outage.fault is None
        waited = [end.timings for end in ends if isinstance(end, Answer) and end.timings.queue > 0]
        assert waited
        assert all(t.queue + t.backoff + t.cold_start + t.wire == t.total for t in waited)

    run(scene())


def test_an_endpoint_that_was_given_up_is_tried_every_30_seconds_until_it_answers(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable() if now() < 200 else None)
        cases = Cases(endpoint, 20)
        await cases.run(100)
        asked, given_up = len(endpoint.starts), now()
        while now() < 200:
            assert len(faults(await cases.run(3))) == 3
            await asyncio.sleep(1)
        assert len(endpoint.starts) - asked == int((200 - given_up) / 30)
        await asyncio.sleep(30)
        ends = await cases.run(3)
        assert isinstance(ends[0], Answer)
        assert not faults(await cases.run(3))

    run(scene())


def test_faults_by_chance_never_open_the_circuit(run: Run) -> None:
    async def scene() -> None:
        dice = Random(11)
        endpoint = Endpoint(lambda call: unavailable() if dice.random() < 0.3 else None)
        ends = await Cases(endpoint, 16, max_retries=12).run(5_000)
        assert not faults(ends)
        assert len(endpoint.starts) <= 5_000 * 1.6

    run(scene())


@pytest.mark.parametrize("at_once", [8, 32, 128])
def test_timeouts_by_chance_that_end_together_are_no_outage(run: Run, at_once: int) -> None:
    async def scene() -> None:
        dice = Random(11)
        endpoint = Endpoint(lambda call: unavailable() if dice.random() < 0.3 else None, seconds_to_fail=60)
        cases = Cases(endpoint, at_once, max_retries=12)
        assert not faults(await cases.run(1_000))
        assert len(endpoint.starts) <= 1_000 * 1.6

    run(scene())


@pytest.mark.parametrize("fault", [refused, failed_generation, out_of_memory, empty, throttled])
def test_answers_to_one_request_never_open_the_circuit(run: Run, fault: Callable[[], EndpointFault]) -> None:
    async def scene() -> None:
        cases = Cases(Endpoint(lambda call: fault()), 4, max_retries=1)
        ends = faults(await cases.run(100))
        assert {end.code for end in ends} == {fault().code}

    run(scene())


def test_a_request_that_was_never_sent_says_nothing(run: Run) -> None:
    def too_large() -> EndpointFault:
        fault = EndpointFault("too large", code="413")
        fault.attempts = 0
        return fault

    async def scene() -> None:
        cases = Cases(Endpoint(lambda call: too_large()), 4)
        assert len(faults(await cases.run(100))) == 100
        assert cases.health.allows_retry()

    run(scene())


def test_while_hardly_any_call_succeeds_nothing_is_retried(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: None if call % 15 == 0 else failed_generation())
        cases = Cases(endpoint, 1)
        await cases.run(50)
        before = len(endpoint.starts)
        await cases.run(300)
        assert len(endpoint.starts) - before == 300

    run(scene())


def test_retries_come_back_with_the_successes(run: Run) -> None:
    health = Health()
    for _ in range(50):
        health.failed(health.began(), failed_generation())
    assert not health.allows_retry()
    for _ in range(4):
        health.succeeded(health.began())
    assert not health.allows_retry()
    health.succeeded(health.began())
    assert health.allows_retry()


def test_throttled_calls_are_exempt_from_the_budget(run: Run) -> None:
    async def scene() -> None:
        health = Health(now)
        for _ in range(50):
            health.failed(health.began(), failed_generation())
        endpoint = Endpoint(lambda call: throttled() if call < 6 else None)
        line = Retrying(Guarded(endpoint, health), 3, clock=now, random=Random(7), health=health)
        assert (await line(REQUEST)).attempts == 6

    run(scene())


def test_a_trial_that_is_cancelled_leaves_its_turn_to_the_next(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable() if now() < 2 else None)
        cases = Cases(endpoint, 40, max_retries=0)
        await cases.run(20)
        trial, *others = [asyncio.create_task(cases.line(REQUEST)) for _ in range(4)]
        await asyncio.sleep(0.5)
        trial.cancel()
        ends = await asyncio.gather(*others, return_exceptions=True)
        assert sum(isinstance(end, Answer) for end in ends) >= 2

    run(scene())


def test_the_wait_for_a_trial_is_queue(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(lambda call: unavailable() if call <= 20 else None)
        cases = Cases(endpoint, 20, max_retries=0)
        await cases.run(20)
        trial, other = await asyncio.gather(cases.line(REQUEST), cases.line(REQUEST))
        assert (trial.timings.queue, trial.timings.total) == pytest.approx((1000, 1100))
        assert (other.timings.queue, other.timings.total) == pytest.approx((1100, 1200))

    run(scene())
