"""`maxConcurrency: auto`: as many calls in flight as an endpoint turns into answers, found while it is called."""

from __future__ import annotations

import math
import time

from sagemaker_eval.calling.clock import Clock
from sagemaker_eval.calling.limit_search import LimitSearch, Sent
from sagemaker_eval.calling.pacing import with_wait
from sagemaker_eval.calling.retrying import THROTTLES
from sagemaker_eval.calling.slots import Slots
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Invoke, Request

OVERLOADED = THROTTLES | {"ServiceUnavailable", "ServiceUnavailableException", "503"}
"""Codes that say: fewer calls at a time."""

OVERLOADED_STATUS = frozenset({429, 503})
"""What a container says to the same effect, as the original status of a ModelError."""

_HELD_UP = 0.1
"""An answer whose call waited longer than this share of its wire time behind its slot was paced by something else."""

_LEARNED = 20
"""Fewer answers than these are no experience."""


class AdaptiveLimit:
    """How many calls an endpoint may have in flight, up to `most`; shared by all who call it.

    Calls get their slots in order of arrival. `LimitSearch` is how the number is found.
    """

    def __init__(self, most: int, clock: Clock = time.monotonic) -> None:
        self._search = LimitSearch(max(1, most))
        self._slots = Slots(self._search.width)
        self._clock = clock

    @property
    def width(self) -> int:
        """How many calls may be in flight now."""
        return self._search.width

    async def turn(self) -> tuple[Sent, float]:
        """Returns with a slot: the call that now has to be sent and given back, and the ms that it waited."""
        slots, waited = self._slots, 0.0
        if slots.is_free:
            await slots.enter()
        else:
            arrived = self._clock()
            await slots.enter()
            waited = (self._clock() - arrived) * 1000
        return self._search.sent(slots.inside), waited

    def answered(self, call: Sent, answer: Answer) -> None:
        """Learns from an answer, unless it is the pace of something else that it tells of."""
        wire = answer.timings.wire
        if wire > 0 and answer.timings.queue <= wire * _HELD_UP:
            self._search.answered(call, wire)

    def failed(self, call: Sent, fault: EndpointFault) -> None:
        """Learns from a fault, where it tells of overload."""
        if fault.code in OVERLOADED or (fault.code == "ModelError" and fault.original_status in OVERLOADED_STATUS):
            self._search.refused(call)

    def give_back(self) -> None:
        """Ends a turn, however its call ended."""
        self._slots.width = self._search.width
        self._slots.leave()

    def report(self) -> str | None:
        """What was found, for people: where the endpoint is saturated, or how far it is not; None where too little."""
        search = self._search
        if search.answers < _LEARNED:
            return None
        if math.isinf(search.limit):
            refused = f", though {search.refusals} calls were refused" if search.refusals else ""
            return f"not saturated at {search.tried} in flight{refused}"
        calls = max(1, round(search.limit))
        per_second = search.saturation.answers_per_second(calls)
        rate = f"{per_second:.{0 if per_second >= 10 else 1}f} answers/s"
        more = "more only waits" if search.knee <= search.ceiling else "more is refused"
        return f"saturated at about {calls} call{'s' * (calls > 1)} in flight ({rate}): {more}"


class Limited:
    """Holds each call back until one of the slots of its endpoint is free, and tells the limit what became of it.

    The slot is held while the call is under way, not while a retry pauses. The wait is counted as `Timings.queue`,
    or as `EndpointFault.queued` where the call fails.
    """

    def __init__(self, inner: Invoke, limit: AdaptiveLimit) -> None:
        self._inner = inner
        self._limit = limit

    async def __call__(self, request: Request) -> Answer:
        limit = self._limit
        call, waited = await limit.turn()
        try:
            answer = await self._inner(request)
            limit.answered(call, answer)
        except EndpointFault as fault:
            limit.failed(call, fault)
            fault.queued += waited
            raise
        finally:
            limit.give_back()
        return with_wait(answer, waited)
