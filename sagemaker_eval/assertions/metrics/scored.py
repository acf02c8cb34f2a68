"""Assertions by a score from 0 to 1 that has to reach a threshold."""

from __future__ import annotations

from collections.abc import Callable

from sagemaker_eval.assertions.base import Check, Subject, is_templated, shortened
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

Score = Callable[[str, list[str]], float]
"""The score of a candidate beside its references, which are one or more."""


def scored(spec: AssertionSpec, name: str, default: float, score: Score, several: bool = False) -> Check:
    """The check of a metric. Its value is a text, or also a list of texts where `several` references may stand.

    Passing means a score of at least `threshold` (else `default`); `not-` turns that round and scores 1 - score.
    """
    threshold = default if spec.threshold is None else spec.threshold
    references_of(spec, spec.value, several=several, error=ConfigError.of, fixed=True)

    def check(subject: Subject) -> Verdict:
        references = references_of(spec, subject.value, several=several)
        return verdict(spec, name, score(subject.text, references), threshold)

    return check


def verdict(spec: AssertionSpec, name: str, score: float, threshold: float, more: str = "") -> Verdict:
    """The verdict of a score; the reason tells it in any case."""
    reached = score >= threshold
    relation = "reaches" if reached else "is below"
    reason = f"{name} score {_three(score)} {relation} the threshold of {to_text(threshold)}{more}"
    if spec.negated:
        return Verdict(not reached, 1.0 - score, reason, spec)
    return Verdict(reached, score, reason, spec)


def references_of(
    spec: AssertionSpec,
    value: Json,
    *,
    several: bool,
    error: Callable[[str], Exception] = CaseError,
    fixed: bool = False,
) -> list[str]:
    """The references in a value; of a `fixed` one that holds templates nothing is said yet. Raises `error`."""
    texts = value if several and isinstance(value, list) else [value]
    if (fixed and is_templated(value)) or (texts and all(isinstance(text, str) for text in texts)):
        return list(texts)
    what = "a text or a list of texts" if several else "a text"
    shown = "" if value is None else f", not `{shortened(str(value), 60)}`"
    raise error(f"`{spec.type}` needs a `value` to compare the output with: {what}{shown}")


def _three(score: float) -> str:
    """Three decimals, never rounded up to a score that was not reached."""
    return f"{int(score * 1000) / 1000:.3f}" if score >= 0 else f"{score:.3f}"
