"""The JSON Schema of configuration files, for editors: made from the entries of `schema.py`, whatever they hold.

It says of a file what loading says, as far as JSON Schema can: it knows no YAML anchors, so that a top-level key that
only holds one is unknown to it unless it begins with `x-`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias, get_args

from pydantic.json_schema import models_json_schema

from sagemaker_eval.config.assertion_specs import NEVER_NEGATED
from sagemaker_eval.config.fields import Share
from sagemaker_eval.config.key_descriptions import PASSED_OVER, described_keys
from sagemaker_eval.config.keys import NO_EFFECT_COMMAND_LINE_OPTIONS, NO_EFFECT_EVALUATE_OPTIONS, OUT_OF_SCOPE
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.schema import (
    AssertionEntry,
    CommandLineOptions,
    ConfigEntry,
    ContainerConfig,
    Entry,
    EvaluateOptions,
    PromptEntry,
    ProviderEntry,
    SageMakerConfig,
    ScenarioEntry,
    TestEntry,
    TestGeneratorEntry,
)
from sagemaker_eval.model import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema: TypeAlias = dict[str, Any]

_LOCAL_REF: Schema = {
    "description": "Stands for what is elsewhere in this file, such as `#/assertionTemplates/short`.",
    "type": "string",
    "pattern": "^#/",
}

_MODE: Literal["validation"] = "validation"
_ROOTS: tuple[type[Entry], ...] = (ConfigEntry, ScenarioEntry, TestGeneratorEntry)
"""What no other entry's annotation leads to."""
_CONFIGS: Mapping[str, type[Entry]] = {"container": ContainerConfig, "sagemaker": SageMakerConfig}
"""The entries that `config` holds, by the first word of the provider's id."""
_PASSED_OVER: Mapping[type[Entry], frozenset[str]] = {
    CommandLineOptions: NO_EFFECT_COMMAND_LINE_OPTIONS,
    ConfigEntry: OUT_OF_SCOPE,
    EvaluateOptions: NO_EFFECT_EVALUATE_OPTIONS,
}

_TEMPLATE = r"\{\{"
_NUMBER = rf"^\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*$|{_TEMPLATE}"
_SHARE = rf"^\s*(?:\d+\.?\d*|\.\d+)\s*%?\s*$|{_TEMPLATE}"
_SWITCH = rf"^(?:true|false|yes|no|on|off|True|False|TRUE|FALSE)$|{_TEMPLATE}"


_SCHEMA_KEY: Schema = {"type": "string", "description": "The address of this schema, for editors."}


def config_schema(names: KnownNames) -> Schema:
    """The schema of a configuration whose names are those of `names`. A new document by each call."""
    modes = [(entry, _MODE) for entry in _ROOTS]
    raw = models_json_schema(modes)[1]["$defs"]
    schemas = {name: _tidied(schema) for name, schema in raw.items()}
    for entry in entries():
        _describe(schemas[entry.__name__], entry)
    root = schemas.pop(ConfigEntry.__name__)
    _name_choices(schemas, names)
    _refine(schemas, root)
    return {
        "$schema": DIALECT,
        "title": "sageval configuration",
        **root,
        "description": "What `sageval eval` runs: prompts x tests x providers, and how the answers are judged.",
        "properties": {"$schema": _SCHEMA_KEY, **root["properties"]},
        "patternProperties": {"^x-": {"description": "Yours: sageval passes over it."}},
        "$defs": dict(sorted(schemas.items())),
    }


def entries() -> tuple[type[Entry], ...]:
    """The entries that a configuration is made of, each once, `ConfigEntry` first."""
    found: dict[type[Entry], None] = {}
    pending: list[type[Entry]] = [*_ROOTS]
    while pending:
        entry = pending.pop(0)
        if entry not in found:
            found[entry] = None
            pending += [
                inner for field in entry.model_fields.values() for inner in _inside((field.annotation, field.metadata))
            ]
    return tuple(found)


def _inside(annotation: Any) -> Iterator[type[Entry]]:
    """The entries that an annotation, or what it is annotated with, mentions."""
    if isinstance(annotation, type) and issubclass(annotation, Entry):
        yield annotation
        return
    parts = (
        annotation
        if isinstance(annotation, list | tuple)
        else (*get_args(annotation), getattr(annotation, "type", None))
    )
    for part in parts:
        if part is not None:
            yield from _inside(part)


def _tidied(node: Any) -> Any:
    """A schema without pydantic's titles and null defaults, choices among plain types as one list of types."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    return _lenient(_bare(node)) if isinstance(node, dict) else node


def _bare(node: Schema) -> Schema:
    kept = {key: value for key, value in node.items() if key not in ("title", "default")}
    choices = [_bare(choice) for choice in kept.pop("anyOf", ())]
    properties = {name: _tidied(schema) for name, schema in kept.pop("properties", {}).items()}
    tidy = {key: _tidied(value) for key, value in kept.items()}
    return {**tidy, **({"properties": properties} if properties else {}), **_joined(choices)}


def _joined(choices: list[Schema]) -> Schema:
    """Alternatives as few as they can be: plain types become one schema, as each keyword is about one type alone."""
    plain: Schema = {}
    others = []
    for choice in choices:
        if "type" in choice and not (choice.keys() & plain.keys() - {"type"}):
            kinds = [*_kinds(plain), *_kinds(choice)]
            plain = {**plain, **choice, "type": kinds[0] if len(kinds) == 1 else list(dict.fromkeys(kinds))}
        else:
            others.append(choice)
    if not others:
        return plain
    return {"anyOf": [*map(_lenient, others), *([_lenient(plain)] if plain else [])]}


def _kinds(schema: Schema) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _lenient(node: Schema) -> Schema:
    """Numbers and switches may come as text, and `{{env.NAME}}` is text."""
    kinds = _kinds(node)
    if "string" in kinds or "properties" in node:
        return node
    if {"number", "integer"} & set(kinds):
        return {**node, "type": [*kinds, "string"], "pattern": _NUMBER}
    if "boolean" in kinds:
        return {**node, "type": [*kinds, "string"], "pattern": _SWITCH}
    return node


def _describe(schema: Schema, entry: type[Entry]) -> None:
    """Say what each key means, in place; the shapes that a type cannot tell are set right."""
    described = described_keys(entry)
    for name, field in entry.model_fields.items():
        key = field.alias or name
        if key in described:
            schema["properties"][key]["description"] = described[key]
        if Share in get_args(field.annotation):
            schema["properties"][key]["pattern"] = _SHARE
    for key in sorted(_PASSED_OVER.get(entry, ())):
        schema["properties"][key] = {"description": PASSED_OVER, "deprecated": True}


def _name_choices(schemas: Mapping[str, Schema], names: KnownNames) -> None:
    """The names that the registries know, as choices."""
    negated = [f"not-{kind}" for kind in names.assertions if kind not in NEVER_NEGATED]
    types = [*names.assertions, *negated]
    _properties(schemas, AssertionEntry)["type"] |= {"enum": types}
    model_types = sorted({*names.formats, *names.embedding_formats})
    for config in _CONFIGS.values():
        model_type = _properties(schemas, config)["modelType"]
        model_type.pop("type")
        model_type["anyOf"] = [{"enum": [*model_types, None]}, {"type": "string", "pattern": _TEMPLATE}]


def _refine(schemas: dict[str, Schema], root: Schema) -> None:
    """What only the readers of these entries know: whose `config` is whose, and what must be there."""
    schemas[PromptEntry.__name__]["anyOf"] = [{"required": ["raw"]}, {"required": ["id"]}]
    config = _properties(schemas, ProviderEntry)["config"]
    kept = {"description": config["description"]} if "description" in config else {}
    _properties(schemas, ProviderEntry)["config"] = {**kept, "type": ["object", "null"]}
    schemas[ProviderEntry.__name__]["allOf"] = [
        {
            "if": {"properties": {"id": {"type": "string", "pattern": f"^{kind}:"}}, "required": ["id"]},
            "then": {"properties": {"config": _config(entry)}},
        }
        for kind, entry in _CONFIGS.items()
    ]
    schemas["Provider"] = _provider()
    for key in ("providers", "targets"):
        root["properties"][key]["items"] = {"$ref": "#/$defs/Provider"}
    one = _properties(schemas, TestEntry).get("provider", {})
    if "anyOf" in one:
        one["anyOf"] = [{"$ref": "#/$defs/Provider"}, {"type": "null"}]
    for tests in (root["properties"]["tests"], _properties(schemas, ScenarioEntry)["tests"]):
        _allow(tests["items"], TestGeneratorEntry)
        _allow(tests, TestGeneratorEntry)
    root["properties"]["scenarios"]["items"] = {"anyOf": [_reference(ScenarioEntry), {"type": "string"}]}
    root["properties"]["assertionTemplates"] = {"description": "Yours: assertions that a `$ref` of a test leads to."}
    for entry in entries():
        if entry.__name__ in schemas:
            _let_refer(schemas[entry.__name__])
    schemas["Provider"]["anyOf"].append({"type": "object", "required": ["$ref"], "properties": {"$ref": _LOCAL_REF}})


def _let_refer(schema: Schema) -> None:
    """Let a `$ref` stand where the entry may; what the entry must have is asked of it only without one. In place."""
    schema["properties"]["$ref"] = _LOCAL_REF
    needed = {key: schema.pop(key) for key in ("required", "anyOf") if key in schema}
    if needed:
        schema["allOf"] = [*schema.get("allOf", ()), {"if": {"not": {"required": ["$ref"]}}, "then": needed}]


def _allow(schema: Schema, entry: type[Entry]) -> None:
    """Make `entry` one more alternative, in place."""
    said = {key: schema.pop(key) for key in [*schema] if key not in ("anyOf", "description")}
    schema["anyOf"] = [*schema.get("anyOf", []), _reference(entry), *([said] if said else [])]


def _reference(entry: type[Entry]) -> Schema:
    return {"$ref": f"#/$defs/{entry.__name__}"}


def _config(entry: type[Entry]) -> Schema:
    return {"anyOf": [_reference(entry), {"type": "null"}]}


def _provider() -> Schema:
    """One provider: an id, an entry, or a map of one id to an entry."""
    entry = _reference(ProviderEntry)
    by_id = {
        "description": "A provider's id as the key, and what else there is to say below it.",
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "propertyNames": {"not": {"enum": list(ProviderEntry.known_keys())}},
        "patternProperties": {
            f"^{kind}:": {"anyOf": [{"allOf": [entry, {"properties": {"config": _config(config)}}]}, {"type": "null"}]}
            for kind, config in _CONFIGS.items()
        },
        "additionalProperties": {"anyOf": [entry, {"type": "null"}]},
    }
    examples = ["sagemaker:my-endpoint", "sagemaker:openai:my-endpoint", "echo"]
    return {"anyOf": [{"type": "string", "examples": examples}, {**entry, "required": ["id"]}, by_id]}


def _properties(schemas: Mapping[str, Schema], entry: type[Entry]) -> dict[str, Json]:
    properties: dict[str, Json] = schemas[entry.__name__]["properties"]
    return properties
