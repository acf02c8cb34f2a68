"""Assertion on why the model stopped: finish-reason."""

from __future__ import annotations

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject
from sagemaker_eval.assertions.values import value_reader
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict


@ASSERTIONS.register("finish-reason")
def finish_reason(spec: AssertionSpec) -> Check:
    """The endpoint gave `value` as the reason why the model stopped, upper and lower case being the same.

    Where it gave none, nothing matches.
    """
    wanted_reason = value_reader(spec, lambda value: _reason(spec, value))

    def check(subject: Subject) -> Verdict:
        wanted, found = wanted_reason(subject), subject.response.finish_reason
        if (found is not None and found.lower() == wanted.lower()) is not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        told = f'it was "{found}"' if found else "the endpoint gave none"
        relation = "a finish reason other than" if spec.negated else "the finish reason"
        return Verdict(False, 0.0, f'Expected {relation} "{wanted}"; {told}', spec)

    return check


def _reason(spec: AssertionSpec, value: Json) -> str:
    if not isinstance(value, str) or not value:
        hint = "for example `stop` or `length`; the answer of the endpoint shows which words it uses"
        raise ConfigError.of(f"`{spec.type}` needs a `value`: the reason as text", hint=hint)
    return value
