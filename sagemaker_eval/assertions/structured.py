"""Assertions on JSON: is-json and contains-json, with an optional JSON Schema."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from json import JSONDecodeError

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, decide, is_templated
from sagemaker_eval.assertions.json_schema.json_text import NotJson, parse_json
from sagemaker_eval.assertions.json_schema.schemas import Schema, schema_of
from sagemaker_eval.assertions.json_values import json_objects
from sagemaker_eval.assertions.time_limits import in_time
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict


@ASSERTIONS.register("is-json")
def is_json(spec: AssertionSpec) -> Check:
    """The output is JSON and, where `value` is a JSON Schema, satisfies it.

    A schema is an object, or text that is JSON or YAML; only text may hold templates.
    """
    schema_for = _schema_reader(spec)

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        schema = schema_for(subject)
        try:
            document = parse_json(subject.text)
        except NotJson as error:
            return decide(spec, False, f"to be valid JSON; {_fault(subject.text, error)}")
        except RecursionError:
            if schema is not None:
                raise CaseError("the output is nested too deeply to be judged by a schema") from None
            return decide(spec, True, "to be valid JSON")
        if schema is None:
            return decide(spec, True, "to be valid JSON")
        return in_time(lambda deadline: _judged(spec, schema, document, deadline), "whether the output fits the schema")

    return check


@ASSERTIONS.register("contains-json")
def contains_json(spec: AssertionSpec) -> Check:
    """The output contains a JSON object and, where `value` is a JSON Schema, one that satisfies it.

    Trailing commas, `//` comments, single quotes and bare keys are forgiven. Lists and scalars are not looked for.
    """
    schema_for = _schema_reader(spec)

    def check(subject: Subject) -> Verdict | Awaitable[Verdict]:
        schema = schema_for(subject)
        what = "whether the output contains JSON"
        return in_time(lambda deadline: _contained(spec, schema, subject.text, deadline), what)

    return check


def _fault(text: str, error: NotJson) -> str:
    """What keeps a text from being JSON, and where."""
    if not text.strip():
        return "it is empty"
    fault = error.__cause__
    if not isinstance(fault, JSONDecodeError):
        return str(error)
    return f"{fault.msg[:1].lower()}{fault.msg[1:]} at line {fault.lineno}, column {fault.colno}"


def _judged(spec: AssertionSpec, schema: Schema, document: Json, deadline: float) -> Verdict:
    problems = schema.problems(document, deadline)
    if bool(problems) is spec.negated:
        return Verdict(True, 1.0, PASSED, spec)
    if spec.negated:
        return decide(spec, True, "to be JSON that fits the schema")
    return Verdict(False, 0.0, f"The JSON does not fit the schema: {'; '.join(problems)}", spec)


def _contained(spec: AssertionSpec, schema: Schema | None, text: str, deadline: float) -> Verdict:
    wanted = "to contain a JSON object that fits the schema" if schema else "to contain a JSON object"
    tried = 0
    problems: list[str] = []
    try:
        for document in json_objects(text, deadline):
            tried += 1
            problems = schema.problems(document, deadline) if schema else []
            if not problems:
                return decide(spec, True, wanted)
    except RecursionError:
        raise CaseError("a JSON object in the output is nested too deeply to be read") from None
    if not tried:
        return decide(spec, False, f"{wanted}; there is no JSON object")
    which = "it does not fit" if tried == 1 else f"none of the {tried} does, not the last"
    return decide(spec, False, f"{wanted}; {which}: {'; '.join(problems)}")


def _schema_reader(spec: AssertionSpec) -> Callable[[Subject], Schema | None]:
    """The schema of a spec for a subject; None where the spec asks for none."""
    if isinstance(spec.value, str) and is_templated(spec.value):
        return lambda subject: _schema_of_case(spec, subject.value)
    fixed = None if spec.value is None else schema_of(spec.value)
    return lambda _: fixed


def _schema_of_case(spec: AssertionSpec, value: Json) -> Schema:
    try:
        return schema_of(value)
    except ConfigError as error:
        raise CaseError(f"`{spec.type}`: {error.problems[0].message}", error.problems[0].hint) from error
