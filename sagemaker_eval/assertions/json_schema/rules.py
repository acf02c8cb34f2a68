"""What a JSON Schema must be before anything is judged by it: valid, free of misspellings, and whole.

The rules are those of Ajv's strict mode, except that definitions nobody refers to are checked too.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sagemaker_eval.assertions.json_schema.formats import NUMBER_FORMATS, TEXT_FORMATS
from sagemaker_eval.assertions.json_schema.problems import path_text, problem_text
from sagemaker_eval.assertions.regex.patterns import PatternError, TooSlow, compile_pattern
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, compact_json
from sagemaker_eval.registry import nearest_name

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

Path = tuple[str | int, ...]
_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Dialect:
    """A version of JSON Schema. `further` are keywords that constrain nothing by themselves."""

    uri: str
    class_name: str
    further: frozenset[str]

    def validator(self) -> type[Validator]:
        """jsonschema's own class for it."""
        import jsonschema

        kind: type[Validator] = getattr(jsonschema, self.class_name)
        return kind

    def keywords(self) -> frozenset[str]:
        """All keywords that a schema may hold."""
        return frozenset(self.validator().VALIDATORS) | _ANNOTATIONS | self.further


# fmt: off
_ANNOTATIONS = frozenset({
    "$id", "$comment", "$defs", "definitions", "$vocabulary", "title", "description", "default", "examples",
    "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType", "contentSchema", "then", "else",
    "nullable",
})
_LATER = frozenset({"$anchor", "minContains", "maxContains"})
DIALECTS = (
    Dialect("http://json-schema.org/draft-07/schema", "Draft7Validator", frozenset()),
    Dialect("https://json-schema.org/draft/2019-09/schema", "Draft201909Validator", _LATER | {"$recursiveAnchor"}),
    Dialect("https://json-schema.org/draft/2020-12/schema", "Draft202012Validator", _LATER | {"$dynamicAnchor"}),
)
"""The dialects that are understood; the first is meant where a schema names none."""

_FORMATS = (*TEXT_FORMATS, *NUMBER_FORMATS)
_NEEDED = (
    ("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains"), ("nullable", "type"),
)
_MAPS_OF_SCHEMAS = frozenset({
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies",
})
_SCHEMAS = frozenset({
    "items", "additionalItems", "prefixItems", "contains", "additionalProperties", "unevaluatedItems",
    "unevaluatedProperties", "propertyNames", "not", "if", "then", "else", "allOf", "anyOf", "oneOf", "contentSchema",
})
# fmt: on


def check_schema(document: Json, dialect: Dialect) -> None:
    """Raise `ConfigError` with every reason why a schema, its `$schema` taken off, cannot be used."""
    kind = dialect.validator()
    try:
        invalid = [
            Problem(f"invalid JSON Schema: {problem_text(error)}")
            for error in kind(kind.META_SCHEMA).iter_errors(document)
        ]
        problems = invalid or [
            *_keyword_problems(document, dialect.keywords()),
            *_reference_problems(document, dialect.uri),
        ]
    except RecursionError:
        problems = [Problem("the JSON Schema is nested too deeply")]
    except TooSlow:
        problems = [Problem("a pattern of the JSON Schema takes for ever to search for")]
    if problems:
        raise ConfigError(problems)


def _subschemas(schema: Json, path: Path = ()) -> Iterator[tuple[dict[str, Json], Path]]:
    """A schema and all schemas inside it that are objects, with their paths."""
    if not isinstance(schema, dict):
        return
    yield schema, path
    for name, value in schema.items():
        if name in _MAPS_OF_SCHEMAS:
            for key, part in value.items():
                yield from _subschemas(part, (*path, name, key))
        elif name in _SCHEMAS and isinstance(value, list):
            for index, part in enumerate(value):
                yield from _subschemas(part, (*path, name, index))
        elif name in _SCHEMAS:
            yield from _subschemas(value, (*path, name))


def _keyword_problems(document: Json, known: frozenset[str]) -> Iterator[Problem]:
    for schema, path in _subschemas(document):
        for name in schema:
            if name not in known:
                yield _unknown(name, path, known)
        for message, hint in _strict_problems(schema):
            yield Problem(f"{message} in the JSON Schema{_at(path)}", hint=hint)


def _unknown(name: str, path: Path, known: frozenset[str]) -> Problem:
    nearest = nearest_name(name, sorted(known))
    hint = "it would constrain nothing; remove it"
    if name == "$schema":
        hint = "it may stand at the top only"
    elif other := next((dialect for dialect in DIALECTS if name in dialect.keywords()), None):
        hint = f"it belongs to another dialect: `$schema: {other.uri}`"
    elif nearest and not name.startswith("x-"):
        hint = f"did you mean `{nearest}`?"
    return Problem(f"unknown keyword `{name}` in the JSON Schema{_at(path)}", hint=hint)


def _strict_problems(schema: dict[str, Json]) -> Iterator[tuple[str, str | None]]:
    """What would be ignored without a word, or fail only when an output is judged; each with a hint."""
    for keyword, needed in _NEEDED:
        if keyword in schema and needed not in schema:
            yield f"`{keyword}` without `{needed}`", "it would constrain nothing"
    if "if" in schema and not {"then", "else"} & schema.keys():
        yield "`if` without `then` or `else`", "it would constrain nothing"
    if "additionalItems" in schema and not isinstance(schema.get("items"), list):
        yield "`additionalItems` without a list of `items`", "it would constrain nothing; use `maxItems`"
    if (values := schema.get("enum")) is not None and not _are_distinct(values):
        yield "`enum` is empty or has a value twice", None
    if "unevaluatedProperties" in schema and "patternProperties" in schema:
        yield "`unevaluatedProperties` beside `patternProperties` is not supported", "use `additionalProperties`"
    if (name := schema.get("format")) is not None and name not in _FORMATS:
        nearest = nearest_name(name, _FORMATS)
        yield f"unknown `format`: `{name}`", f"did you mean `{nearest}`?" if nearest else "remove it, or use `pattern`"
    yield from _pattern_problems(schema)


def _pattern_problems(schema: dict[str, Json]) -> Iterator[tuple[str, str | None]]:
    parts = schema.get("patternProperties", {})
    idle = all(part is True or part == {} for part in parts.values())
    for pattern in (*parts, *([schema["pattern"]] if "pattern" in schema else ())):
        try:
            compiled = compile_pattern(pattern, unicode=True)
        except PatternError as error:
            yield str(error), error.hint
            continue
        for name in () if idle or pattern not in parts else schema.get("properties", ()):
            if compiled.found_in(name, time.perf_counter() + _SECONDS):
                hint = "both would hold for it; let the pattern leave it out"
                yield f"the property `{name}` matches the pattern `{pattern}`", hint


def _are_distinct(values: list[Json]) -> bool:
    return len({compact_json(value) for value in values}) == len(values) > 0


def _reference_problems(document: Json, uri: str) -> Iterator[Problem]:
    """References that lead nowhere; what is not in the schema itself, nor a meta-schema, is not fetched."""
    from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import specification_with

    specification = specification_with(uri)
    root = REGISTRY.resolver_with_root(specification.create_resource(document))
    for schema, path in _subschemas(document):
        resolver = _resolver_at(root, document, path, specification)
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if keyword not in schema:
                continue
            try:
                resolver.lookup(schema[keyword])
            except Unresolvable:
                hint = "let it lead into the schema itself, such as `#/definitions/name`; nothing is fetched"
                yield Problem(f"`{keyword}: {schema[keyword]}` in the JSON Schema{_at(path)} leads nowhere", hint=hint)


def _resolver_at(resolver: Any, document: Json, path: Path, specification: Any) -> Any:
    """The resolver for what stands at a path: each `$id` on the way is a base for the references below it."""
    for step in path:
        if isinstance(document, dict):
            resolver = resolver.in_subresource(specification.create_resource(document))
        document = document[step]
    return resolver.in_subresource(specification.create_resource(document))


def _at(path: Path) -> str:
    return f" at `{path_text(path)}`" if path else ""
