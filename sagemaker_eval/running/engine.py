"""The engine: carries out a plan and yields events.

Each provider has its own workers and its own lazy enumeration of cases, so that at most `maxConcurrency` cases of it
are in memory and a slow endpoint holds up nobody else. A case is in the journal before it is counted or announced.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.judging import Judge, Undecided
from sagemaker_eval.errors import CaseError, EndpointFault, SagevalError
from sagemaker_eval.events import CaseFinished, Event, RunFinished, RunStarted
from sagemaker_eval.model import (
    Call,
    Case,
    CaseFailure,
    CaseResult,
    Grade,
    Json,
    Outcome,
    ProviderSpec,
    Response,
)
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.running.journal import Journal, encode_row
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.records import row_of
from sagemaker_eval.running.summary import Totals
from sagemaker_eval.text.templating.templates import Templates

_WAITING_EVENTS = 256
_GRACE_SECONDS = 5.0


class Cases(Protocol):
    """A provider's share of the plan."""

    def __iter__(self) -> Iterator[Case]: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """What the engine works with. `providers` are in the order of the suite's."""

    plan: Plan
    providers: tuple[Provider, ...]
    templates: Templates
    judge: Judge
    journal: Journal
    scrub: Callable[[bytes], bytes] = bytes
    """Removes secrets from a row before it is written."""
    grace: float = _GRACE_SECONDS
    """Seconds that calls in flight are given once the run is being stopped."""


class Engine:
    """One run of a plan. `stop()` ends it early: what is in flight may finish, nothing new starts."""

    def __init__(self, bench: Bench, run_id: str) -> None:
        self._bench = bench
        self._run_id = run_id
        self._totals = Totals(bench.plan)
        self._prompts = {
            column.index: bench.templates.prompt(column.prompt.raw, column.prompt.where)
            for column in bench.plan.columns
        }
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
        yield RunStarted(self._run_id, plan.columns, plan.total)
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
        summary = self._totals.summary(duration)
        yield RunFinished(summary, self._stopped_by, self._interrupted and summary.total.finished < plan.total)
        if self._bug is not None:
            raise self._bug

    async def _supervise(self) -> None:
        """Start the workers, see them end, close the providers, then end the stream of events."""
        self._tasks = [
            asyncio.create_task(self._work(provider, cases))
            for spec, provider in zip(self._bench.plan.suite.providers, self._bench.providers, strict=True)
            for cases in [self._bench.plan.cases(spec)]
            for _ in range(min(concurrency(spec, self._bench.plan.suite.max_concurrency), self._bench.plan.total))
        ]
        stopper = asyncio.create_task(self._stop_in_time())
        await asyncio.gather(*self._tasks, return_exceptions=True)
        stopper.cancel()
        for provider in self._bench.providers:
            await provider.close()
        await self._events.put(None)

    async def _stop_in_time(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._bench.grace)
        self._cancel_all()

    def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _work(self, provider: Provider, cases: Iterator[Case]) -> None:
        """One worker: case after case until its provider's enumeration, shared with its colleagues, runs out."""
        try:
            for case in cases:
                if self._stopping.is_set():
                    return
                result = await self._finish(case, provider)
                self._record(result)
                if self._events.full():
                    await self._events.put(CaseFinished(result))
                else:
                    self._events.put_nowait(CaseFinished(result))
        except SagevalError as error:
            self._stopped_by = self._stopped_by or error
            self._stopping.set()
        except Exception as error:
            self._bug = self._bug or error
            self._stopping.set()

    def _record(self, result: CaseResult) -> None:
        row = self._bench.scrub(encode_row(row_of(result)))
        self._bench.journal.append(result.case.index, result.outcome, row)
        self._totals.add(result)

    async def _finish(self, case: Case, provider: Provider) -> CaseResult:
        """The result of one case. Only what stops the run is raised."""
        prompt, response = "", None
        try:
            variables = self._bench.templates.expand(case.row.vars)
            prompt = self._prompts[case.column.index].render(variables)
            response = await provider.answer(Call(prompt, variables, case.row.repeat, case.column.prompt.label))
            grade = await self._grade(case, prompt, variables, response)
        except Undecided as error:
            return CaseResult(case, Outcome.ERRORED, prompt, response, error.grade, failure_of(error.reason))
        except CaseError as error:
            response = response or error.response
            return CaseResult(case, Outcome.ERRORED, prompt, response, None, failure_of(error))
        return CaseResult(case, Outcome.PASSED if grade.passed else Outcome.FAILED, prompt, response, grade)

    async def _grade(self, case: Case, prompt: str, variables: Mapping[str, Json], response: Response) -> Grade:
        column, test = case.column, case.row.test
        subject = Subject(
            text=response.text,
            value=None,
            prompt=prompt,
            vars=variables,
            test=test,
            template=column.prompt,
            provider=column.provider,
            response=response,
        )
        return await self._bench.judge.grade(test, subject)


def concurrency(spec: ProviderSpec, cap: int) -> int:
    """How many cases of a provider may be in flight: the run's cap for each provider, or its own lower one."""
    return min(cap, spec.max_concurrency or cap)


def failure_of(error: CaseError) -> CaseFailure:
    """A `CaseError` as data."""
    if isinstance(error, EndpointFault):
        return CaseFailure(error.kind, error.message, error.hint, error.code, error.attempts, error.request_id)
    return CaseFailure(error.kind, error.message, error.hint)
