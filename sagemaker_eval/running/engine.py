"""The engine: carries out a plan and yields events.

Workers take cases from lazily enumerated lanes (`running/scheduling.py`), so that only those in flight are in memory. A
case is in the journal before it is counted or announced.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import CaseError, LimitReached, SagevalError
from sagemaker_eval.events import CaseFinished, Event, RunFinished, RunStarted
from sagemaker_eval.model import Case, CaseResult, Outcome, ProviderSpec, RunSummary
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.case_runner import CaseRunner, Done, failure_of
from sagemaker_eval.running.comparing import Comparing
from sagemaker_eval.running.conversations import Conversations, recorded_turn, turn_of
from sagemaker_eval.running.deadlines import MAX_TIME, Deadlines, TimeLimits
from sagemaker_eval.running.derived_metrics import DerivedMetrics
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.records import row_of
from sagemaker_eval.running.rendering import CONVERSATION, Renderer
from sagemaker_eval.running.resuming import Wanted, count_wanted
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_files import PENDING
from sagemaker_eval.running.run_record import columns_of
from sagemaker_eval.running.scheduling import Lane, phases
from sagemaker_eval.running.summary import Derive, Totals
from sagemaker_eval.running.watchdog import ANSWERING, Watchdog

_WAITING_EVENTS = 256
_GRACE_SECONDS = 5.0
_SECONDS_TO_REACT = 1.0
"""What cases that were cut short are given to be recorded; user code may keep them from ending."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the engine works with."""

    plan: Plan
    pool: ProviderPool
    renderer: Renderer
    answering: Answering
    judge: Judge
    journal: Journal
    scrub: Callable[[bytes], bytes] = bytes
    """Removes secrets from a row before it is written."""
    grace: float = _GRACE_SECONDS
    """Seconds that calls in flight are given once the run is being stopped."""
    wanted: bytearray | None = None
    """Where an earlier run is gone on with: what is `Wanted` of each slot; None: all are asked."""
    before_ms: float = 0.0
    """How long that run took so far."""
    limits: TimeLimits = field(default_factory=TimeLimits)
    notice: Callable[[str], None] = lambda message: None
    """Told what is in flight when nothing has finished for a while."""
    waiting_for: Callable[[ProviderSpec], str | None] = lambda spec: None
    """What the calls to a provider are waiting for, in words, where that is known."""


class Engine:
    """One run of a plan. `stop()` ends it early: what is in flight may finish, nothing new starts."""

    def __init__(self, bench: Bench, run_id: str) -> None:
        self._bench = bench
        self._run_id = run_id
        derived = DerivedMetrics(bench.plan.suite.derived_metrics)
        self._derived: Derive = lambda _, column: derived.of(column.named_scores, column.finished)
        self._totals = Totals(columns_of(bench.plan), self._derived)
        self._conversations = Conversations()
        self._deadlines = Deadlines(bench.limits)
        self._comparing = Comparing(bench.plan, bench.judge, self._deadlines)
        self._watchdog = Watchdog(bench.notice, bench.waiting_for)
        self._runner = CaseRunner(bench.renderer, bench.answering, bench.judge, self._deadlines, self._watchdog, run_id)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_WAITING_EVENTS)
        self._stopping = asyncio.Event()
        """Nothing new starts."""
        self._hurrying = asyncio.Event()
        """What is in flight has the grace left."""
        self._stopped_by: SagevalError | None = None
        self._bug: Exception | None = None
        self._interrupted = False
        self._tasks: list[asyncio.Task[None]] = []

    def stop(self) -> None:
        """Stop after what is in flight; called again: drop that too."""
        if self._interrupted:
            self._cancel_all()
        self._interrupted = True
        self._stopping.set()
        self._hurrying.set()

    async def run(self) -> AsyncIterator[Event]:
        """Carry out the plan. Raises what is a bug of ours after everything finished is in the journal."""
        plan = self._bench.plan
        began = time.perf_counter()
        wanted = self._bench.wanted
        yield RunStarted(self._run_id, plan.columns, plan.total if wanted is None else count_wanted(wanted))
        supervisor = asyncio.create_task(self._supervise())
        try:
            while (event := await self._events.get()) is not None:
                yield event
        finally:
            self._cancel_all()
            while not self._events.empty():
                self._events.get_nowait()
            await supervisor
        duration = (time.perf_counter() - began) * 1000
        summary = self._summary(self._bench.before_ms + duration)
        unfinished = summary.total.finished < plan.total
        derived = tuple(self._derived(index, column) for index, column in enumerate(summary.columns))
        yield RunFinished(summary, self._stopped_by, self._interrupted and unfinished, derived)
        if self._bug is not None:
            raise self._bug

    async def _supervise(self) -> None:
        """Work off the lanes, phase by phase, close the providers, then end the stream of events."""
        self._deadlines.start()
        guards = [asyncio.create_task(self._stop_in_time()), asyncio.create_task(self._watchdog.watch())]
        try:
            for lanes in phases(self._bench.plan):
                if self._stopping.is_set():
                    break
                self._tasks = [asyncio.create_task(self._work(lane)) for lane in lanes for _ in range(lane.workers)]
                await asyncio.gather(*self._tasks, return_exceptions=True)
            for guard in guards:
                guard.cancel()
            await self._bench.pool.close()
        except Exception as error:
            self._bug = self._bug or error
        finally:
            await self._events.put(None)

    async def _stop_in_time(self) -> None:
        """Cancels what is in flight once the grace is over, or where the end of the run's time did not end it."""
        try:
            async with asyncio.timeout_at(self._deadlines.run_ends):
                await self._hurrying.wait()
                await asyncio.sleep(self._bench.grace)
        except TimeoutError:
            self._stop_for(self._deadlines.limit_reached())
            await asyncio.sleep(_SECONDS_TO_REACT)
        self._cancel_all()

    def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _work(self, lane: Lane) -> None:
        """One worker: case after case until its lane, shared with its colleagues, runs out."""
        try:
            for case in lane.cases:
                if self._stopping.is_set():
                    return
                if self._bench.wanted is not None and not self._bench.wanted[case.index]:
                    await self._recall(case)
                    continue
                self._watchdog.enter(case)
                try:
                    for result in await self._finish(case):
                        await self._record(result)
                finally:
                    self._watchdog.leave(case)
        except SagevalError as error:
            self._stop_for(error)
        except Exception as error:
            self._bug = self._bug or error
            self._stopping.set()
            self._hurrying.set()

    async def _recall(self, case: Case) -> None:
        """What a case that finished in an earlier run left to later ones: a turn of a conversation, a stored output."""
        name = case.row.test.options.get("storeOutputAs")
        converses = self._bench.renderer.converses(case)
        if not (name or converses):
            return
        row = self._bench.journal.row(case.index)
        if name and row["response"] is not None:
            self._runner.stored[name] = row["response"]["output"]
        if converses and (turn := recorded_turn(row)) is not None:
            async with self._conversations.turn(case) as turns:
                turns.append(turn)

    def _summary(self, duration_ms: float) -> RunSummary:
        """The totals: of all rows of the journal where some are of an earlier run."""
        if self._bench.wanted is None:
            return self._totals.summary(duration_ms)
        totals = Totals(self._bench.journal.record.columns, self._derived)
        for row in self._bench.journal.rows():
            totals.add(row)
        return totals.summary(duration_ms)

    async def _record(self, result: CaseResult) -> None:
        """Write a result down, count it, announce it: in this order."""
        if self._has_better(result):
            return
        row = row_of(result)
        line = encode_row(row)
        shown = self._bench.scrub(line)
        self._bench.journal.append(result.case.index, result.outcome, shown)
        self._totals.add(row if shown is line else json.loads(shown))
        if self._events.full():
            await self._events.put(CaseFinished(result))
        else:
            self._events.put_nowait(CaseFinished(result))

    def _has_better(self, result: CaseResult) -> bool:
        """Whether an earlier run has an answer where this one only came to the end of its time."""
        if result.error is None or result.error.code != MAX_TIME:
            return False
        return self._bench.journal.outcome(result.case.index) in (Outcome.PASSED, Outcome.FAILED)

    async def _finish(self, case: Case) -> Sequence[CaseResult]:
        """The results that are final once this case is done: its own, unless it is to be compared with others."""
        done = await self._in_turn(case)
        if done is None:
            return ()
        if done.stopped_by is not None:
            self._stop_for(done.stopped_by)
        if not self._comparing.concerns(case):
            return (done.result,)
        if done.result.grade is not None and not self._is_recalled(case):
            row = encode_row({**row_of(done.result), PENDING: True})
            self._bench.journal.hold(case.index, self._bench.scrub(row))
        self._watchdog.step(case, "being compared with the other answers")
        final = await self._comparing.add(done.result, done.subject)
        if self._comparing.stopped_by is not None:
            self._stop_for(self._comparing.stopped_by)
        return final

    async def _in_turn(self, case: Case) -> Done | None:
        """One case, in its place among those of its conversation; None where the run was stopped before it started."""
        try:
            converses = self._bench.renderer.converses(case)
        except CaseError as error:
            return Done(CaseResult(case, Outcome.ERRORED, "", error=failure_of(error)))
        if not converses:
            return await self._runner.run(case) if self._may_start() else None
        self._watchdog.step(case, "waiting for its turn in the conversation")
        async with self._conversations.turn(case) as turns:
            if not self._may_start():
                return None
            self._watchdog.step(case, ANSWERING)
            unseen = case.row.test.options.get("disableConversationVar")
            done = await self._runner.run(case, {} if unseen else {CONVERSATION: list(turns)})
            if done.result.response is not None:
                turns.append(turn_of(done.result.prompt, done.result.response))
            return done

    def _is_recalled(self, case: Case) -> bool:
        wanted = self._bench.wanted
        return wanted is not None and wanted[case.index] == Wanted.JUDGING

    def _may_start(self) -> bool:
        """Whether a case may be started now: the run is not being stopped, and its time is not used up."""
        if self._deadlines.passed:
            self._stop_for(self._deadlines.limit_reached())
        return not self._stopping.is_set()

    def _stop_for(self, error: SagevalError) -> None:
        """End the run early: what is in flight may finish, within the grace where no call can succeed any more."""
        self._stopped_by = self._stopped_by or error
        self._stopping.set()
        if not isinstance(error, LimitReached):
            self._hurrying.set()
