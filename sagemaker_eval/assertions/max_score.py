"""`max-score`: the answer whose other assertions score highest wins its test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sagemaker_eval.assertions.base import COMPARISONS, PASSED, Compare, Contender
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text

_METHODS = ("average", "sum")
_EXAMPLE = "for example `value: {method: average, weights: {javascript: 2}, threshold: 0.5}`"


@dataclass(frozen=True, slots=True)
class _Rule:
    method: str = "average"
    weights: Mapping[str, float] | None = None
    threshold: float | None = None


@COMPARISONS.register("max-score")
def max_score(spec: AssertionSpec) -> Compare:
    """No other answer to the test scores higher in its other assertions; of equal ones the first wins."""
    rule = _rule(spec)

    async def compare(contenders: Sequence[Contender]) -> list[Verdict]:
        totals = [_total(rule, contender) for contender in contenders]
        best = max(range(len(totals)), key=lambda index: (totals[index], -index))
        if rule.threshold is not None and totals[best] < rule.threshold:
            reason = f"no answer reaches the threshold of {to_text(rule.threshold)}; the best scores "
            return [Verdict(False, 0.0, reason + _two(totals[best]), spec) for _ in contenders]
        return [_verdict(spec, index == best, totals[index], totals[best]) for index in range(len(totals))]

    return compare


def _verdict(spec: AssertionSpec, wins: bool, score: float, best: float) -> Verdict:
    if wins:
        return Verdict(True, 1.0, PASSED, spec, {"maxScore": score})
    level = "an earlier answer scores as much" if score == best else f"the best answer scores {_two(best)}"
    return Verdict(False, 0.0, f"scores {_two(score)}; {level}", spec, {"maxScore": score})


def _total(rule: _Rule, contender: Contender) -> float:
    """The weighted mean (or sum) of the scores of the other assertions; `weights` are by type, 1 by default."""
    pairs = [
        (verdict.score, (rule.weights or {}).get(verdict.spec.type if verdict.spec else "", 1.0))
        for verdict in contender.grade.verdicts
    ]
    if not pairs:
        raise CaseError("`max-score` has no other assertion to go by", "give the test at least one more assertion")
    total, weight = sum(score * weight for score, weight in pairs), sum(weight for _, weight in pairs)
    return total if rule.method == "sum" else total / weight if weight else 0.0


def _rule(spec: AssertionSpec) -> _Rule:
    value = {} if spec.value is None else spec.value
    if not isinstance(value, Mapping) or not {"method", "weights", "threshold"}.issuperset(value):
        raise ConfigError.of("the value of `max-score` is a map of `method`, `weights`, `threshold`", hint=_EXAMPLE)
    method, weights, threshold = value.get("method", "average"), value.get("weights"), value.get("threshold")
    if method not in _METHODS:
        raise ConfigError.of("the `method` of `max-score` is `average` or `sum`", hint=_EXAMPLE)
    if weights is not None and not (isinstance(weights, Mapping) and all(map(_is_weight, weights.values()))):
        raise ConfigError.of("the `weights` of `max-score` are numbers from 0 by assertion type", hint=_EXAMPLE)
    if threshold is not None and not _is_number(threshold):
        raise ConfigError.of("the `threshold` of `max-score` is a number", hint=_EXAMPLE)
    return _Rule(method, weights, spec.threshold if threshold is None else float(threshold))


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_weight(value: Json) -> bool:
    return _is_number(value) and value >= 0


def _two(score: float) -> str:
    return f"{score:.2f}"
