from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.calling.cache import Cached
from sagemaker_eval.calling.cache_store import CacheStore
from sagemaker_eval.calling.single_flight import SingleFlight
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Request, Timings, TokenUsage

Run = Callable[[Coroutine[Any, Any, None]], None]
REQUEST = Request("llama", b"hello")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[CacheStore]:
    with CacheStore(tmp_path, pytest.fail) as store:
        yield store


class Endpoint:
    """Answers each call with its number, a second later, or raises what it was given for the first calls."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def __call__(self, request: Request) -> Answer:
        self.calls += 1
        number = self.calls
        error = self.errors.pop(0) if self.errors else None
        await asyncio.sleep(1)
        if error:
            raise error
        timings = Timings(queue=3, backoff=4, wire=1000, total=1007)
        return Answer(b"%d" % number, request_id="abc", usage=TokenUsage(prompt=2), timings=timings, attempts=2)


SECOND_HAND = Answer(
    b"1", request_id="abc", usage=TokenUsage(prompt=2), timings=Timings(wire=1000), attempts=0, cached=True
)


def by_body(request: Request) -> str:
    return request.body.decode()


def cached(endpoint: Endpoint, store: CacheStore | None, *, refresh: bool = False) -> Cached:
    return Cached(endpoint, store, by_body, refresh=refresh)


def test_the_second_time_an_answer_comes_from_the_cache_with_its_wire_time(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        first, second = await call(REQUEST), await call(REQUEST)
        assert (first.cached, first.attempts, first.timings.total) == (False, 2, 1007)
        assert second == SECOND_HAND
        assert endpoint.calls == 1

    run(scene())


def test_a_hit_takes_no_time(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        store.put("hello", Answer(b"kept"))
        answer = await cached(Endpoint(), store)(REQUEST)
        assert answer.body == b"kept"
        assert asyncio.get_running_loop().time() == 0

    run(scene())


def test_other_requests_have_other_answers(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        call = cached(Endpoint(), store)
        answers = await asyncio.gather(call(Request("llama", b"a")), call(Request("llama", b"b")))
        assert [answer.body for answer in answers] == [b"1", b"2"]

    run(scene())


def test_an_error_is_not_stored(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        call = cached(Endpoint(EndpointFault("out of memory", code="ModelError")), store)
        with pytest.raises(EndpointFault):
            await call(REQUEST)
        assert not (await call(REQUEST)).cached

    run(scene())


def test_without_a_store_nothing_is_kept_or_joined(run: Run) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, None)
        await asyncio.gather(call(REQUEST), call(REQUEST))
        assert not (await call(REQUEST)).cached
        assert endpoint.calls == 3

    run(scene())


def test_refresh_asks_anew_and_stores(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        store.put("hello", Answer(b"old"))
        fresh = await cached(Endpoint(), store, refresh=True)(REQUEST)
        assert (fresh.body, fresh.cached) == (b"1", False)
        assert (await cached(Endpoint(), store)(REQUEST)).body == b"1"

    run(scene())


@pytest.mark.parametrize("refresh", [False, True])
def test_equal_requests_in_flight_are_sent_once(run: Run, store: CacheStore, refresh: bool) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store, refresh=refresh)
        first, *others = await asyncio.gather(*(call(REQUEST) for _ in range(100)))
        assert endpoint.calls == 1
        assert not first.cached
        assert others == [SECOND_HAND] * 99

    run(scene())


def test_equal_requests_join_across_providers_that_share_their_flights(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint, flights = Endpoint(), SingleFlight()
        calls = [Cached(endpoint, store, by_body, flights=flights) for _ in range(3)]
        await asyncio.gather(*(call(REQUEST) for call in calls))
        assert endpoint.calls == 1

    run(scene())


def test_the_error_of_a_call_is_that_of_all_who_joined_it(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        fault = EndpointFault("out of memory", code="ModelError")
        endpoint = Endpoint(fault)
        call = cached(endpoint, store)
        ends = await asyncio.gather(*(call(REQUEST) for _ in range(5)), return_exceptions=True)
        assert all(end is fault for end in ends)
        assert endpoint.calls == 1

    run(scene())


def test_when_the_call_is_cancelled_one_who_joined_makes_it_for_the_rest(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        leader, *others = [asyncio.create_task(call(REQUEST)) for _ in range(4)]
        await asyncio.sleep(0.5)
        leader.cancel()
        answers = await asyncio.gather(*others)
        assert leader.cancelled()
        assert endpoint.calls == 2
        assert [answer.cached for answer in answers] == [False, True, True]

    run(scene())


def test_one_who_joined_and_is_cancelled_takes_nobody_along(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        leader, joiner, other = [asyncio.create_task(call(REQUEST)) for _ in range(3)]
        await asyncio.sleep(0.5)
        joiner.cancel()
        answers = await asyncio.gather(leader, other)
        assert joiner.cancelled()
        assert [answer.cached for answer in answers] == [False, True]
        assert endpoint.calls == 1

    run(scene())


def test_what_is_stored_can_be_had_without_a_call(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        assert call.stored(REQUEST) is None
        await call(REQUEST)
        assert call.stored(REQUEST) == SECOND_HAND
        assert cached(endpoint, store, refresh=True).stored(REQUEST) is None
        assert cached(endpoint, None).stored(REQUEST) is None
        assert endpoint.calls == 1

    run(scene())


def test_an_answer_that_another_request_brought_can_be_stored(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        call.keep(REQUEST, Answer(b"a part"))
        cached(endpoint, None).keep(REQUEST, Answer(b"lost"))
        assert (await call(REQUEST)).body == b"a part"
        assert endpoint.calls == 0

    run(scene())


def test_a_fresh_answer_is_neither_read_nor_stored(run: Run, store: CacheStore) -> None:
    async def scene() -> None:
        endpoint = Endpoint()
        call = cached(endpoint, store)
        assert [(await call.fresh(REQUEST)).body for _ in range(2)] == [b"1", b"2"]
        assert call.stored(REQUEST) is None

    run(scene())
