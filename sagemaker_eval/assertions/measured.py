"""Assertions on what was measured of the call: latency, time to first token, cost, tokens and their rate."""

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
        return _verdict(spec, (measured or 0.0) <= threshold, wanted, found)

    return check


@ASSERTIONS.register("ttft")
def ttft(spec: AssertionSpec) -> Check:
    """The first token of a streamed answer came at most `threshold` ms after the call went out.

    As with `latency` only the successful call counts, and a cached answer with its original time.
    """
    threshold = _threshold(spec, "in milliseconds", "500")
    wanted = f"a time to first token {_bound(spec, threshold)} ms"

    def check(subject: Subject) -> Verdict:
        first = subject.response.timings.first_token
        if first is None:
            raise CaseError(
                f"`{spec.type}` cannot be judged: the answer of `{subject.provider.name}` did not come token by token",
                "set `stream: true` in the provider's config; where it is set, the container sent its answer whole",
            )
        return _verdict(spec, first <= threshold, wanted, f"it was {to_text(round(first, 3))} ms")

    return check


@ASSERTIONS.register("tokens-per-second")
def tokens_per_second(spec: AssertionSpec) -> Check:
    """The answer came at no less than `threshold` tokens per second: its tokens over the whole time on the wire."""
    threshold = _threshold(spec, "of tokens per second", "20")
    wanted = f"tokens per second {'below' if spec.negated else 'of at least'} {to_text(threshold)}"

    def check(subject: Subject) -> Verdict:
        usage = subject.response.usage
        rate = _rate(spec, subject)
        about = "about " if usage.estimated else ""
        return _verdict(spec, rate >= threshold, wanted, f"it was {about}{to_text(round(rate, 3))}")

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
        wanted = f"a cost {_bound(spec, threshold)} USD"
        return _verdict(spec, told <= threshold, wanted, f"it was {to_text(told)} USD")

    return check


@ASSERTIONS.register("tokens")
def tokens(spec: AssertionSpec) -> Check:
    """Prompt and answer together took at most `threshold` tokens, counted by the endpoint or estimated."""
    threshold = _threshold(spec, "of tokens", "500")

    def check(subject: Subject) -> Verdict:
        usage = subject.response.usage
        found = f"it took {'about ' if usage.estimated else ''}{usage.total}"
        return _verdict(spec, usage.total <= threshold, f"tokens {_bound(spec, threshold)}", found)

    return check


def _threshold(spec: AssertionSpec, unit: str, example: str) -> float:
    if spec.threshold is None or not spec.threshold >= 0:
        raise ConfigError.of(f"`{spec.type}` needs a `threshold` {unit}", hint=f"for example `threshold: {example}`")
    return spec.threshold


def _bound(spec: AssertionSpec, threshold: float) -> str:
    return f"{'above' if spec.negated else 'of at most'} {to_text(threshold)}"


def _rate(spec: AssertionSpec, subject: Subject) -> float:
    """Tokens of the answer per second of wire time. Raises `CaseError` where either is not known."""
    measured, tokens = subject.response.latency_ms, subject.response.usage.completion
    if not measured:
        lacking = "no time was measured, for no call was made"
    elif not tokens and subject.text:
        lacking = f"`{subject.provider.name}` tells no tokens of its answer"
    else:
        return tokens / (measured / 1000)
    hint = "a provider of your own in Python can return `tokenUsage` and `latencyMs`"
    raise CaseError(f"`{spec.type}` cannot be judged: {lacking}", hint)


def _verdict(spec: AssertionSpec, holds: bool, wanted: str, told: str) -> Verdict:
    if holds is not spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    return Verdict(False, 0.0, f"Expected {wanted}; {told}", spec)
