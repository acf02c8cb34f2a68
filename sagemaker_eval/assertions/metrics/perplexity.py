"""Perplexity: how surprised the model was by its own output, where the provider tells log probabilities.

Perplexity is exp(-mean of the tokens' natural log probabilities); the score is 1 / (1 + perplexity).
"""

from __future__ import annotations

import math

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject
from sagemaker_eval.assertions.metrics.scored import verdict
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text


@ASSERTIONS.register("perplexity")
def perplexity(spec: AssertionSpec) -> Check:
    """The perplexity of the output is at most `threshold`; needs log probabilities from the provider."""
    threshold = spec.threshold
    if threshold is None and spec.negated:
        raise ConfigError.of(f"`{spec.type}` needs a `threshold`", hint="for example `threshold: 20`")

    def check(subject: Subject) -> Verdict:
        found = perplexity_of(spec, subject)
        if threshold is None or (found <= threshold) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        wanted = f"{'above' if spec.negated else 'of at most'} {to_text(threshold)}"
        return Verdict(False, 0.0, f"Expected a perplexity {wanted}; it is {found:.3f}", spec)

    return check


@ASSERTIONS.register("perplexity-score")
def perplexity_score(spec: AssertionSpec) -> Check:
    """1 / (1 + perplexity) is at least `threshold`; needs log probabilities from the provider."""

    def check(subject: Subject) -> Verdict:
        score = 1 / (1 + perplexity_of(spec, subject))
        return verdict(spec, "perplexity", score, 0.0 if spec.threshold is None else spec.threshold)

    return check


def perplexity_of(spec: AssertionSpec, subject: Subject) -> float:
    """The perplexity of a response, infinite where it is beyond a float.

    Raises `CaseError` where its provider tells no log probabilities.
    """
    told = subject.response.log_probs
    if not told:
        raise CaseError(
            f"`{spec.type}` cannot be judged: `{subject.provider.name}` tells no log probabilities",
            "ask for them in the request body (`logprobs`, `details`), or let a provider of your own return `logProbs`",
        )
    try:
        return math.exp(-math.fsum(told) / len(told))
    except OverflowError:
        return math.inf
