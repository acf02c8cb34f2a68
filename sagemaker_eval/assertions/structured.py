"""Assertions on structure: is-json, with an optional JSON Schema."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING

from sagemaker_eval.assertions.base import ASSERTIONS, PASSED, Check, Subject, decide, is_templated
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Verdict, compact_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_SHOWN_PROBLEMS = 5


@ASSERTIONS.register("is-json")
def is_json(spec: AssertionSpec) -> Check:
    """The output is JSON and, where `value` is a JSON Schema, satisfies it."""
    if spec.value is not None and not is_templated(spec.value):
        validator_of(spec.value)

    def check(subject: Subject) -> Verdict:
        try:
            document = json.loads(subject.text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            return decide(spec, False, "to be valid JSON")
        problems = schema_problems(subject.value, document)
        if problems and not spec.negated:
            return Verdict(False, 0.0, f"JSON does not conform to the schema: {'; '.join(problems)}", spec)
        if not problems and not spec.negated:
            return Verdict(True, 1.0, PASSED, spec)
        what = "to be valid JSON" if subject.value is None else "to be JSON that conforms to the schema"
        return decide(spec, not problems, what)

    return check


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")


def schema_problems(schema: Json, document: Json) -> list[str]:
    """What of the document breaks the schema, each with its path; the first few where there are many."""
    if schema is None:
        return []
    try:
        validator = validator_of(schema)
    except ConfigError as error:
        raise CaseError(error.message) from error
    found = sorted(validator.iter_errors(document), key=lambda error: error.json_path)
    shown = [f"{error.json_path} {error.message}" for error in found[:_SHOWN_PROBLEMS]]
    return shown + ([f"and {len(found) - _SHOWN_PROBLEMS} more"] if len(found) > _SHOWN_PROBLEMS else [])


def validator_of(schema: Json) -> Validator:
    """A validator for a schema given as an object, or as JSON or YAML text. Raises `ConfigError`.

    The dialect is the one that `$schema` names, else draft-07, as in promptfoo; formats are checked.
    """
    return _compile(compact_json(parsed_schema(schema)))


def parsed_schema(schema: Json) -> Json:
    """The schema as an object or a boolean. Raises `ConfigError` for text that is neither JSON nor YAML."""
    if not isinstance(schema, str):
        return schema
    import yaml

    try:
        return yaml.safe_load(schema)
    except yaml.YAMLError as error:
        raise ConfigError.of(f"the schema is neither JSON nor YAML: {str(error).splitlines()[0]}") from error


@lru_cache(maxsize=256)
def _compile(schema: str) -> Validator:
    import jsonschema
    from jsonschema.validators import validator_for
    from referencing import Registry

    document = json.loads(schema)
    if not isinstance(document, dict | bool):
        raise ConfigError.of("the schema of `is-json` must be an object", hint="a JSON Schema such as `{type: object}`")
    kind = validator_for(document, default=jsonschema.Draft7Validator)
    try:
        kind.check_schema(document)  # type: ignore[arg-type]  # booleans are schemas too
    except jsonschema.SchemaError as error:
        raise ConfigError.of(f"invalid JSON Schema: {error.json_path} {error.message}") from error
    _refuse_unknown_keywords(document, kind)
    return kind(document, format_checker=kind.FORMAT_CHECKER, registry=Registry())


def _refuse_unknown_keywords(schema: Json, kind: type[Validator]) -> None:
    """A misspelt keyword would constrain nothing, so it is refused, as Ajv's strict mode does."""
    known = frozenset(kind.VALIDATORS) | _ANNOTATIONS
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name not in known:
                raise ConfigError.of(f"unknown keyword `{name}` in the JSON Schema")
            for part in _subschemas(name, value):
                _refuse_unknown_keywords(part, kind)


def _subschemas(keyword: str, value: Json) -> list[Json]:
    if keyword in _MAPS_OF_SCHEMAS and isinstance(value, dict):
        return list(value.values())
    if keyword in _SCHEMAS:
        return value if isinstance(value, list) else [value]
    return []


# fmt: off
_ANNOTATIONS = frozenset(
    {
        "$schema", "$id", "id", "$ref", "$anchor", "$comment", "$defs", "$vocabulary", "$dynamicAnchor",
        "$recursiveAnchor", "definitions", "title", "description", "default", "examples", "deprecated",
        "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "format", "then",
        "else", "minContains", "maxContains", "nullable", "discriminator"
    }
)
_MAPS_OF_SCHEMAS = frozenset(
    {
        "properties", "patternProperties", "$defs", "definitions", "dependentSchemas"
    }
)
_SCHEMAS = frozenset(
    {
        "items", "additionalItems", "prefixItems", "contains", "additionalProperties", "unevaluatedItems",
        "unevaluatedProperties", "propertyNames", "not", "if", "then", "else", "allOf", "anyOf", "oneOf"
    }
)
# fmt: on
