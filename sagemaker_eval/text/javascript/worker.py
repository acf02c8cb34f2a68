"""The thread on which all JavaScript runs: jobs one after the other, and a way out where one never comes back."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import cache
from queue import SimpleQueue
from typing import Any

STACK = 16 << 20
"""Bytes of stack of the thread. The default of some platforms would overflow before the engine's own limit holds."""


class LeftBehind(Exception):
    """The job did not come back in time; its thread was left to itself."""


@dataclass(slots=True, eq=False)
class Job:
    """Work on its way. `patience` is for how many seconds it may run before its thread is given up."""

    work: Callable[[], Any]
    patience: float
    future: Future[Any] = field(default_factory=Future)
    started: float | None = None


class Worker:
    """Runs jobs in turn on one daemon thread, which is started by the first.

    The engine stops a script by itself, except within a few of its built-in functions (a search in a huge text, the
    sorting of a huge sparse list). A thread that is stuck there is left behind: its job fails with `LeftBehind`, and
    those that wait go on in a new thread.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[Job] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._current: Job | None = None

    def run(self, work: Callable[[], Any], patience: float) -> Any:
        """The result of `work`, waited for. Raises what it raises, and `LeftBehind`."""
        job = self._submit(work, patience)
        while not wait((job.future,), patience).done:
            self._relieve()
        return job.future.result()

    async def arun(self, work: Callable[[], Any], patience: float) -> Any:
        """As `run`, while the event loop goes on. A cancelled job does not start, or its result is dropped."""
        job = self._submit(work, patience)
        future = asyncio.wrap_future(job.future)
        try:
            while not (await asyncio.wait((future,), timeout=patience))[0]:
                self._relieve()
        except asyncio.CancelledError:
            future.cancel()
            raise
        return future.result()

    def _submit(self, work: Callable[[], Any], patience: float) -> Job:
        job = Job(work, patience)
        self._jobs.put(job)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._start()
        return job

    def _start(self) -> None:
        before = threading.stack_size(STACK)
        try:
            self._thread = threading.Thread(target=self._serve, name="javascript", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(before)

    def _serve(self) -> None:
        me = threading.current_thread()
        while self._thread is me:
            job = self._jobs.get()
            if job.future.set_running_or_notify_cancel():
                job.started = time.monotonic()
                self._current = job
                self._finish(job, *_outcome(job.work))

    def _finish(self, job: Job, result: Any, error: BaseException | None) -> None:
        with self._lock:
            if job.future.done():
                return
            self._current = None
        if error is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(error)

    def _relieve(self) -> None:
        """Leaves the running job behind if it is overdue. Every waiter asks, so that none depends on another's wait."""
        with self._lock:
            job = self._current
            if job is None or job.started is None or time.monotonic() < job.started + job.patience:
                return
            self._current = None
            self._start()
            job.future.set_exception(LeftBehind())


def _outcome(work: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return work(), None
    except BaseException as error:
        return None, error


@cache
def worker() -> Worker:
    """The worker of this process. There is one, because the engine's clock counts the time of all threads."""
    return Worker()
