"""The engine: carries out a plan and yields events.

Workers take cases from lazily enumerated lanes (`running/scheduling.py`), so that only those in flight are in memory. A
case is in the journal before it is counted or announced.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.judging import Judge, Undecided
from sagemaker_eval.errors import CaseError, EndpointFault, SagevalError
from sagemaker_eval.events import CaseFinished, Event, RunFinished, RunStarted
from sagemaker_eval.model import (
    Case,
    CaseFailure,
    CaseResult,
    Grade,
    Json,
    Outcome,
    Response,
    RunSummary,
)
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.comparing import Comparing
from sagemaker_eval.running.conversations import Conversations, recorded_turn, turn_of
from sagemaker_eval.running.derived_metrics import DerivedMetrics
from sagemaker_eval.running.journal import Journal, encode_row
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.records import row_of
from sagemaker_eval.running.rendering import CONVERSATION, Rendered, Renderer
from sagemaker_eval.running.run_record import columns_of
from sagemaker_eval.running.scheduling import Lane, phases
from sagemaker_eval.running.summary import Derive, Totals

_WAITING_EVENTS = 256
_GRACE_SECONDS = 5.0


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
    """Where an earlier run is gone on with: for each slot, whether its case is to be run; None: all are."""
    before_ms: float = 0.0
    """How long that run took so far."""


@dataclass(frozen=True, slots=True)
class _Done:
    """A finished case; `subject` is what its assertions judged, where they could."""

    result: CaseResult
    subject: Subject | None = None


class Engine:
    """One run of a plan. `stop()` ends it early: what is in flight may finish, nothing new starts."""

    def __init__(self, bench: Bench, run_id: str) -> None:
        self._bench = bench
        self._run_id = run_id
        derived = DerivedMetrics(bench.plan.suite.derived_metrics)
        self._derived: Derive = lambda _, column: derived.of(column.named_scores, column.finished)
        self._totals = Totals(columns_of(bench.plan), self._derived)
        self._conversations = Conversations()
        self._comparing = Comparing(bench.plan, bench.judge)
        self._stored: dict[str, Json] = {}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(_WAITING_EVENTS)
        self._stopping = asyncio.Event()
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

    async def run(self) -> AsyncIterator[Event]:
        """Carry out the plan. Raises what is a bug of ours after everything finished is in the journal."""
        plan = self._bench.plan
        began = time.perf_counter()
        wanted = self._bench.wanted
        yield RunStarted(self._run_id, plan.columns, plan.total if wanted is None else sum(wanted))
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
        stopper = asyncio.create_task(self._stop_in_time())
        for lanes in phases(self._bench.plan):
            if self._stopping.is_set():
                break
            self._tasks = [asyncio.create_task(self._work(lane)) for lane in lanes for _ in range(lane.workers)]
            await asyncio.gather(*self._tasks, return_exceptions=True)
        stopper.cancel()
        await self._bench.pool.close()
        await self._events.put(None)

    async def _stop_in_time(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._bench.grace)
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
                for result in await self._finish(case):
                    self._record(result)
                    if self._events.full():
                        await self._events.put(CaseFinished(result))
                    else:
                        self._events.put_nowait(CaseFinished(result))
        except SagevalError as error:
            self._stop_for(error)
        except Exception as error:
            self._bug = self._bug or error
            self._stopping.set()

    async def _recall(self, case: Case) -> None:
        """What a case that finished in an earlier run left to later ones: a turn of a conversation, a stored output."""
        name = case.row.test.options.get("storeOutputAs")
        converses = self._bench.renderer.converses(case)
        if not (name or converses):
            return
        row = self._bench.journal.row(case.index)
        if name and row["response"] is not None:
            self._stored[name] = row["response"]["output"]
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

    def _record(self, result: CaseResult) -> None:
        row = row_of(result)
        self._bench.journal.append(result.case.index, result.outcome, self._bench.scrub(encode_row(row)))
        self._totals.add(row)

    async def _finish(self, case: Case) -> Sequence[CaseResult]:
        """The results that are final once this case is done: its own, unless it is to be compared with others."""
        done = await self._in_turn(case)
        if not self._comparing.concerns(case):
            return (done.result,)
        final = await self._comparing.add(done.result, done.subject)
        if self._comparing.stopped_by is not None:
            self._stop_for(self._comparing.stopped_by)
        return final

    async def _in_turn(self, case: Case) -> _Done:
        """One case, in its place among those of its conversation. Only what stops the run is raised."""
        try:
            converses = self._bench.renderer.converses(case)
        except CaseError as error:
            return _Done(CaseResult(case, Outcome.ERRORED, "", error=failure_of(error)))
        if not converses:
            return await self._carry_out(case, self._variables(case))
        async with self._conversations.turn(case) as turns:
            unseen = case.row.test.options.get("disableConversationVar")
            told = {} if unseen else {CONVERSATION: list(turns)}
            done = await self._carry_out(case, {**self._variables(case), **told})
            if done.result.response is not None:
                turns.append(turn_of(done.result.prompt, done.result.response))
            return done

    def _stop_for(self, error: SagevalError) -> None:
        """End the run early, as no further call can succeed."""
        self._stopped_by = self._stopped_by or error
        self._stopping.set()

    def _variables(self, case: Case) -> dict[str, Json]:
        """promptfoo's variables of the run (which run, which case, which repetition), and those stored by cases."""
        step = f"test-{case.row.index}-prompt-{case.column.index}-{case.row.repeat}"
        return {
            "__evalId": self._run_id,
            "__evalStepId": step,
            "__repeatIndex": case.row.repeat,
            **self._stored,
        }

    async def _carry_out(self, case: Case, more: dict[str, Json]) -> _Done:
        rendered, response = Rendered("", case.row.vars, case.row.vars), None
        grade: Grade | None = None
        subject: Subject | None = None
        try:
            rendered = await self._bench.renderer.render(case, more)
            response = await self._bench.answering.answer(case, rendered)
            self._store(case, response)
            subject = _subject(case, rendered, response)
            grade = await self._bench.judge.grade(case.row.test, subject)
        except Undecided as error:
            grade, failure = error.grade, failure_of(error.reason)
            if error.stopped_by is not None:
                self._stop_for(error.stopped_by)
        except CaseError as error:
            response, failure = response or error.response, failure_of(error)
        else:
            outcome = Outcome.PASSED if grade.passed else Outcome.FAILED
            return _Done(CaseResult(case, outcome, rendered.prompt, response, grade, None, rendered.resolved), subject)
        return _Done(CaseResult(case, Outcome.ERRORED, rendered.prompt, response, grade, failure, rendered.resolved))

    def _store(self, case: Case, response: Response) -> None:
        """Keep the output as a variable of all later cases, where the test asks for it."""
        if case.row.test.options and (name := case.row.test.options.get("storeOutputAs")):
            self._stored[name] = response.output


def _subject(case: Case, rendered: Rendered, response: Response) -> Subject:
    return Subject(
        text=response.text,
        value=None,
        prompt=rendered.prompt,
        vars=rendered.vars,
        test=case.row.test,
        template=case.column.prompt,
        provider=case.column.provider,
        response=response,
    )


def failure_of(error: CaseError) -> CaseFailure:
    """A `CaseError` as data."""
    if isinstance(error, EndpointFault):
        return CaseFailure(error.kind, error.message, error.hint, error.code, error.attempts, error.request_id)
    return CaseFailure(error.kind, error.message, error.hint)
