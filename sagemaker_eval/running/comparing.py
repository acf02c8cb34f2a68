"""Assertions that compare the answers to one test: they are judged once every column has answered it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sagemaker_eval.assertions.base import Contender, Subject
from sagemaker_eval.assertions.judging import Judge, comparing
from sagemaker_eval.errors import CaseError, SetupError
from sagemaker_eval.model import Case, CaseFailure, CaseResult, Outcome
from sagemaker_eval.running.case_runner import failure_of
from sagemaker_eval.running.deadlines import Deadlines
from sagemaker_eval.running.plan import Plan

_FEWEST = 2


@dataclass(slots=True)
class _Waiting:
    """The finished cases of one row, and what their answers were judged as."""

    results: list[CaseResult] = field(default_factory=list)
    subjects: dict[int, Subject] = field(default_factory=dict)


class Comparing:
    """Holds finished cases of a row back until all are there, and then judges them against each other."""

    def __init__(self, plan: Plan, judge: Judge, deadlines: Deadlines) -> None:
        self._plan = plan
        self._judge = judge
        self._deadlines = deadlines
        self._rows: dict[int, _Waiting] = {}
        self.stopped_by: SetupError | None = None
        """Why no comparison can succeed any more, once a grader has found out."""

    def concerns(self, case: Case) -> bool:
        """Whether a case has an assertion that compares."""
        return bool(comparing(case.row.test.assertions))

    async def add(self, result: CaseResult, subject: Subject | None) -> list[CaseResult]:
        """Take in a finished case; all cases of its row, judged, once it is the last of them."""
        row = result.case.row
        waiting = self._rows.setdefault(row.index, _Waiting())
        waiting.results.append(result)
        if subject is not None:
            waiting.subjects[result.case.index] = subject
        if len(waiting.results) < len(self._plan.columns_for(row.test)):
            return []
        del self._rows[row.index]
        return await self._compared(waiting)

    async def _compared(self, waiting: _Waiting) -> list[CaseResult]:
        results = sorted(waiting.results, key=lambda result: result.case.index)
        answered = [result for result in results if result.grade is not None and result.error is None]
        if len(answered) < _FEWEST:
            missing = CaseError("there is no other answer to compare with", "the other columns of this test errored")
            return [_undecided(result, missing) if result in answered else result for result in results]
        contenders = [
            Contender(waiting.subjects[result.case.index], result.grade) for result in answered if result.grade
        ]
        try:
            async with self._deadlines.of_case():
                grades = await self._judge.compare(results[0].case.row.test, contenders)
        except (CaseError, SetupError) as error:
            if isinstance(error, SetupError):
                self.stopped_by = error
            return [_undecided(result, error) if result in answered else result for result in results]
        judged = {
            result.case.index: replace(result, grade=grade, outcome=Outcome.PASSED if grade.passed else Outcome.FAILED)
            for result, grade in zip(answered, grades, strict=True)
        }
        return [judged.get(result.case.index, result) for result in results]


def _undecided(result: CaseResult, error: CaseError | SetupError) -> CaseResult:
    failure = failure_of(error) if isinstance(error, CaseError) else CaseFailure("grader", error.message, error.hint)
    return replace(result, outcome=Outcome.ERRORED, error=failure)
