"""The ledger of an answer's time: queue, back-off, cold start and wire add up to the total, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Timings

_ROUNDING_MS = 1e-3
"""What differences of clock readings may be off by; less than any work takes."""


@dataclass(slots=True)
class Lost:
    """What the failed attempts of one call took before the one that ended it; times in ms."""

    attempts: int = 0
    queue: float = 0.0
    backoff: float = 0.0
    cold_start: float = 0.0

    def add(self, fault: EndpointFault, elapsed: float) -> None:
        """Enter an attempt that ended in `fault` after `elapsed` ms: its waits by their kind, the rest as back-off."""
        cold_start = fault.cold_start
        self.attempts += fault.attempts
        self.queue += fault.queued
        self.cold_start += cold_start
        self.backoff += max(0.0, elapsed - fault.queued - cold_start)


def settled(answer: Answer, elapsed: float, lost: Lost | None = None) -> Answer:
    """`answer` with the time since its call was first made, `elapsed` ms, of which `lost` went to failed attempts.

    What nothing accounts for passed on this side of the wire (signing, finding credentials, standing behind other
    work of the loop) and is queue.
    """
    told = answer.timings
    queue, backoff, cold_start, attempts = told.queue, told.backoff, told.cold_start, answer.attempts
    if lost is not None:
        queue, backoff, cold_start = queue + lost.queue, backoff + lost.backoff, cold_start + lost.cold_start
        attempts += lost.attempts
    rest = elapsed - (queue + backoff + cold_start + told.wire)
    if rest > _ROUNDING_MS:
        queue += rest
    return replace(answer, attempts=attempts, timings=_summed(told, queue, backoff, cold_start))


def delayed(answer: Answer, *, queue: float = 0.0, cold_start: float = 0.0) -> Answer:
    """`answer` after a wait that came before all that it tells of, in ms."""
    told = answer.timings
    return replace(answer, timings=_summed(told, told.queue + queue, told.backoff, told.cold_start + cold_start))


def _summed(told: Timings, queue: float, backoff: float, cold_start: float) -> Timings:
    total = queue + backoff + cold_start + told.wire
    return Timings(queue, backoff, cold_start, told.wire, told.first_token, told.inter_token, total)
