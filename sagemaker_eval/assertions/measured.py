"""Assertions on what was measured of the call: latency, cost, tokens."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text


@ASSERTIONS.register("latency")
def latency(spec: AssertionSpec) -> Check:
    """The successful call took at most `threshold` ms on the wire.

    Retries, back-off and queueing do not count. A cached answer counts with its original time. A provider that calls
    nothing, such as `echo`, took 0 ms: nothing was waited for.
    """
    threshold = _threshold(spec, "in milliseconds", "2000")
    wanted = f"a latency {_bound(spec, threshold)} ms"

    def check(subject: Subject) -> Verdict:
        measured = subject.response.latency_ms
        found = "no call was made" if measured is None else f"it was {to_text(round(measured, 3))} ms"
        return _at_most(spec, measured or 0.0, threshold, wanted, found)

    return check


@ASSERTIONS.register("cost")
def cost(spec: AssertionSpec) -> Check:
    """The call cost at most `threshold` US dollars, as its provider told."""
    threshold = _threshold(spec, "in US dollars", "0.002")

    def check(subject: Subject) -> Verdict:
        told = subject.response.cost
        if told is None:
            hint = "a provider of your own in Python can return `cost`"
            raise CaseError(f"`{spec.type}` cannot be judged: `{subject.provider.name}` tells no cost", hint)
        return _at_most(spec, told, threshold, f"a cost {_bound(spec, threshold)} USD", f"it was {to_text(told)} USD")

    return check


@ASSERTIONS.register("tokens")
def tokens(spec: AssertionSpec) -> Check:
    """Prompt and answer together took at most `threshold` tokens, counted by the endpoint or estimated."""
    threshold = _threshold(spec, "of tokens", "500")

    def check(subject: Subject) -> Verdict:
        usage = subject.response.usage
        found = f"it took {'about ' if usage.estimated else ''}{usage.total}"
        return _at_most(spec, usage.total, threshold, f"tokens {_bound(spec, threshold)}", found)

    return check


def _threshold(spec: AssertionSpec, unit: str, example: str) -> float:
    if spec.threshold is None or not spec.threshold >= 0:
        raise ConfigError.of(f"`{spec.type}` needs a `threshold` {unit}", hint=f"for example `threshold: {example}`")
    return spec.threshold


def _bound(spec: AssertionSpec, threshold: float) -> str:
    return f"{'above' if spec.negated else 'of at most'} {to_text(threshold)}"


def _at_most(spec: AssertionSpec, found: float, threshold: float, wanted: str, told: str) -> Verdict:
    if (found <= threshold) is not spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    return Verdict(False, 0.0, f"Expected {wanted}; {told}", spec)
