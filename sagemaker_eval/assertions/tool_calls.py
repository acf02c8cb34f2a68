"""Assertions on calls of tools: tool-call-f1."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, Check, Subject, shortened
from sagemaker_eval.assertions.tool_names import called_tools
from sagemaker_eval.assertions.values import WHITE_SPACE, value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict
from sagemaker_eval.text.templating.javascript_values import to_text


@ASSERTIONS.register("tool-call-f1")
def tool_call_f1(spec: AssertionSpec) -> Check:
    """The names of the called tools agree with `value`, a list or comma-separated text: F1 of at least `threshold`.

    F1 is the harmonic mean of precision and recall (van Rijsbergen 1979) over the two sets of names; it is the score,
    with `not-` too. The threshold is 1 where none is given.
    """
    wanted_names = value_reader(spec, lambda value: _names(spec, value))
    threshold = 1.0 if spec.threshold is None else spec.threshold

    def check(subject: Subject) -> Verdict:
        wanted, called = wanted_names(subject), called_tools(subject.response.output)
        score = f1(wanted, called)
        passed = (score >= threshold) is not spec.negated
        relation = "" if passed else f", {'not ' if spec.negated else ''}expected to be at least {to_text(threshold)}"
        names = f"expected {_listed(wanted)}, called {_listed(called)}"
        return Verdict(passed, score, f"The F1 of the called tools is {score:.3f}{relation}: {names}", spec)

    return check


def f1(wanted: frozenset[str], called: frozenset[str]) -> float:
    """Twice the common names by the sum of both counts: the harmonic mean of precision and recall, 0 to 1."""
    return 2 * len(wanted & called) / (len(wanted) + len(called))


def _listed(names: frozenset[str]) -> str:
    return shortened(", ".join(f"`{name}`" for name in sorted(names))) or "none"


def _names(spec: AssertionSpec, value: Json) -> frozenset[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or any(isinstance(part, list | dict) or part is None for part in parts):
        parts = []
    names = frozenset(name for part in parts if (name := to_text(part).strip(WHITE_SPACE)))
    if not names:
        hint = "for example `value: [get_weather]`"
        raise ConfigError.of(f"`{spec.type}` needs a `value`: the names of tools", hint=hint)
    return names
