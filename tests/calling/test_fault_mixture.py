"""All that waits and tries again, put together as before a real endpoint, over an endpoint with faults of all kinds."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

import pytest

from sagemaker_eval.calling.first_alone import FirstAlone, Gate
from sagemaker_eval.calling.health import Guarded, Health
from sagemaker_eval.calling.retrying import Retrying
from sagemaker_eval.calling.warm_up import Readiness, WarmUp
from sagemaker_eval.errors import EndpointFault, Retry
from sagemaker_eval.model import Answer, Invoke, Request, Timings

Run = Callable[[Coroutine[Any, Any, None]], None]

KINDS: dict[str, tuple[Retry, int | None]] = {
    "ThrottlingException": (Retry.PATIENT, None),
    "ModelNotReadyException": (Retry.LOADING, None),
    "ServiceUnavailable": (Retry.COUNTED, None),
    "InternalFailure": (Retry.COUNTED, None),
    "ConnectionClosed": (Retry.COUNTED, None),
    "overloaded": (Retry.COUNTED, 503),
    "crashed": (Retry.ONCE, 500),
    "refused": (Retry.NEVER, 422),
    "timed out": (Retry.NEVER, 0),
}


def now() -> float:
    return asyncio.get_running_loop().time()


class Endpoint:
    """Fails 3 calls in 10, each with a fault drawn from `kinds`; remembers what became of each body."""

    def __init__(self, kinds: list[str], seed: int) -> None:
        self.kinds = kinds
        self.dice = Random(seed)
        self.ends: dict[bytes, list[str]] = {}
        self.calls = 0

    async def __call__(self, request: Request) -> Answer:
        self.calls += 1
        kind = self.dice.choice(self.kinds) if self.dice.random() < 0.3 else "answered"
        self.ends.setdefault(request.body, []).append(kind)
        await asyncio.sleep(0.25)
        if kind == "answered":
            return Answer(request.body, timings=Timings(wire=250, total=250))
        retry, status = KINDS[kind]
        raise EndpointFault(kind, code=kind if status is None else "ModelError", retry=retry, original_status=status)


def line_to(endpoint: Endpoint) -> Invoke:
    health, readiness = Health(now), Readiness(now)
    warm_up = WarmUp(Guarded(endpoint, health), readiness, 900, lambda notice: None)
    retrying = Retrying(warm_up, 6, clock=now, random=Random(5), health=health)
    return FirstAlone(retrying, Gate(), now, readiness)


async def one_by_one(line: Invoke, bodies: list[bytes], at_once: int) -> list[Answer | EndpointFault]:
    slots = asyncio.Semaphore(at_once)

    async def case(body: bytes) -> Answer | EndpointFault:
        async with slots:
            try:
                return await line(Request("llama", body))
            except EndpointFault as fault:
                return fault

    return await asyncio.gather(*map(case, bodies))


@pytest.mark.parametrize("kinds", [[kind] for kind in KINDS] + [list(KINDS)], ids=[*KINDS, "all"])
def test_every_case_ends_as_the_class_of_its_faults_says(run: Run, kinds: list[str]) -> None:
    async def scene() -> None:
        endpoint = Endpoint(kinds, seed=3)
        bodies = [b"%d" % number for number in range(500)]
        ends = await one_by_one(line_to(endpoint), bodies, at_once=16)
        assert endpoint.calls <= 1.6 * len(bodies)
        for body, end in zip(bodies, ends, strict=True):
            told = endpoint.ends[body]
            assert end.attempts == len(told)
            counts = Counter(told)
            assert counts["refused"] + counts["timed out"] <= 1, "what cannot succeed is not sent again"
            assert counts["crashed"] <= 2
            if isinstance(end, Answer):
                times = end.timings
                assert times.queue + times.backoff + times.cold_start + times.wire == times.total
            else:
                assert told[-1] in {"refused", "timed out", "crashed"}

    run(scene())
