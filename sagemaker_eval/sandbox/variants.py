"""Production variants: which of them answers a request.

A request that names none is drawn by the variants' weights, as SageMaker splits traffic.
"""

from __future__ import annotations

from sagemaker_eval.sandbox.attempts import Attempt
from sagemaker_eval.sandbox.replies import Refusal, validation_error
from sagemaker_eval.sandbox.rules import Rule, Variant


def check_known(rule: Rule, endpoint: str, wanted: str | None) -> None:
    """Raises `Refusal` where the endpoint has variants and `wanted` is none of them."""
    if wanted is not None and rule.variants and all(variant.name != wanted for variant in rule.variants):
        raise Refusal(validation_error(f"Variant {wanted} of endpoint {endpoint} not found."))


def choose(rule: Rule, attempt: Attempt, wanted: str | None) -> Variant | None:
    """The variant that answers: the wanted one, else the drawn one; None where the rule has no variants."""
    if wanted is not None or not rule.variants:
        return next((variant for variant in rule.variants if variant.name == wanted), None)
    luck = attempt.variant * sum(variant.weight for variant in rule.variants)
    for variant in rule.variants:
        luck -= variant.weight
        if luck < 0:
            return variant
    return max(rule.variants, key=lambda variant: variant.weight)
