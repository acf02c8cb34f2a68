"""From the assertions of a test to one grade."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from sagemaker_eval.assertions.base import (
    ASSERTIONS,
    COMPARISONS,
    GRADER_ROLES,
    Check,
    Compare,
    Contender,
    Subject,
    is_templated,
)
from sagemaker_eval.assertions.scoring import combine
from sagemaker_eval.assertions.scoring_function import ScoringFunction
from sagemaker_eval.assertions.user_code import ValueCode, compile_transform, transformed
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.errors import CaseError, ConfigError, Problem, SetupError
from sagemaker_eval.model import (
    AssertionSpec,
    Grade,
    Graders,
    Json,
    Place,
    TestCase,
    UserCode,
    Verdict,
    compact_json,
)
from sagemaker_eval.text.code import Code
from sagemaker_eval.text.templating.templates import Templates

SET = "assert-set"
OWN_CODE = frozenset({"javascript", "python"})
"""Kinds whose value is code by itself; for any other kind, code as a value makes the value."""

_KEPT_CHECKS = 4096
_KEPT_SCORING = 64

UNASSERTED = Grade(True, 1.0, "No assertions")


class Undecided(CaseError):
    """One or more assertions could not decide. The case is ERRORED for `reason`; the other verdicts are in `grade`.

    `grade` has one verdict for each assertion, in order. That of an undecided one has not passed, scores 0, tells why,
    and is marked `error: true` in its metadata. As a whole it has not passed, scores 0, and names no scores.
    """

    def __init__(self, reason: CaseError, grade: Grade, stopped_by: SetupError | None = None) -> None:
        super().__init__(reason.message, reason.hint)
        self.kind = reason.kind
        self.reason = reason
        self.grade = grade
        self.stopped_by = stopped_by
        """Why no grader's call can succeed any more, where that is the reason."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An assertion ready to judge. `check` is None for a set, and where code makes the value of each case."""

    spec: AssertionSpec
    check: Check | None
    templated: bool
    transform: Code | None = None
    value: ValueCode | None = None


@dataclass(slots=True)
class _Judged:
    """Verdicts in the order of the assertions, the metric of each, and why some could not decide."""

    verdicts: list[Verdict] = field(default_factory=list)
    metrics: list[str | None] = field(default_factory=list)
    errors: list[CaseError] = field(default_factory=list)
    stopped_by: SetupError | None = None

    def add(self, verdict: Verdict, metric: str | None) -> None:
        self.verdicts.append(verdict)
        self.metrics.append(metric)

    def add_undecided(self, error: CaseError, spec: AssertionSpec) -> None:
        self.add(Verdict(False, 0.0, f"Not decided: {error.message}", spec, {"error": True}), None)
        self.errors.append(error)


class Judge:
    """Prepares the assertions of tests and grades subjects with them. One for each run."""

    def __init__(self, templates: Templates, graders: Graders | None = None) -> None:
        self._templates = templates
        self._graders = graders
        self._prepared: dict[int, _Prepared] = {}
        self._scoring = lru_cache(_KEPT_SCORING)(ScoringFunction)

    def prepare(self, specs: Sequence[AssertionSpec]) -> list[Problem]:
        """Everything that is wrong with the assertions, before anything is sent.

        Those of `defaultTest` come by with every test, and are looked at once.
        """
        problems: list[Problem] = []
        for spec in specs:
            known = self._prepared.get(id(spec))
            if known is not None and known.spec is spec:
                continue
            for step in (self._check_templates, self._prepare):
                try:
                    step(spec)
                except ConfigError as error:
                    problems += [replace(problem, where=problem.where or spec.where) for problem in error.problems]
            problems += self.prepare(spec.members)
        return problems

    def check_test(self, test: TestCase) -> None:
        """Raise `ConfigError` for a scoring function that cannot be loaded, and for graders that are not there."""
        problems = Problems()
        if (scoring := test.scoring) is not None:
            problems.attempt(lambda: self._scoring(scoring))
        rubric = test.options.get("rubricPrompt") if test.options else None
        problems.attempt(lambda: self._check_rubric(rubric, test.where))
        for spec in (*test.assertions, *(member for one in test.assertions for member in one.members)):
            for role in GRADER_ROLES.get(spec.kind, ()):
                problems.attempt(lambda spec=spec, role=role: self._grader(spec, test, role))  # type: ignore[misc]
        problems.check()

    def _grader(self, spec: AssertionSpec, test: TestCase, role: str) -> object:
        assert self._graders is not None
        find: Mapping[str, Callable[[AssertionSpec, TestCase], object]] = {
            "text": self._graders.text,
            "embedding": self._graders.embedding,
            "classification": self._graders.classification,
            "moderation": self._graders.moderation,
        }
        return find[role](spec, test)

    async def grade(self, test: TestCase, subject: Subject) -> Grade:
        """The grade of one output. Raises `Undecided` where an assertion cannot decide."""
        specs = alone(test.assertions)
        if not specs:
            return UNASSERTED
        subject = subject.equipped(self._graders, self._templates)
        judged = await self._judge(specs, subject)
        if judged.errors:
            reason = "; ".join(error.message for error in judged.errors)
            raise Undecided(judged.errors[0], Grade(False, 0.0, reason, tuple(judged.verdicts)), judged.stopped_by)
        return await self._combined(test, judged)

    async def compare(self, test: TestCase, contenders: Sequence[Contender]) -> list[Grade]:
        """The grades of the answers to one test, with what the assertions say that compare them.

        Raises `CaseError` where one of these cannot decide.
        """
        contenders = [Contender(one.subject.equipped(self._graders, self._templates), one.grade) for one in contenders]
        compared = [(spec, await self._comparison(spec)(contenders)) for spec in comparing(test.assertions)]
        grades = []
        for index, contender in enumerate(contenders):
            judged = _Judged()
            verdicts = iter(contender.grade.verdicts)
            beside = {id(spec): verdicts_of[index] for spec, verdicts_of in compared}
            for spec in test.assertions:
                verdict = beside[id(spec)] if id(spec) in beside else next(verdicts)
                judged.add(verdict, self._metric(spec, contender.subject.vars))
            grades.append(await self._combined(test, judged))
        return grades

    async def _combined(self, test: TestCase, judged: _Judged) -> Grade:
        grade = combine(judged.verdicts, test.threshold, judged.metrics)
        return grade if test.scoring is None else await self._scoring(test.scoring)(test, grade)

    def _comparison(self, spec: AssertionSpec) -> Compare:
        return COMPARISONS.get(spec.kind)(spec)

    async def _judge(self, specs: Sequence[AssertionSpec], subject: Subject) -> _Judged:
        """All assertions; those that have to wait do so side by side."""
        judged = _Judged()
        pending = [self._verdict(spec, subject) for spec in specs]
        waiting = [verdict for verdict in pending if not isinstance(verdict, Verdict | CaseError)]
        waited = iter(await asyncio.gather(*waiting, return_exceptions=True) if waiting else ())
        for spec, verdict in zip(specs, pending, strict=True):
            found = verdict if isinstance(verdict, Verdict | CaseError) else next(waited)
            try:
                if isinstance(found, BaseException):
                    raise found
                judged.add(found, self._metric(spec, subject.vars))
            except CaseError as error:
                judged.add_undecided(error, spec)
            except SetupError as error:
                judged.add_undecided(_of_grader(error), spec)
                judged.stopped_by = error
        return judged

    def _verdict(self, spec: AssertionSpec, subject: Subject) -> Verdict | CaseError | Awaitable[Verdict]:
        """The verdict of one assertion, at once where nothing has to be waited for."""
        prepared = self._prepared.get(id(spec))
        if prepared is None or prepared.spec is not spec:
            prepared = self._prepare(spec)
        if prepared.check is None or prepared.transform is not None:
            return self._at_length(prepared, subject)
        try:
            return prepared.check(subject.with_value(self._value(prepared, subject)))
        except CaseError as error:
            return error

    async def _at_length(self, prepared: _Prepared, subject: Subject) -> Verdict:
        """The verdict of a set, or of an assertion with code of its own around it."""
        spec, check = prepared.spec, prepared.check
        if prepared.transform is not None:
            subject = subject.with_output(await transformed(prepared.transform, subject))
        if spec.kind == SET:
            return await self._set_verdict(spec, subject)
        if prepared.value is not None:
            value = await prepared.value(spec, subject)
            check = _late_check(replace(spec, value=value))
        else:
            value = self._value(prepared, subject)
        assert check is not None
        verdict = check(subject.with_value(value))
        return verdict if isinstance(verdict, Verdict) else await verdict

    async def _set_verdict(self, spec: AssertionSpec, subject: Subject) -> Verdict:
        """The members of a set taken together, under the set's own threshold."""
        judged = await self._judge(spec.members, subject)
        if judged.errors:
            raise judged.stopped_by or judged.errors[0]
        grade = combine(judged.verdicts, spec.threshold, judged.metrics)
        told = {"type": SET, "assertionCount": len(spec.members), "threshold": spec.threshold, "weight": spec.weight}
        metadata = {"assertionSet": {name: value for name, value in told.items() if value is not None}}
        return Verdict(
            grade.passed, grade.score, grade.reason, spec, metadata, grade.named_scores, members=grade.verdicts
        )

    def _value(self, prepared: _Prepared, subject: Subject) -> Json:
        value = prepared.spec.value
        return self._templates.render_value(value, subject.vars) if prepared.templated else value

    def _prepare(self, spec: AssertionSpec) -> _Prepared:
        prepared = self._made_ready(spec)
        if len(self._prepared) >= _KEPT_CHECKS:
            self._prepared.clear()
        self._prepared[id(spec)] = prepared
        return prepared

    def _made_ready(self, spec: AssertionSpec) -> _Prepared:
        transform = None if spec.transform is None else compile_transform(spec.transform)
        if spec.kind == SET:
            return _Prepared(spec, None, False, transform)
        if spec.kind in COMPARISONS:
            self._comparison(spec)
            return _Prepared(spec, None, False)
        if isinstance(spec.value, UserCode) and spec.kind not in OWN_CODE:
            return _Prepared(spec, None, False, transform, ValueCode(spec.value))
        return _Prepared(spec, ASSERTIONS.get(spec.kind)(spec), is_templated(spec.value), transform)

    def _check_templates(self, spec: AssertionSpec) -> None:
        for value in (*(spec.value if isinstance(spec.value, list) else (spec.value,)), spec.metric):
            if isinstance(value, str):
                self._templates.check(value, spec.where)
        self._check_rubric(spec.rubric_prompt, spec.where)

    def _check_rubric(self, prompt: Json, where: Place | None) -> None:
        """Check a grader's prompt, or each of several."""
        if isinstance(prompt, list) and any(isinstance(part, dict) for part in prompt):
            self._templates.prompt(compact_json(prompt), where)
            return
        parts = prompt if isinstance(prompt, list) else prompt.values() if isinstance(prompt, dict) else [prompt]
        for part in parts:
            if part is not None:
                self._templates.prompt(part if isinstance(part, str) else compact_json(part), where)

    def _metric(self, spec: AssertionSpec, variables: Mapping[str, Json]) -> str | None:
        return None if spec.metric is None else str(self._templates.render_value(spec.metric, variables))


def _of_grader(error: SetupError) -> CaseError:
    """What stops the run as what leaves one case undecided: its answer and other verdicts stay on record."""
    undecided = CaseError(error.message, error.hint)
    undecided.kind = "grader"
    return undecided


def comparing(specs: Sequence[AssertionSpec]) -> list[AssertionSpec]:
    """The assertions that compare the answers to one test with each other."""
    return [spec for spec in specs if spec.kind in COMPARISONS]


def alone(specs: Sequence[AssertionSpec]) -> Sequence[AssertionSpec]:
    """The assertions that judge each answer by itself."""
    return [spec for spec in specs if spec.kind not in COMPARISONS]


def _late_check(spec: AssertionSpec) -> Check:
    """The check of an assertion whose value is only known now. Raises `CaseError` for a value that cannot be judged."""
    try:
        return ASSERTIONS.get(spec.kind)(spec)
    except ConfigError as error:
        problem = error.problems[0]
        raise CaseError(f"the value that a script gave: {problem.message}", problem.hint) from error
