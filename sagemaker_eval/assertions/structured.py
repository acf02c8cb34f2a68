"""Assertions on structure: is-json, with an optional JSON Schema."""

from __future__ import annotations

from collections.abc import Awaitable

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, decide, is_templated
from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.assertions.json_schema.schemas import Schema, schema_of
from sagemaker_eval.assertions.time_limits import in_time
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict


@ASSERTIONS.register("is-json")
def is_json(spec: AssertionSpec) -> Check:
    """The output is JSON and, where `value` is a JSON Schema, satisfies it.

    A schema is an object, or text that is JSON or YAML; only text may hold templates.
    """
    templated = isinstance(spec.value, str) and is_templated(spec.value)
    fixed = None if spec.value is None or templated else schema_of(spec.value)

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        schema = _schema_of_case(subject.value) if templated else fixed
        try:
            document = parse_json(subject.text)
        except NotJson:
            return decide(spec, False, "to be valid JSON")
        except RecursionError:
            if schema is not None:
                raise CaseError("the output is nested too deeply to be judged by a schema") from None
            return decide(spec, True, "to be valid JSON")
        if schema is None:
            return decide(spec, True, "to be valid JSON")
        return in_time(lambda deadline: _judged(spec, schema, document, deadline), "whether the output fits the schema")

    return check


def _judged(spec: AssertionSpec, schema: Schema, document: Json, deadline: float) -> Verdict:
    problems = schema.problems(document, deadline)
    if bool(problems) is spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    if spec.negated:
        return decide(spec, True, "to be JSON that fits the schema")
    return Verdict(False, 0.0, f"The JSON does not fit the schema: {'; '.join(problems)}", spec)


def _schema_of_case(value: Json) -> Schema:
    try:
        return schema_of(value)
    except ConfigError as error:
        raise CaseError(f"`is-json`: {error.problems[0].message}", error.problems[0].hint) from error
