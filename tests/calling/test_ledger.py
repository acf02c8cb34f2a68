from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.calling.ledger import Lost, delayed, settled
from sagemaker_eval.errors import EndpointFault
from sagemaker_eval.model import Answer, Timings

TIME = st.floats(0, 1e7)


def fault(queued: float = 0.0, cold_start: float = 0.0) -> EndpointFault:
    failed = EndpointFault("the model failed", code="ModelError")
    failed.queued = queued
    failed.cold_start += cold_start
    return failed


def test_time_that_nothing_accounts_for_is_queue() -> None:
    answer = settled(Answer(b"", timings=Timings(queue=20, cold_start=300, wire=4000)), 5000)
    assert answer.timings == Timings(queue=700, cold_start=300, wire=4000, total=5000)


def test_differences_in_the_last_bits_are_no_queue() -> None:
    assert settled(Answer(b"", timings=Timings(wire=100)), 100.0000001).timings.queue == 0.0


def test_times_within_the_wire_stay() -> None:
    told = Timings(wire=100, first_token=30, inter_token=5, total=100)
    assert settled(Answer(b"", timings=told), 100).timings == told
    assert delayed(Answer(b"", timings=told), queue=7).timings == Timings(7, 0, 0, 100, 30, 5, 107)


def test_a_failed_attempt_is_back_off_but_for_its_waits() -> None:
    lost = Lost()
    lost.add(fault(queued=200, cold_start=3000), 5000)
    lost.add(fault(), 100)
    assert lost == Lost(attempts=2, queue=200, backoff=1900, cold_start=3000)


def test_what_a_fault_waited_for_its_endpoint_adds_up() -> None:
    failed = fault(cold_start=3000)
    failed.cold_start += 500
    assert (failed.cold_start, fault().cold_start) == (3500, 0)


@given(queue=TIME, backoff=TIME, cold_start=TIME, wire=TIME, elapsed=TIME, wait=TIME)
def test_the_parts_always_add_up_to_the_total(
    queue: float, backoff: float, cold_start: float, wire: float, elapsed: float, wait: float
) -> None:
    lost = Lost(2, queue, backoff, cold_start)
    answer = settled(Answer(b"", timings=Timings(queue=wait, wire=wire)), elapsed, lost)
    for told in (answer.timings, delayed(answer, queue=wait, cold_start=cold_start).timings):
        assert told.queue + told.backoff + told.cold_start + told.wire == told.total
    assert answer.timings.total >= elapsed or answer.timings.total == pytest.approx(elapsed)
