"""One case from its variables to its result: rendered, answered, judged, within the time that it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sagemaker_eval.assertions.base import Subject
from sagemaker_eval.assertions.judging import Judge, Undecided
from sagemaker_eval.errors import CaseError, EndpointFault, SagevalError
from sagemaker_eval.model import Case, CaseFailure, CaseResult, Grade, Json, Outcome, Response
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.deadlines import Deadlines, OutOfTime
from sagemaker_eval.running.rendering import Rendered, Renderer
from sagemaker_eval.running.watchdog import Watchdog


@dataclass(frozen=True, slots=True)
class Done:
    """A finished case; `subject` is what its assertions judged, where they could.

    `stopped_by` is why no further case can be judged, where that came out.
    """

    result: CaseResult
    subject: Subject | None = None
    stopped_by: SagevalError | None = None


@dataclass(frozen=True, slots=True)
class CaseRunner:
    """Carries out the cases of one run."""

    renderer: Renderer
    answering: Answering
    judge: Judge
    deadlines: Deadlines
    watchdog: Watchdog
    run_id: str
    stored: dict[str, Json] = field(default_factory=dict)
    """Outputs that are variables of all later cases, by their names (`storeOutputAs`)."""

    async def run(self, case: Case, more: Mapping[str, Json] = MappingProxyType({})) -> Done:
        """The case with `more` variables. Raises `SagevalError` for what stops the run; the case is then not done."""
        rendered, response = Rendered("", case.row.vars, case.row.vars), None
        grade: Grade | None = None
        stopped_by: SagevalError | None = None
        try:
            async with self.deadlines.of_case():
                rendered = await self.renderer.render(case, {**self._variables(case), **more})
                response = await self.answering.answer(case, rendered)
                self._store(case, response)
                self.watchdog.step(case, "being judged")
                subject = _subject(case, rendered, response)
                grade = await self.judge.grade(case.row.test, subject)
        except Undecided as error:
            grade, failure, stopped_by = error.grade, failure_of(error.reason), error.stopped_by
        except CaseError as error:
            response, failure = response or error.response, failure_of(error)
        else:
            outcome = Outcome.PASSED if grade.passed else Outcome.FAILED
            return Done(CaseResult(case, outcome, rendered.prompt, response, grade, None, rendered.resolved), subject)
        errored = CaseResult(case, Outcome.ERRORED, rendered.prompt, response, grade, failure, rendered.resolved)
        return Done(errored, stopped_by=stopped_by)

    def _variables(self, case: Case) -> dict[str, Json]:
        """promptfoo's variables of the run (which run, which case, which repetition), and those stored by cases."""
        step = f"test-{case.row.index}-prompt-{case.column.index}-{case.row.repeat}"
        return {
            "__evalId": self.run_id,
            "__evalStepId": step,
            "__repeatIndex": case.row.repeat,
            **self.stored,
        }

    def _store(self, case: Case, response: Response) -> None:
        """Keep the output as a variable of all later cases, where the test asks for it."""
        if case.row.test.options and (name := case.row.test.options.get("storeOutputAs")):
            self.stored[name] = response.output


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
    code = error.code if isinstance(error, OutOfTime) else None
    return CaseFailure(error.kind, error.message, error.hint, code)
