"""`assertScoringFunction`: the user's own rule from verdicts to a grade, in place of the weighted mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sagemaker_eval.assertions.script_results import named_numbers
from sagemaker_eval.assertions.values import finite_number
from sagemaker_eval.errors import ScriptError
from sagemaker_eval.model import Grade, Json, TestCase, UserCode, Verdict
from sagemaker_eval.text.code import Code, Role, compile_code

ROLE = Role("assertScoringFunction", ("namedScores", "context"), python_function="func", javascript_function="func")


class ScoringFunction:
    """A compiled scoring function."""

    def __init__(self, code: UserCode) -> None:
        self._code: Code = compile_code(code, ROLE)

    async def __call__(self, test: TestCase, grade: Grade) -> Grade:
        """The grade as the function decides it; one that fails where the function does, and says why."""
        context = {
            "threshold": test.threshold,
            "componentResults": [_component(verdict) for verdict in grade.verdicts],
        }
        try:
            made = await self._code.acall(dict(grade.named_scores), context)
        except ScriptError as error:
            return replace(grade, passed=False, score=0.0, reason=error.message)
        return _graded(made, grade)


def _component(verdict: Verdict) -> dict[str, Json]:
    told: dict[str, Json] = {"pass": verdict.passed, "score": verdict.score, "reason": verdict.reason}
    if (spec := verdict.spec) is not None:
        value = spec.value.source if isinstance(spec.value, UserCode) else spec.value
        told["assertion"] = {"type": spec.type, "value": value, "metric": spec.metric}
    return told


def _graded(made: Json, grade: Grade) -> Grade:
    flaw = _flaw(made)
    if flaw:
        return replace(grade, passed=False, score=0.0, reason=f"assertScoringFunction returned {flaw}")
    scores = {**grade.named_scores, **named_numbers(made.get("namedScores"))}
    passed = made["pass"] if "pass" in made else made["pass_"]
    return replace(grade, passed=passed, score=float(made["score"]), reason=made["reason"], named_scores=scores)


def _flaw(made: Any) -> str | None:
    """What keeps a returned value from being a grading result; None where it is one."""
    if not isinstance(made, dict):
        return "no object with `pass`, `score` and `reason`"
    if not isinstance(made.get("pass", made.get("pass_")), bool):
        return "an object whose `pass` is not true or false"
    if finite_number(made.get("score")) is None:
        return "an object whose `score` is not a number"
    return None if isinstance(made.get("reason"), str) else "an object whose `reason` is not text"
