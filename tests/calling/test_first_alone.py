from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from sagemaker_eval.calling.first_alone import UNREACHABLE, FirstAlone, Gate
from sagemaker_eval.errors import CaseError, EndpointFault, FormatError, SetupError
from sagemaker_eval.model import Answer, Request, Timings
from sagemaker_eval.sagemaker.faults import FAULTS

Run = Callable[[Coroutine[Any, Any, None]], None]


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Answers after two seconds, or raises what it was given for the first calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.starts: list[tuple[str, float]] = []

    async def __call__(self, request: Request) -> Answer:
        self.starts.append((request.endpoint, now()))
        error = self.errors.pop(0) if self.errors else None
        await asyncio.sleep(2)
        if error:
            raise error
        return Answer(request.endpoint.encode(), timings=Timings(queue=1, wire=2000, total=2001))


def together(endpoint: Endpoint, names: str = "abc") -> list[asyncio.Task[Answer]]:
    """Calls that come at the same time, each from a provider of its own."""
    gate = Gate()
    return [asyncio.create_task(FirstAlone(endpoint, gate, clock=now)(Request(name, b""))) for name in names]


def test_the_others_wait_until_the_first_has_come_back(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        answers = await asyncio.gather(*together(endpoint))
        assert endpoint.starts == [("a", 0.0), ("b", 2.0), ("c", 2.0)]
        assert [answer.body for answer in answers] == [b"a", b"b", b"c"]

    run(scene())


def test_the_wait_at_the_gate_is_queue_time(run: Run) -> None:
    async def scene() -> None:
        first, second, _ = await asyncio.gather(*together(Endpoint()))
        assert first.timings == Timings(queue=1, wire=2000, total=2001)
        assert second.timings == Timings(queue=2001, wire=2000, total=4001)

    run(scene())


def test_behind_an_open_gate_nobody_waits(run: Run) -> None:
    async def scene() -> None:
        endpoint, gate = Endpoint(), Gate()
        alone = FirstAlone(endpoint, gate, clock=now)
        await alone(Request("a", b""))
        assert gate.is_open
        answers = await asyncio.gather(*(alone(Request(name, b"")) for name in "bc"))
        assert [at for _, at in endpoint.starts] == [0.0, 2.0, 2.0]
        assert {answer.timings.queue for answer in answers} == {1}

    run(scene())


def test_a_setup_error_of_the_first_is_everybodys_and_nothing_more_is_sent(run: Run) -> None:
    async def scene() -> None:
        refusal = SetupError("no endpoint `llama`", "check its name")
        endpoint = Endpoint(refusal)
        ends = await asyncio.gather(*together(endpoint), return_exceptions=True)
        assert all(end is refusal for end in ends)
        assert len(endpoint.starts) == 1

    run(scene())


def test_the_codes_that_mean_no_way_are_codes_of_the_fault_table() -> None:
    assert FAULTS.keys() >= UNREACHABLE


@pytest.mark.parametrize("code", sorted(UNREACHABLE))
def test_no_way_to_the_endpoint_is_a_setup_error(run: Run, code: str) -> None:
    async def scene() -> None:
        endpoint = Endpoint(EndpointFault("no way to `llama`", code=code, hint="check the network"))
        ends = await asyncio.gather(*together(endpoint), return_exceptions=True)
        assert [type(end) for end in ends] == [SetupError] * 3
        assert {str(end) for end in ends} == {"no way to `llama`"}
        assert {end.hint for end in ends if isinstance(end, SetupError)} == {"check the network"}
        assert len(endpoint.starts) == 1

    run(scene())


@pytest.mark.parametrize("error", [EndpointFault("out of memory", code="ModelError"), FormatError("no text")])
def test_an_endpoint_that_fails_has_answered(run: Run, error: CaseError) -> None:
    async def scene() -> None:
        endpoint = Endpoint(error)
        first, *others = await asyncio.gather(*together(endpoint), return_exceptions=True)
        assert first is error
        assert all(isinstance(other, Answer) for other in others)
        assert endpoint.starts == [("a", 0.0), ("b", 2.0), ("c", 2.0)]

    run(scene())


def test_a_lost_connection_behind_the_open_gate_is_a_fault_of_its_case(run: Run) -> None:
    async def scene() -> None:
        endpoint, gate = Endpoint(), Gate()
        alone = FirstAlone(endpoint, gate, clock=now)
        await alone(Request("a", b""))
        endpoint.errors.append(EndpointFault("gone", code="ConnectionError"))
        with pytest.raises(EndpointFault):
            await alone(Request("b", b""))

    run(scene())


def test_when_the_first_is_cancelled_the_next_goes_alone(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        first, *others = together(endpoint)
        await asyncio.sleep(1)
        first.cancel()
        await asyncio.gather(*others)
        assert endpoint.starts == [("a", 0.0), ("b", 1.0), ("c", 3.0)]

    run(scene())


def test_who_is_cancelled_at_the_gate_holds_up_nobody(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        first, second, third = together(endpoint)
        await asyncio.sleep(1)
        second.cancel()
        await asyncio.gather(first, third)
        assert endpoint.starts == [("a", 0.0), ("c", 2.0)]

    run(scene())


class Preflight:
    """Takes three seconds to look at the endpoint, and finds what it was given; an error is raised."""

    def __init__(self, finding: SetupError | None = None, *, raises: bool = False) -> None:
        self.finding = finding
        self.raises = raises
        self.looks = 0

    async def __call__(self) -> SetupError | None:
        self.looks += 1
        await asyncio.sleep(3)
        if self.finding is not None and self.raises:
            raise self.finding
        return self.finding


async def after(preflight: Preflight, endpoint: Endpoint, names: str = "abc") -> list[Answer | BaseException]:
    gate = Gate(preflight=preflight)
    calls = (FirstAlone(endpoint, gate, clock=now)(Request(name, b"")) for name in names)
    return await asyncio.gather(*calls, return_exceptions=True)


def test_the_preflight_runs_once_before_the_first_call_and_is_queue(run: Run) -> None:
    async def scene() -> None:
        preflight, endpoint = Preflight(), Endpoint()
        first, second, _ = await after(preflight, endpoint)
        assert preflight.looks == 1
        assert endpoint.starts == [("a", 3.0), ("b", 5.0), ("c", 5.0)]
        assert isinstance(first, Answer) and isinstance(second, Answer)
        assert first.timings == Timings(queue=3001, wire=2000, total=5001)
        assert second.timings == Timings(queue=5001, wire=2000, total=7001)

    run(scene())


@pytest.mark.parametrize("raises", [False, True])
def test_what_the_preflight_refuses_with_is_everybodys_and_nothing_is_sent(run: Run, raises: bool) -> None:
    async def scene() -> None:
        refusal = SetupError("endpoint `llama` is being deleted")
        preflight, endpoint = Preflight(refusal, raises=raises), Endpoint()
        ends = await after(preflight, endpoint)
        assert all(end is refusal for end in ends)
        assert (preflight.looks, endpoint.starts) == (1, [])

    run(scene())


def test_a_preflight_that_was_cancelled_is_done_by_the_next(run: Run) -> None:
    async def scene() -> None:
        preflight, endpoint = Preflight(), Endpoint()
        alone = FirstAlone(endpoint, Gate(preflight=preflight), clock=now)
        first, second = (asyncio.create_task(alone(Request(name, b""))) for name in "ab")
        await asyncio.sleep(1)
        first.cancel()
        await second
        assert preflight.looks == 2
        assert endpoint.starts == [("b", 4.0)]

    run(scene())


def test_a_request_that_is_not_sent_proves_nothing(run: Run) -> None:
    async def scene() -> None:
        unsent = EndpointFault("too large", code="413")
        unsent.attempts = 0
        endpoint = Endpoint(unsent)
        await asyncio.gather(*together(endpoint), return_exceptions=True)
        assert endpoint.starts == [("a", 0.0), ("b", 2.0), ("c", 4.0)]

    run(scene())
