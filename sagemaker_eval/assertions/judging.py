"""From the assertions of a test to one grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, is_templated
from sagemaker_eval.assertions.scoring import combine
from sagemaker_eval.assertions.scoring_function import ScoringFunction
from sagemaker_eval.errors import CaseError, ConfigError, Problem
from sagemaker_eval.model import AssertionSpec, Grade, Json, TestCase, Verdict
from sagemaker_eval.text.templating.templates import Templates

_KEPT_CHECKS = 4096
_KEPT_SCORING = 64

UNASSERTED = Grade(True, 1.0, "No assertions")


class Undecided(CaseError):
    """One or more assertions could not decide. The case is ERRORED for `reason`; the other verdicts are in `grade`.

    `grade` has one verdict for each assertion, in order. That of an undecided one has not passed, scores 0, tells why,
    and is marked `error: true` in its metadata. As a whole it has not passed, scores 0, and names no scores.
    """

    def __init__(self, reason: CaseError, grade: Grade) -> None:
        super().__init__(reason.message, reason.hint)
        self.kind = reason.kind
        self.reason = reason
        self.grade = grade


@dataclass(frozen=True, slots=True)
class _Prepared:
    spec: AssertionSpec
    check: Check
    templated: bool


class Judge:
    """Prepares the assertions of tests and grades subjects with them. One for each run."""

    def __init__(self, templates: Templates) -> None:
        self._templates = templates
        self._prepared: dict[int, _Prepared] = {}
        self._scoring = lru_cache(_KEPT_SCORING)(ScoringFunction)

    def prepare(self, specs: Sequence[AssertionSpec]) -> list[Problem]:
        """Everything that is wrong with the assertions, before anything is sent."""
        problems: list[Problem] = []
        for spec in specs:
            for step in (self._check_templates, self._prepare):
                try:
                    step(spec)
                except ConfigError as error:
                    problems += [replace(problem, where=problem.where or spec.where) for problem in error.problems]
        return problems

    def check_test(self, test: TestCase) -> None:
        """Raise `ConfigError` for a scoring function that cannot be loaded."""
        if test.scoring is not None:
            self._scoring(test.scoring)

    async def grade(self, test: TestCase, subject: Subject) -> Grade:
        """The grade of one output. Raises `Undecided` where an assertion cannot decide."""
        if not test.assertions:
            return UNASSERTED
        verdicts: list[Verdict] = []
        metrics: list[str | None] = []
        errors: list[CaseError] = []
        for spec in test.assertions:
            try:
                verdict, metric = await self._verdict(spec, subject), self._metric(spec, subject.vars)
            except CaseError as error:
                verdict, metric = Verdict(False, 0.0, f"Not decided: {error.message}", spec, {"error": True}), None
                errors.append(error)
            verdicts.append(verdict)
            metrics.append(metric)
        if errors:
            reason = "; ".join(error.message for error in errors)
            raise Undecided(errors[0], Grade(False, 0.0, reason, tuple(verdicts)))
        grade = combine(verdicts, test.threshold, metrics)
        return grade if test.scoring is None else await self._scoring(test.scoring)(test, grade)

    async def _verdict(self, spec: AssertionSpec, subject: Subject) -> Verdict:
        prepared = self._prepared.get(id(spec))
        if prepared is None or prepared.spec is not spec:
            prepared = self._prepare(spec)
        value = self._templates.render_value(spec.value, subject.vars) if prepared.templated else spec.value
        verdict = prepared.check(subject.with_value(value))
        return verdict if isinstance(verdict, Verdict) else await verdict

    def _prepare(self, spec: AssertionSpec) -> _Prepared:
        prepared = _Prepared(spec, ASSERTIONS.get(spec.kind)(spec), is_templated(spec.value))
        if len(self._prepared) >= _KEPT_CHECKS:
            self._prepared.clear()
        self._prepared[id(spec)] = prepared
        return prepared

    def _check_templates(self, spec: AssertionSpec) -> None:
        for value in (*(spec.value if isinstance(spec.value, list) else (spec.value,)), spec.metric):
            if isinstance(value, str):
                self._templates.check(value, spec.where)

    def _metric(self, spec: AssertionSpec, variables: Mapping[str, Json]) -> str | None:
        return None if spec.metric is None else str(self._templates.render_value(spec.metric, variables))
