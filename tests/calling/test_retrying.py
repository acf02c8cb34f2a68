from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.health import Health
from sagemaker_eval.calling.ledger import delayed
from sagemaker_eval.calling.retrying import Patience, Retrying
from sagemaker_eval.errors import EndpointFault, Retry, SetupError
from sagemaker_eval.model import Answer, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"hello")


def now() -> float:
    return asyncio.get_running_loop().time()


def fault(retry: Retry, code: str = "ModelError", *, stops_run: bool = False) -> EndpointFault:
    return EndpointFault("the model failed", code=code, retry=retry, stops_run=stops_run, hint="look at its log")


def throttled() -> EndpointFault:
    return EndpointFault("too many calls", code="ThrottlingException", retry=Retry.PATIENT)


class Endpoint:
    """Ends its calls as planned, each after a second; the last end is that of all further calls."""

    def __init__(self, *ends: BaseException | Answer) -> None:
        self.ends = list(ends)
        self.starts: list[float] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append(now())
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        await asyncio.sleep(1)
        if isinstance(end, BaseException):
            raise end
        return end

    @property
    def pauses(self) -> list[float]:
        """Seconds between the end of a call and the start of the next."""
        return [later - earlier - 1 for earlier, later in zip(self.starts, self.starts[1:], strict=False)]


def retrying(endpoint: Endpoint, max_retries: int = 3, patience: Patience = Patience()) -> Retrying:
    return Retrying(endpoint, max_retries, patience, clock=now, random=Random(7))


def test_a_call_that_succeeds_is_made_once(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(Answer(b"hi", timings=Timings(queue=3, wire=900)))
        answer = await retrying(endpoint)(REQUEST)
        assert answer == Answer(b"hi", attempts=1, timings=Timings(queue=100, wire=900, total=1000))

    run(scene())


def test_an_answer_tells_of_the_attempts_and_pauses_before_it(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.COUNTED), throttled(), Answer(b"hi", timings=Timings(wire=1000)))
        answer = await retrying(endpoint)(REQUEST)
        assert answer.attempts == 3
        assert answer.timings.wire == 1000
        assert answer.timings.backoff == pytest.approx(2000 + sum(endpoint.pauses) * 1000)
        assert answer.timings.total == pytest.approx(now() * 1000)

    run(scene())


class Line:
    """An endpoint behind a wrapper that makes each call wait for its turn, and for a cold start, before it is sent."""

    def __init__(self, endpoint: Endpoint, queue: list[float], cold_start: list[float]) -> None:
        self.endpoint = endpoint
        self.waits = list(zip(queue, cold_start, strict=True))

    async def __call__(self, request: Request) -> Answer:
        queue, cold_start = self.waits.pop(0)
        await asyncio.sleep(queue + cold_start)
        try:
            answer = await self.endpoint(request)
        except EndpointFault as fault:
            fault.queued += queue * 1000
            fault.cold_start += cold_start * 1000
            raise
        return delayed(answer, queue=queue * 1000, cold_start=cold_start * 1000)


def test_waits_of_failed_attempts_count_as_what_they_were(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.COUNTED), throttled(), Answer(b"hi", timings=Timings(wire=1000)))
        line = Line(endpoint, queue=[2, 0, 4], cold_start=[0, 30, 0])
        timings = (await Retrying(line, 3, clock=now, random=Random(7))(REQUEST)).timings
        assert (timings.queue, timings.cold_start, timings.wire) == (6000, 30_000, 1000)
        assert timings.backoff == pytest.approx(now() * 1000 - 37_000)

    run(scene())


@given(
    seed=st.integers(0, 10_000),
    ends=st.lists(st.sampled_from([Retry.COUNTED, Retry.PATIENT, Retry.LOADING]), max_size=8),
    waits=st.lists(st.floats(0, 100), min_size=18, max_size=18),
    wire=st.floats(0, 1000),
)
def test_the_parts_of_the_ledger_are_the_total(
    run: Run, seed: int, ends: list[Retry], waits: list[float], wire: float
) -> None:
    async def scene() -> None:
        endpoint = Endpoint(*map(fault, ends), Answer(b"hi", timings=Timings(wire=wire)))
        line = Line(endpoint, waits[:9], waits[9:])
        answer = await Retrying(line, 8, Patience(seconds=10_000), clock=now, random=Random(seed))(REQUEST)
        timings = answer.timings
        assert timings.queue + timings.backoff + timings.cold_start + timings.wire == timings.total
        assert timings.total == pytest.approx(now() * 1000)
        assert timings.wire == wire
        assert answer.attempts == len(ends) + 1

    run(scene())


def test_attempts_that_one_call_took_for_itself_are_counted(run: Run) -> None:
    async def scene() -> None:
        first = fault(Retry.COUNTED)
        first.attempts = 2
        answer = await retrying(Endpoint(first, Answer(b"hi", attempts=2)))(REQUEST)
        assert answer.attempts == 4

    run(scene())


def test_a_fault_of_a_request_that_was_not_sent_has_no_attempts(run: Run) -> None:
    async def scene() -> None:
        unsent = fault(Retry.NEVER, "413")
        unsent.attempts = 0
        with pytest.raises(EndpointFault, match=r"^the model failed$") as caught:
            await retrying(Endpoint(unsent))(REQUEST)
        assert caught.value.attempts == 0

    run(scene())


@pytest.mark.parametrize(("retry", "calls"), [(Retry.COUNTED, 1), (Retry.ONCE, 1), (Retry.PATIENT, 12)])
def test_an_endpoint_that_answers_hardly_anybody_is_not_tried_again(run: Run, retry: Retry, calls: int) -> None:
    async def scene() -> None:
        health = Health(now)
        for _ in range(50):
            health.failed(health.began(), fault(Retry.ONCE))
        endpoint = Endpoint(fault(retry))
        with pytest.raises(EndpointFault):
            await Retrying(endpoint, 3, clock=now, random=Random(7), health=health)(REQUEST)
        assert len(endpoint.starts) == calls

    run(scene())


@pytest.mark.parametrize(
    ("retry", "max_retries", "calls"),
    [
        (Retry.NEVER, 3, 1),
        (Retry.ONCE, 3, 2),
        (Retry.ONCE, 1, 2),
        (Retry.COUNTED, 3, 4),
        (Retry.COUNTED, 1, 2),
        (Retry.PATIENT, 3, 12),
        (Retry.PATIENT, 1, 12),
        (Retry.LOADING, 3, 12),
        (Retry.ONCE, 0, 1),
        (Retry.COUNTED, 0, 1),
        (Retry.PATIENT, 0, 1),
    ],
)
def test_each_class_of_fault_has_its_allowance(run: Run, retry: Retry, max_retries: int, calls: int) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(retry))
        with pytest.raises(EndpointFault) as caught:
            await retrying(endpoint, max_retries)(REQUEST)
        assert len(endpoint.starts) == caught.value.attempts == calls

    run(scene())


def test_patience_and_counted_retries_do_not_use_up_each_other(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(*(throttled() for _ in range(11)), *(fault(Retry.COUNTED) for _ in range(3)), Answer(b""))
        assert (await retrying(endpoint)(REQUEST)).attempts == 15

    run(scene())


def test_a_retry_after_a_fault_that_is_retried_once_counts(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.ONCE), fault(Retry.COUNTED), Answer(b""))
        with pytest.raises(EndpointFault, match="tried 2 times"):
            await retrying(endpoint, max_retries=1)(REQUEST)

    run(scene())


def test_patience_ends_with_a_last_call_when_its_time_is_over(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(throttled())
        with pytest.raises(EndpointFault):
            await retrying(endpoint, patience=Patience(attempts=1000, seconds=300))(REQUEST)
        first_fault = 1.0
        assert 300 - 2 <= endpoint.starts[-1] - first_fault <= 300

    run(scene())


@pytest.mark.parametrize(
    ("ends", "message"),
    [
        ([fault(Retry.NEVER)], "the model failed"),
        ([fault(Retry.COUNTED)], "the model failed (tried 4 times)"),
        ([throttled()], "too many calls (throttled 12 times)"),
        ([throttled(), fault(Retry.NEVER)], "the model failed (tried 2 times)"),
    ],
)
def test_the_message_says_how_often_it_was_tried(run: Run, ends: list[EndpointFault], message: str) -> None:
    async def scene() -> None:
        with pytest.raises(EndpointFault) as caught:
            await retrying(Endpoint(*ends))(REQUEST)
        assert str(caught.value) == message

    run(scene())


def test_a_fault_that_stops_the_run_is_a_setup_error_at_once(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.COUNTED), fault(Retry.PATIENT, stops_run=True))
        with pytest.raises(SetupError, match=r"^the model failed$") as caught:
            await retrying(endpoint)(REQUEST)
        assert caught.value.hint == "look at its log"
        assert len(endpoint.starts) == 2

    run(scene())


@pytest.mark.parametrize("error", [SetupError("no region"), KeyError("bug"), asyncio.CancelledError()])
def test_whatever_is_no_fault_goes_through(run: Run, error: BaseException) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.COUNTED), error)
        with pytest.raises(type(error)) as caught:
            await retrying(endpoint)(REQUEST)
        assert caught.value is error

    run(scene())


def test_a_cancelled_pause_ends_the_case(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(throttled())
        call = asyncio.create_task(retrying(endpoint)(REQUEST))
        await asyncio.sleep(1.001)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        assert len(endpoint.starts) == 1

    run(scene())


@given(seed=st.integers(0, 10_000), retry=st.sampled_from([Retry.COUNTED, Retry.PATIENT]))
def test_pauses_are_drawn_from_windows_that_double_up_to_a_cap(run: Run, seed: int, retry: Retry) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(retry))
        with pytest.raises(EndpointFault):
            await Retrying(endpoint, 11, clock=now, random=Random(seed))(REQUEST)
        cap = 20 if retry is Retry.COUNTED else 30
        windows = [min(cap, 0.5 * 2**doublings) for doublings in range(11)]
        assert len(endpoint.pauses) == len(windows)
        assert all(-1e-9 <= pause <= window + 1e-9 for pause, window in zip(endpoint.pauses, windows, strict=True))
        assert sum(endpoint.pauses) > 1

    run(scene())


def test_pauses_are_those_of_the_given_random_numbers(run: Run) -> None:
    async def scene() -> None:
        endpoints = Endpoint(fault(Retry.COUNTED)), Endpoint(fault(Retry.COUNTED))
        for endpoint in endpoints:
            with pytest.raises(EndpointFault):
                await retrying(endpoint)(REQUEST)
        assert endpoints[0].pauses == pytest.approx(endpoints[1].pauses)

    run(scene())


def test_very_many_retries_do_not_overflow_the_pause(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint(fault(Retry.COUNTED))
        with pytest.raises(EndpointFault, match="tried 2001 times"):
            await retrying(endpoint, max_retries=2000)(REQUEST)

    run(scene())
