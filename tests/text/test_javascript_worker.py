"""The thread that runs JavaScript, and what happens when a job does not come back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sagemaker_eval.text.javascript.worker import LeftBehind, Worker

PATIENTLY = 60.0
BRIEFLY = 0.05


@contextmanager
def stuck() -> Iterator[threading.Event]:
    """An event that is set at the end, so that no thread of a test outlives it for long."""
    event = threading.Event()
    try:
        yield event
    finally:
        event.set()


def fail() -> None:
    raise ValueError("no")


def test_all_jobs_run_on_one_thread_that_is_not_the_callers() -> None:
    worker = Worker()
    idents = {worker.run(threading.get_ident, PATIENTLY) for _ in range(3)}
    assert len(idents) == 1
    assert threading.get_ident() not in idents


def test_what_a_job_raises_reaches_its_caller() -> None:
    worker = Worker()
    with pytest.raises(ValueError, match="no"):
        worker.run(fail, PATIENTLY)
    with pytest.raises(ValueError, match="no"):
        asyncio.run(worker.arun(fail, PATIENTLY))
    assert worker.run(lambda: 1, PATIENTLY) == 1


def test_a_job_may_raise_a_timeout_of_its_own() -> None:
    def time_out() -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        Worker().run(time_out, PATIENTLY)


def test_a_job_that_does_not_come_back_is_left_behind() -> None:
    worker = Worker()
    with stuck() as event:
        with pytest.raises(LeftBehind):
            worker.run(event.wait, BRIEFLY)
        assert worker.run(lambda: "next", PATIENTLY) == "next"


def test_those_that_wait_behind_a_stuck_job_go_on() -> None:
    async def main(event: threading.Event) -> list[object]:
        worker = Worker()
        jobs = [worker.arun(event.wait, BRIEFLY), *(worker.arun(lambda: "done", BRIEFLY) for _ in range(3))]
        return list(await asyncio.gather(*jobs, return_exceptions=True))

    with stuck() as event:
        first, *others = asyncio.run(main(event))
    assert isinstance(first, LeftBehind)
    assert others == ["done"] * 3


def test_a_thread_that_was_left_behind_takes_no_more_jobs() -> None:
    worker = Worker()
    left: list[threading.Thread] = []

    def wait(event: threading.Event) -> None:
        left.append(threading.current_thread())
        event.wait()

    with stuck() as event, pytest.raises(LeftBehind):
        worker.run(lambda: wait(event), BRIEFLY)
    left[0].join(PATIENTLY)
    assert not left[0].is_alive()
    assert worker.run(threading.current_thread, PATIENTLY) is not left[0]


def test_a_cancelled_job_does_not_start() -> None:
    async def main(event: threading.Event) -> list[str]:
        worker = Worker()
        ran: list[str] = []
        running = asyncio.create_task(worker.arun(event.wait, PATIENTLY))
        waiting = asyncio.create_task(worker.arun(lambda: ran.append("cancelled"), PATIENTLY))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        event.set()
        await running
        await worker.arun(lambda: ran.append("later"), PATIENTLY)
        return ran

    with stuck() as event:
        assert asyncio.run(main(event)) == ["later"]
