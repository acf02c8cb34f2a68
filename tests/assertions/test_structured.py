"""What is-json and contains-json say of an output."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sagemaker_eval.errors import CaseError, ConfigError
from sagemaker_eval.model import Json, Verdict

Judged = Callable[..., Verdict]

PERSON = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}
DEEP_JSON = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    ("output", "schema", "passed"),
    [
        ('{"a": 1}', None, True),
        (' "text" ', None, True),
        ("12", None, True),
        ("null", None, True),
        (DEEP_JSON, None, True),
        ("", None, False),
        ("no JSON", None, False),
        ('Here it is: {"a": 1}', None, False),
        ("```json\n{}\n```", None, False),
        ("[NaN]", None, False),
        ("[" * 5000, None, False),
        ('{"name": "Ann", "age": 3}', PERSON, True),
        ('{"name": "Ann"}', PERSON, False),
        ('{"name": "Ann", "age": -1}', PERSON, False),
        ("no JSON", PERSON, False),
        ("1", True, True),
        ("1", False, False),
    ],
)
def test_is_json_and_its_opposite(judged: Judged, output: str, schema: Json, passed: bool) -> None:
    assert judged(output, "is-json", schema).passed is passed
    assert judged(output, "not-is-json", schema).passed is not passed


@pytest.mark.parametrize(
    ("output", "type", "schema", "reason"),
    [
        ("x", "is-json", None, "Expected output to be valid JSON; expecting value at line 1, column 1"),
        ("", "is-json", None, "Expected output to be valid JSON; it is empty"),
        ("[NaN]", "is-json", None, "Expected output to be valid JSON; `NaN` is not JSON"),
        ("1", "not-is-json", None, "Expected output not to be valid JSON"),
        ('{"name": "Ann", "age": 3}', "not-is-json", PERSON, "Expected output not to be JSON that fits the schema"),
        (
            '{"age": "ten", "nick": 1}',
            "is-json",
            PERSON,
            "The JSON does not fit the schema: `$` must have a property `name`; `$` must have no property `nick`; "
            '`$.age` must be of type integer, not "ten"',
        ),
    ],
)
def test_a_failure_says_what_is_wrong(judged: Judged, output: str, type: str, schema: Json, reason: str) -> None:
    verdict = judged(output, type, schema)
    assert (verdict.reason, verdict.score) == (reason, 0.0)


def test_many_problems_are_cut_short(judged: Judged) -> None:
    verdict = judged('["a", "b", "c", "d", "e", "f", "g"]', "is-json", {"items": {"type": "number"}})
    assert verdict.reason.endswith('; `$[4]` must be of type number, not "e"; and 2 more')


@pytest.mark.parametrize(
    "text", ['{"type": "object", "required": ["a"]}', "type: object\nrequired: [a]", "type: {{ kind }}\nrequired: [a]"]
)
def test_a_schema_may_be_text(judged: Judged, text: str) -> None:
    assert judged('{"a": 1}', "is-json", text, vars={"kind": "object"}).passed
    assert not judged("{}", "is-json", text, vars={"kind": "object"}).passed


def test_objects_hold_no_templates(judged: Judged) -> None:
    assert judged('"{{ x }}"', "is-json", {"const": "{{ x }}"}, vars={"x": "y"}).passed


def test_a_schema_that_renders_to_none_decides_nothing(judged: Judged) -> None:
    with pytest.raises(CaseError, match="`is-json`: the schema of `is-json` must be an object"):
        judged("{}", "is-json", "{{ absent }}")


def test_what_is_too_deep_for_a_schema_decides_nothing(judged: Judged) -> None:
    with pytest.raises(CaseError, match="the output is nested too deeply to be judged by a schema"):
        judged(DEEP_JSON, "is-json", {"type": "array"})
    nested = {"items": {"$ref": "#"}}
    with pytest.raises(CaseError, match="the output is nested too deeply to be judged by the schema"):
        judged("[" * 500 + "]" * 500, "is-json", nested)


@pytest.mark.parametrize("schema", [1, "", "just text", ["a"], "{", {"type": "text"}])
def test_a_schema_that_is_none_is_refused_beforehand(judged: Judged, schema: Json) -> None:
    with pytest.raises(ConfigError, match=r"schema|Schema"):
        judged("{}", "is-json", schema)


@pytest.mark.parametrize(
    ("output", "schema", "passed"),
    [
        ('Here: {"name": "Ann", "age": 3}.', None, True),
        ('Here: {"name": "Ann", "age": 3}.', PERSON, True),
        ("Here: {name: Ann, age: 3,}", PERSON, True),
        ('{"name": "Ann"} {"name": "Bob", "age": 4}', PERSON, True),
        ('{"name": "Ann"}', PERSON, False),
        ("[1, 2]", None, False),
        ("no JSON", None, False),
        ("", None, False),
    ],
)
def test_contains_json_and_its_opposite(judged: Judged, output: str, schema: Json, passed: bool) -> None:
    assert judged(output, "contains-json", schema).passed is passed
    assert judged(output, "not-contains-json", schema).passed is not passed


@pytest.mark.parametrize(
    ("output", "type", "schema", "reason"),
    [
        ("x", "contains-json", None, "Expected output to contain a JSON object; there is no JSON object"),
        ("{}", "not-contains-json", None, "Expected output not to contain a JSON object"),
        (
            '{"name": "Ann"}',
            "contains-json",
            PERSON,
            "Expected output to contain a JSON object that fits the schema; "
            "it does not fit: `$` must have a property `age`",
        ),
        (
            '{"a": 1} {"name": "Ann"}',
            "contains-json",
            PERSON,
            "Expected output to contain a JSON object that fits the schema; "
            "none of the 2 does, not the last: `$` must have a property `age`",
        ),
    ],
)
def test_a_missing_object_is_explained(judged: Judged, output: str, type: str, schema: Json, reason: str) -> None:
    assert judged(output, type, schema).reason == reason


def test_an_object_that_is_too_deep_decides_nothing(judged: Judged) -> None:
    with pytest.raises(CaseError, match="nested too deeply"):
        judged('{"a": ' + "[" * 40_000 + "]" * 40_000 + "}", "contains-json")


@pytest.mark.parametrize("schema", [1, "", ["a"], {"type": "text"}])
def test_a_schema_for_contains_json_that_is_none_is_refused_beforehand(judged: Judged, schema: Json) -> None:
    with pytest.raises(ConfigError, match=r"schema|Schema"):
        judged("{}", "contains-json", schema)
