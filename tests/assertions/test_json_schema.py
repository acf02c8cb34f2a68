"""JSON Schema: what Ajv 8 in strict mode says of the same documents (`ajv_schemas.json`), and what is refused."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.assertions.json_schema.schemas import schema_of
from sagemaker_eval.assertions.regex.patterns import TooSlow
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "ajv_schemas.json").read_text("utf-8"))
LATEST = "https://json-schema.org/draft/2020-12/schema"
MIDDLE = "https://json-schema.org/draft/2019-09/schema"


def problems(schema: Json, document: Json) -> list[str]:
    return schema_of(schema).problems(document, time.perf_counter() + 60)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: json.dumps(case["schema"])[:80])
def test_documents_are_judged_as_by_ajv(case: dict[str, Any]) -> None:
    for document in case["valid"]:
        assert problems(case["schema"], document) == []
    for document in case["invalid"]:
        assert problems(case["schema"], document) != [], document


@pytest.mark.parametrize(
    ("schema", "document", "valid"),
    [
        ({"type": "string", "nullable": True}, None, True),
        ({"type": "string"}, None, False),
        ({"type": "integer"}, 1.0, True),
        ({"type": "integer"}, True, False),
        ({"enum": [1]}, True, False),
        ({"minLength": 2}, "😀", False),
        ({"pattern": "^.$"}, "😀", True),
        ({"pattern": "^\\p{Lu}"}, "É", True),
        ({"pattern": "a$"}, "a\n", False),
        ({"patternProperties": {"^(?<x>a)\\k<x>": False}}, {"aab": 1}, False),
        ({"patternProperties": {"^x-": True}, "additionalProperties": False}, {"x-a": 1}, True),
        ({"properties": {"a": True}, "additionalProperties": {"type": "string"}}, {"a": 1, "b": 2}, False),
        ({"$ref": "#/definitions/d", "minLength": 2, "definitions": {"d": {"type": "string"}}}, "a", False),
        ({"$ref": "http://json-schema.org/draft-07/schema#"}, {"type": "nonsense"}, False),
        ({"$id": "https://x.y/z", "$ref": "#/definitions/d", "definitions": {"d": {"type": "null"}}}, 1, False),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["v"]}, {"v": 1, "next": {"v": 2}}, True),
        ({"properties": {"next": {"$ref": "#"}}, "required": ["v"]}, {"v": 1, "next": {}}, False),
        ({"$schema": LATEST, "prefixItems": [{"type": "null"}], "items": False}, [None, 1], False),
        (
            {"$schema": LATEST, "properties": {"a": {"$ref": "#"}}, "unevaluatedProperties": False},
            {"a": {"b": 1}},
            False,
        ),
        ({"$schema": LATEST, "$ref": "#/$defs/d", "$defs": {"d": {"pattern": "^\\p{L}$"}}}, "1", False),
        ({"$schema": LATEST, "$dynamicRef": "#n", "$defs": {"d": {"$dynamicAnchor": "n", "type": "null"}}}, 1, False),
        ({"$schema": MIDDLE, "dependentRequired": {"a": ["b"]}}, {"a": 1}, False),
        ({"$schema": MIDDLE, "contains": {"type": "null"}, "minContains": 2}, [None, 1], False),
        ({"$schema": f"{MIDDLE}#", "items": [{"type": "null"}], "additionalItems": False}, [None], True),
        ({"$schema": "http://json-schema.org/draft-07/schema", "if": {"type": "null"}, "else": False}, 1, False),
    ],
)
def test_what_is_worth_a_look(schema: Json, document: Json, valid: bool) -> None:
    assert (problems(schema, document) == []) is valid


@pytest.mark.parametrize(
    ("schema", "message", "hint"),
    [
        ({"foo": 1}, "unknown keyword `foo` in the JSON Schema", "it would constrain nothing; remove it"),
        ({"requird": ["a"]}, "unknown keyword `requird` in the JSON Schema", "did you mean `required`?"),
        (
            {"properties": {"a b": {"items": [{}, {"x-note": 1}]}}},
            'unknown keyword `x-note` in the JSON Schema at `$.properties["a b"].items[1]`',
            "it would constrain nothing; remove it",
        ),
        (
            {"dependencies": {"a": ["b"], "c": {"foo": 1}}},
            "unknown keyword `foo` in the JSON Schema at `$.dependencies.c`",
            "it would constrain nothing; remove it",
        ),
        (
            {"prefixItems": [{}]},
            "unknown keyword `prefixItems` in the JSON Schema",
            f"it belongs to another dialect: `$schema: {LATEST}`",
        ),
        (
            {"$schema": LATEST, "dependencies": {}},
            "unknown keyword `dependencies` in the JSON Schema",
            "it belongs to another dialect: `$schema: http://json-schema.org/draft-07/schema`",
        ),
        (
            {"properties": {"a": {"$schema": LATEST}}},
            "unknown keyword `$schema` in the JSON Schema at `$.properties.a`",
            "it may stand at the top only",
        ),
        ({"if": {}}, "`if` without `then` or `else` in the JSON Schema", "it would constrain nothing"),
        ({"then": {}}, "`then` without `if` in the JSON Schema", "it would constrain nothing"),
        (
            {"items": {}, "additionalItems": False},
            "`additionalItems` without a list of `items` in the JSON Schema",
            "it would constrain nothing; use `maxItems`",
        ),
        ({"nullable": True}, "`nullable` without `type` in the JSON Schema", "it would constrain nothing"),
        ({"enum": []}, "`enum` is empty or has a value twice in the JSON Schema", None),
        ({"enum": [1, 1]}, "`enum` is empty or has a value twice in the JSON Schema", None),
        ({"format": "datetime"}, "unknown `format`: `datetime` in the JSON Schema", "did you mean `date-time`?"),
        ({"format": "iri"}, "unknown `format`: `iri` in the JSON Schema", "did you mean `uri`?"),
        (
            {"pattern": "("},
            "invalid regular expression `(`: `(` is never closed (at character 2) in the JSON Schema",
            "write `\\(` for the character itself",
        ),
        (
            {"properties": {"a1": {}}, "patternProperties": {"^a": {"type": "null"}}},
            "the property `a1` matches the pattern `^a` in the JSON Schema",
            "both would hold for it; let the pattern leave it out",
        ),
        (
            {"$schema": LATEST, "patternProperties": {"a": True}, "unevaluatedProperties": False},
            "`unevaluatedProperties` beside `patternProperties` is not supported in the JSON Schema",
            "use `additionalProperties`",
        ),
        (
            {"items": {"$ref": "#/definitions/x"}},
            "`$ref: #/definitions/x` in the JSON Schema at `$.items` leads nowhere",
            "let it lead into the schema itself, such as `#/definitions/name`; nothing is fetched",
        ),
        (
            {"$ref": "http://127.0.0.1:9/schema.json"},
            "`$ref: http://127.0.0.1:9/schema.json` in the JSON Schema leads nowhere",
            "let it lead into the schema itself, such as `#/definitions/name`; nothing is fetched",
        ),
        (
            {"$ref": "#"},
            "the schema refers to itself without end",
            "let it refer to itself from inside `properties` or `items`",
        ),
        (
            {"type": "text"},
            'invalid JSON Schema: `$.type` fits no alternative of `anyOf`: must be one of ["array","boolean","integer",'
            '"null","number","object","strin…, not "text"; must be of type array, not "text"',
            None,
        ),
        ({"minLength": -1}, "invalid JSON Schema: `$.minLength` must be at least 0, not -1", None),
        ({"required": "a"}, 'invalid JSON Schema: `$.required` must be of type array, not "a"', None),
        (
            {"$schema": "http://json-schema.org/draft-04/schema#"},
            "`$schema` names the unknown dialect `http://json-schema.org/draft-04/schema#`",
            f"known: `http://json-schema.org/draft-07/schema`, `{MIDDLE}`, `{LATEST}`",
        ),
        (
            [1],
            "the schema of `is-json` must be an object",
            "write a JSON Schema such as `{type: object, required: [name]}`",
        ),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Json, message: str, hint: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        schema_of(schema)
    assert [(problem.message, problem.hint) for problem in caught.value.problems] == [(message, hint)]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        schema_of({"foo": 1, "properties": {"a": {"format": "bar"}}, "items": {"$ref": "#/nowhere"}})
    assert len(caught.value.problems) == 3


def test_text_that_is_neither_json_nor_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        schema_of("type: object\nrequired: [a")
    message = caught.value.problems[0].message
    assert message.startswith("the schema is neither JSON nor YAML: ")
    assert message.endswith(" of the schema)")


def test_a_deep_schema_is_no_crash() -> None:
    deep: dict[str, Json] = {}
    for _ in range(400):
        deep = {"not": deep}
    with pytest.raises(ConfigError, match="the JSON Schema is nested too deeply"):
        schema_of(deep)


@pytest.mark.parametrize(
    ("schema", "document", "problem"),
    [
        ({"type": ["string", "null"]}, 1, "`$` must be of type string or null, not 1"),
        ({"const": {"a": None}}, True, '`$` must be exactly {"a":null}, not true'),
        ({"enum": ["a", "b"]}, "c", '`$` must be one of ["a","b"], not "c"'),
        ({"minimum": 2}, 1, "`$` must be at least 2, not 1"),
        ({"exclusiveMaximum": 2}, 2, "`$` must be less than 2, not 2"),
        ({"multipleOf": 0.5}, 0.7, "`$` must be a multiple of 0.5, not 0.7"),
        ({"maxLength": 2}, "abc", "`$` must have at most 2 characters, not 3"),
        ({"minItems": 2}, [1], "`$` must have at least 2 items, not 1"),
        ({"minProperties": 1}, {}, "`$` must have at least 1 properties, not 0"),
        ({"pattern": "^a"}, "b", '`$` must match `^a`, and "b" does not'),
        ({"format": "date"}, "b", '`$` must be of the format `date`, and "b" is not'),
        ({"required": ["a"]}, {}, "`$` must have a property `a`"),
        ({"additionalProperties": False}, {"b": 1}, "`$` must have no property `b`"),
        ({"properties": {"b": False}}, {"b": 1}, "`$` must have no property `b`"),
        ({"items": [True], "additionalItems": False}, [1, 2], "`$` has more items than the schema allows"),
        ({"items": False}, [1], "`$` has what the schema rules out"),
        (False, 1, "`$` has what the schema rules out"),
        ({"patternProperties": {"^b": False}}, {"b": 1}, "`$` must have no property `b`"),
        ({"uniqueItems": True}, [1, 1], "`$` must have no item twice"),
        ({"contains": {"type": "null"}}, [1], "`$` has no item that fits `contains`"),
        ({"oneOf": [True, True]}, 1, "`$` fits more than one alternative of `oneOf`"),
        ({"not": {"type": "null"}}, None, "`$` fits what `not` rules out"),
        ({"dependencies": {"a": ["b"]}}, {"a": 1}, '`$` breaks `dependencies: {"a":["b"]}`'),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"minimum": 2}}}]},
            {"a": 1},
            '`$` fits no alternative of `anyOf`: must be of type null, not {"a":1}; `$.a` must be at least 2, not 1',
        ),
        (
            {"properties": {"a b": {"items": {"type": "null"}}}},
            {"a b": [1]},
            '`$["a b"][0]` must be of type null, not 1',
        ),
        ({"maxLength": 1}, "x" * 99, "`$` must have at most 1 characters, not 99"),
        ({"type": "null"}, "x" * 99, f'`$` must be of type null, not "{"x" * 59}…'),
        (
            {"$schema": LATEST, "unevaluatedProperties": False},
            {"a": 1},
            "`$` has properties that no part of the schema allows",
        ),
        ({"$schema": LATEST, "unevaluatedItems": False}, [1], "`$` has items that no part of the schema allows"),
        (
            {"$schema": LATEST, "contains": {"type": "null"}, "maxContains": 1},
            [None, None],
            "`$` must have at most 1 items that fit `contains`",
        ),
    ],
)
def test_problems_are_told_in_words(schema: Json, document: Json, problem: str) -> None:
    assert problems(schema, document) == [problem]


def test_a_pattern_that_takes_for_ever_is_given_up() -> None:
    schema = schema_of({"pattern": "(a|aa)+$"})
    with pytest.raises(TooSlow):
        schema.problems("a" * 100 + "b", time.perf_counter() + 0.02)


def test_the_same_schema_is_compiled_once() -> None:
    assert schema_of({"type": "null"}) is schema_of({"type": "null"})
