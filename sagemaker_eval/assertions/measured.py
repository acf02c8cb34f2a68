"""Assertions on what was measured of the call: latency."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, decide
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Verdict


@ASSERTIONS.register("latency")
def latency(spec: AssertionSpec) -> Check:
    """The successful call took at most `threshold` ms on the wire; a cached answer counts with its original time."""
    threshold = spec.threshold
    if threshold is None:
        raise ConfigError.of(f"`{spec.type}` needs a `threshold` in milliseconds")

    def check(subject: Subject) -> Verdict:
        wire = subject.response.timings.wire
        return decide(spec, wire <= threshold, f"to take at most {threshold:g} ms; it took {wire:.1f} ms")

    return check
