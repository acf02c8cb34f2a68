"""JSON Schema as Ajv in strict mode has it, by way of the `jsonschema` package.

The dialect is the one that `$schema` names (draft-07, 2019-09 or 2020-12), else draft-07. In all of them, as in Ajv and
unlike in plain `jsonschema`: `pattern` and `patternProperties` are JavaScript's (with the `u` flag), formats are
checked, `$ref` does not switch off the keywords beside it, and `nullable: true` admits null.
Nothing is ever fetched: a `$ref` leads into the schema itself or to a meta-schema of JSON Schema.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sagemaker_eval.assertions.json_schema.formats import has_format
from sagemaker_eval.assertions.json_schema.problems import problem_text
from sagemaker_eval.assertions.json_schema.rules import DIALECTS, Dialect, check_schema
from sagemaker_eval.assertions.regex.patterns import compile_pattern
from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Json, compact_json

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

_SHOWN_PROBLEMS = 5
_Errors = Iterator[Any]


@dataclass(frozen=True, slots=True)
class Limits:
    """What goes along with a validation, in the place that `jsonschema` keeps for a format checker."""

    deadline: float


class Schema:
    """A schema that can be judged by."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator

    def problems(self, document: Json, deadline: float) -> list[str]:
        """What of a document breaks the schema, each with its path: the first few, and how many more there are.

        Raises `TooSlow` where a pattern is not decided by `deadline`, and `CaseError` for endless recursion.
        """
        validator = self._validator.evolve(format_checker=Limits(deadline))
        try:
            found = sorted(validator.iter_errors(document), key=lambda error: [str(step) for step in error.path])
        except RecursionError:
            raise CaseError("the output is nested too deeply to be judged by the schema") from None
        shown = list(dict.fromkeys(map(problem_text, found)))
        return shown[:_SHOWN_PROBLEMS] + ([f"and {more} more"] if (more := len(shown) - _SHOWN_PROBLEMS) > 0 else [])


def schema_of(value: Json) -> Schema:
    """The schema that an assertion's value is: an object or a boolean, or JSON or YAML text of one.

    Raises `ConfigError` with everything that keeps it from being used.
    """
    return _compile(value) if isinstance(value, str) else _compile(compact_json(value))


@lru_cache(maxsize=256)
def _compile(text: str) -> Schema:
    document = _read(text)
    if not isinstance(document, dict | bool):
        hint = "write a JSON Schema such as `{type: object, required: [name]}`"
        raise ConfigError.of("the schema of `is-json` must be an object", hint=hint)
    dialect = _dialect_of(document)
    if isinstance(document, dict):
        # jsonschema would go back to its own dialect wherever it met the name of one.
        document = {name: value for name, value in document.items() if name != "$schema"}
    check_schema(document, dialect)
    schema = Schema(_validator_class(dialect)(document, registry=_no_registry()))
    _refuse_endless(schema)
    return schema


def _read(text: str) -> Json:
    from sagemaker_eval.config.yaml_loader import parse_yaml

    with suppress(ValueError, RecursionError):  # what is no JSON may be YAML
        return json.loads(text)
    try:
        return parse_yaml(text, "")
    except ConfigError as error:
        problem = error.problems[0]
        line = f" (line {problem.where.line} of the schema)" if problem.where and problem.where.line else ""
        raise ConfigError.of(
            f"the schema is neither JSON nor YAML: {problem.message}{line}", hint=problem.hint
        ) from None


def _dialect_of(document: Json) -> Dialect:
    named = document.get("$schema") if isinstance(document, dict) else None
    if named is None:
        return DIALECTS[0]
    for dialect in DIALECTS:
        if named in (dialect.uri, f"{dialect.uri}#"):
            return dialect
    known = ", ".join(f"`{dialect.uri}`" for dialect in DIALECTS)
    raise ConfigError.of(f"`$schema` names the unknown dialect `{named}`", hint=f"known: {known}")


def _refuse_endless(schema: Schema) -> None:
    """A schema that refers to itself without going deeper into the output has no answer for any output."""
    try:
        schema.problems(None, time.perf_counter() + 1)
    except CaseError:
        hint = "let it refer to itself from inside `properties` or `items`"
        raise ConfigError.of("the schema refers to itself without end", hint=hint) from None


def _no_registry() -> Any:
    from referencing import Registry

    return Registry()


@cache
def _validator_class(dialect: Dialect) -> type[Validator]:
    """jsonschema's class for a dialect, with the keywords that Ajv understands differently."""
    from jsonschema import validators

    base = dialect.validator()
    keywords = {**base.VALIDATORS, **_KEYWORDS, "type": _type_or_null(base.VALIDATORS["type"])}
    return validators.create(
        meta_schema=base.META_SCHEMA,
        validators=keywords,
        type_checker=base.TYPE_CHECKER,
        id_of=base.ID_OF,  # type: ignore[attr-defined]
    )


def _error(message: str, **found: Json) -> Any:
    from jsonschema import ValidationError

    return ValidationError(message, **found)


def _type_or_null(plain: Any) -> Any:
    def check(validator: Any, types: Json, instance: Json, schema: dict[str, Json]) -> _Errors:
        if not (instance is None and schema.get("nullable")):
            yield from plain(validator, types, instance, schema)

    return check


def _matches(validator: Any, pattern: str, text: str) -> bool:
    return compile_pattern(pattern, unicode=True).found_in(text, validator.format_checker.deadline)


def _pattern(validator: Any, pattern: str, instance: Json, schema: dict[str, Json]) -> _Errors:
    if isinstance(instance, str) and not _matches(validator, pattern, instance):
        yield _error("pattern")


def _format(validator: Any, name: str, instance: Json, schema: dict[str, Json]) -> _Errors:
    if not has_format(instance, name):
        yield _error("format")


def _properties(validator: Any, parts: dict[str, Json], instance: Json, schema: dict[str, Json]) -> _Errors:
    if isinstance(instance, dict):
        for name, part in parts.items():
            if name in instance:
                yield from _property(validator, part, name, instance[name])


def _pattern_properties(validator: Any, parts: dict[str, Json], instance: Json, schema: dict[str, Json]) -> _Errors:
    if isinstance(instance, dict):
        for pattern, part in parts.items():
            for name, value in instance.items():
                if _matches(validator, pattern, name):
                    yield from _property(validator, part, name, value)


def _additional_properties(validator: Any, part: Json, instance: Json, schema: dict[str, Json]) -> _Errors:
    if isinstance(instance, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name, value in instance.items():
            if name not in known and not any(_matches(validator, pattern, name) for pattern in patterns):
                yield from _property(validator, part, name, value)


def _property(validator: Any, part: Json, name: str, value: Json) -> _Errors:
    if part is False:
        yield _error("additionalProperties", validator="additionalProperties", instance=name)
    else:
        yield from validator.descend(value, part, path=name)


def _required(validator: Any, names: list[str], instance: Json, schema: dict[str, Json]) -> _Errors:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield _error("required", instance=name)


_KEYWORDS: dict[str, Any] = {
    "required": _required,
    "pattern": _pattern,
    "format": _format,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
}
