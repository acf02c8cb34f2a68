"""Assertions on what was measured of the call: latency."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text


@ASSERTIONS.register("latency")
def latency(spec: AssertionSpec) -> Check:
    """The successful call took at most `threshold` ms on the wire.

    Retries, back-off and queueing do not count. A cached answer counts with its original time. A provider that calls
    nothing, such as `echo`, took 0 ms: nothing was waited for.
    """
    threshold = spec.threshold
    if threshold is None or not threshold >= 0:
        raise ConfigError.of(f"`{spec.type}` needs a `threshold` in milliseconds", hint="for example `threshold: 2000`")
    wanted = f"{'above' if spec.negated else 'of at most'} {to_text(threshold)} ms"

    def check(subject: Subject) -> Verdict:
        measured = subject.response.latency_ms
        if ((measured or 0.0) <= threshold) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        found = "no call was made" if measured is None else f"it was {to_text(round(measured, 3))} ms"
        return Verdict(False, 0.0, f"Expected a latency {wanted}; {found}", spec)

    return check
