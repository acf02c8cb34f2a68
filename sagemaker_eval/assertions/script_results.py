"""What the user's checks may return, and the verdict that it makes.

A boolean, a number, or a grading result (`pass`, `score`, `reason`). Python may return those as text too, and may write
`pass_` and names in snake_case. Anything else fails, whether negated or not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_eval.assertions.base import PASSED, shortened
from sagemaker_eval.assertions.values import finite_number
from sagemaker_eval.model import AssertionSpec, Json, UserCode, Verdict
from sagemaker_eval.text.javascript.script import UNDEFINED
from sagemaker_eval.text.templating.javascript_values import to_text

_SWITCHES = {"true": True, "false": False}


def verdict_of(made: Json, spec: AssertionSpec) -> Verdict:
    """The verdict that a returned value makes. `not-` turns a boolean round with its score; a number keeps its own."""
    if spec.kind == "python" and isinstance(made, str):
        made = _read(made)
    if isinstance(made, bool):
        return _of_boolean(made, spec)
    if (score := finite_number(made)) is not None:
        return _of_number(score, spec)
    if isinstance(made, Mapping):
        return _of_result(made, spec)
    what = "nothing" if made is None or made is UNDEFINED else f"`{shortened(str(made))}`"
    return _wrong(
        spec, f"returned {what}; a check returns true or false, a number, or an object with pass, score, reason"
    )


def _read(text: str) -> Json:
    """What Python's text stands for: true or false, a number, an object as JSON; else the text itself."""
    folded = text.strip().lower()
    if folded in _SWITCHES:
        return _SWITCHES[folded]
    try:
        read = json.loads(text)
    except ValueError:
        return text
    return read if isinstance(read, int | float | dict) else text


def _of_boolean(made: bool, spec: AssertionSpec) -> Verdict:
    passed = made is not spec.negated
    reason = PASSED if passed else f"Custom function returned {str(made).lower()}\n{_code(spec)}"
    return Verdict(passed, float(passed), reason, spec)


def _of_number(score: float, spec: AssertionSpec) -> Verdict:
    reached = score > 0 if spec.threshold is None else score >= spec.threshold
    if reached is not spec.negated:
        return Verdict(True, score, PASSED, spec)
    wanted = "above 0" if spec.threshold is None else f"of at least {to_text(spec.threshold)}"
    refused = "no score " if spec.negated else "a score "
    return Verdict(
        False, score, f"Custom function returned {to_text(score)}; wanted {refused}{wanted}\n{_code(spec)}", spec
    )


def _of_result(made: Mapping[str, Any], spec: AssertionSpec) -> Verdict:
    passed, score, reason = _named(made, "pass", "pass_"), finite_number(made.get("score")), made.get("reason")
    if not isinstance(passed, bool):
        return _wrong(spec, "returned an object whose `pass` is not true or false")
    if score is None:
        return _wrong(spec, "returned an object whose `score` is not a number")
    if not isinstance(reason, str):
        return _wrong(spec, "returned an object whose `reason` is not text")
    reached = passed and (spec.threshold is None or score >= spec.threshold)
    if passed and not reached:
        reason = f"score {to_text(score)} is below the threshold of {to_text(spec.threshold)} ({reason})"
    parts = _named(made, "componentResults", "component_results")
    named = _named(made, "namedScores", "named_scores")
    return Verdict(
        passed=reached is not spec.negated,
        score=score,
        reason=reason or (PASSED if reached is not spec.negated else "the check gave no reason"),
        spec=spec,
        named_scores=named_numbers(named),
        members=tuple(_of_result(part, AssertionSpec(spec.kind)) for part in parts or () if isinstance(part, Mapping)),
    )


def named_numbers(named: Any) -> dict[str, float]:
    """The entries of returned `namedScores` that are scores; true counts as 1."""
    if not isinstance(named, Mapping):
        return {}
    scores = {name: float(score) if isinstance(score, bool) else finite_number(score) for name, score in named.items()}
    return {name: score for name, score in scores.items() if score is not None}


def _named(made: Mapping[str, Any], name: str, other: str) -> Any:
    return made.get(name, made.get(other))


def _wrong(spec: AssertionSpec, what: str) -> Verdict:
    return Verdict(False, 0.0, f"{spec.kind}: the check {what}", spec)


def _code(spec: AssertionSpec) -> str:
    return spec.value.source if isinstance(spec.value, UserCode) else str(spec.value)
