"""`$ref: '#/…'`: what it becomes, what it refuses, and where problems behind it are shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.json_pointers import pointer_steps, pointer_text, written_at
from sagemaker_eval.config.local_references import expand_references
from sagemaker_eval.config.locating import locate
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place


def expanded(text: str) -> Json:
    return expand_references(parse_yaml(text, "a.yaml"), "a.yaml", text).document


def refused(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        expanded(text)
    return [problem.message for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: {b: 1}, use: {$ref: '#/a'}}", {"b": 1}),
        ("{a: [0, {b: 1}], use: {$ref: '#/a/1/b'}}", 1),
        ("{'a/b': {'c~d': 1}, use: {$ref: '#/a~1b/c~0d'}}", 1),
        ("{'a b': 1, use: {$ref: '#/a%20b'}}", 1),
        ("{'': 1, use: {$ref: '#/'}}", 1),
        ("{a: {$ref: '#/b'}, b: 1, use: {$ref: '#/a'}}", 1),
        ("{a: {$ref: '#/b'}, b: {c: [1]}, use: {$ref: '#/a/c/0'}}", 1),
        ("{a: [{$ref: '#/b'}], b: 1, use: {$ref: '#/a'}}", [1]),
        ("{a: {b: 1, c: 1}, use: {c: 2, $ref: '#/a', d: {$ref: '#/a/b'}}}", {"c": 2, "d": 1, "b": 1}),
        ("{a: null, use: {$ref: '#/a'}}", None),
    ],
)
def test_a_reference_becomes_what_it_leads_to(text: str, value: Json) -> None:
    assert expanded(text)["use"] == value


def test_keys_beside_a_reference_come_first() -> None:
    assert list(expanded("{a: {x: 1, y: 1}, use: {$ref: '#/a', z: 2, y: 2}}")["use"]) == ["z", "y", "x"]


def test_a_document_without_references_is_the_same_object() -> None:
    document = {"a": ["$refuse"]}
    assert expand_references(document, "a.yaml", "a: [$refuse]").document is document


def test_keys_of_the_top_level_that_references_lead_to_are_known() -> None:
    text = "{a: {b: 1}, c: {$ref: '#/a/b'}, d: {$ref: '#/c'}}"
    assert expand_references(parse_yaml(text, ""), "", text).shared_keys == {"a", "c"}


@pytest.mark.parametrize("key", ["providers", "targets"])
def test_parameters_of_functions_and_tools_stay_json_schema(key: str) -> None:
    schema = {"$ref": "#/of/their/own"}
    config = {"functions": [{"parameters": schema}], "tools": [{"function": {"parameters": schema}}]}
    document = {key: [{"id": "x", "config": config}, {"x": {"config": config}}], "a": 1, "b": {"$ref": "#/a"}}
    found = expand_references(document, "", json.dumps(document)).document
    assert found == {**document, "b": 1}


def test_a_schema_keeps_the_references_to_its_own_definitions() -> None:
    schema = "{$defs: {name: {type: string}}, items: {$ref: '#/$defs/name'}}"
    assert expanded(f"tests: [{{assert: [{{type: is-json, value: {schema}}}]}}]")["tests"][0]["assert"][0]["value"] == {
        "$defs": {"name": {"type": "string"}},
        "items": {"$ref": "#/$defs/name"},
    }
    assert refused("{a: {items: {$ref: '#/$defs/name'}}}") == ["`$ref` leads nowhere: there is no `#/$defs/name`"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{a: {$ref: '#/a'}}", "`$ref` leads to a value that it stands in: `#/a`"),
        ("{a: {b: {$ref: '#/a'}}}", "`$ref` leads to a value that it stands in: `#/a`"),
        ("{a: {$ref: '#/b'}, b: [{$ref: '#/a'}]}", "`$ref` leads to a value that it stands in: `#/b`"),
        ("{a: {$ref: '#/a/x'}}", "`$ref` leads to a value that it stands in: `#/a/x`"),
        ("{a: {b: {$ref: '#'}}}", "`$ref` leads to a value that it stands in: `#`"),
        ("{a: [1], b: {$ref: '#/a/-1'}}", "`$ref` leads nowhere: there is no `#/a/-1`"),
        ("{a: text, b: {$ref: '#/a/x'}}", "`$ref` leads nowhere: there is no `#/a/x`"),
        ("{a: [1], b: {$ref: '#/a', c: 1}}", "keys stand beside `$ref`, which leads to a list"),
        ("{b: {$ref: 'other.yaml#/a'}}", "`$ref` to `other.yaml#/a`, outside this file, is not supported"),
        ("{b: {$ref: a}}", "`$ref` to `a`, outside this file, is not supported"),
        ("{b: {$ref: [1]}}", "`$ref` must be a pointer such as `#/assertionTemplates/short`, not a list"),
    ],
)
def test_references_that_are_refused(text: str, problem: str) -> None:
    assert refused(text)[0].startswith(problem)


def test_all_problems_are_told_with_their_places() -> None:
    text = "{name: 1, a: {$ref: '#/nmae'}, b: [{$ref: '#/x'}]}"
    with pytest.raises(ConfigError) as caught:
        expanded(text)
    first, second = caught.value.problems
    assert first.where == Place("a.yaml", pointer=("a", "$ref")) and first.hint == "did you mean `#/name`?"
    assert (
        second.where == Place("a.yaml", pointer=("b", 0, "$ref")) and second.hint == "`#` has the keys `name`, `a`, `b`"
    )


def test_long_chains_and_deep_values_are_refused() -> None:
    chain: dict[str, Any] = {f"k{n}": {"$ref": f"#/k{n + 1}"} for n in range(100)} | {"k100": 1}
    assert "lead to one another" in refused(json.dumps(chain))[0]
    deep: dict[str, Any] = {f"k{n}": _nested(50, {"$ref": f"#/k{n + 1}"}) for n in range(30)} | {"k30": 1}
    assert "nested more than 200 levels deep" in refused(json.dumps(deep))[0]


def test_an_explosion_of_references_is_refused() -> None:
    bomb: dict[str, Any] = {f"k{n}": [{"$ref": f"#/k{n + 1}"}] * 10 for n in range(12)} | {"k12": 1}
    assert "references expand to more than 1,000,000 values" in refused(json.dumps(bomb))[0]


def _nested(levels: int, value: Json) -> Json:
    for _ in range(levels):
        value = [value]
    return value


@given(st.lists(st.text()))
def test_pointers_are_read_as_they_are_written(steps: list[str]) -> None:
    assert pointer_steps(pointer_text(tuple(steps)).replace("%", "%25")) == tuple(steps)


_LEAVES = st.one_of(st.integers(), st.text(max_size=3))
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner)),
    max_leaves=8,
)


@given(_VALUES, st.data())
def test_every_value_behind_a_reference_is_found_where_it_is_written(value: Json, data: Any) -> None:
    document = {"a": value, "b": {"$ref": "#/a"}, "c": {"x": {"$ref": "#/b"}, "y": [{"$ref": "#/c/x"}]}}
    reached, pointer = expand_references(document, "", "$ref").document, list[str | int]()
    while isinstance(reached, dict | list) and reached and data.draw(st.booleans()):
        step = data.draw(st.sampled_from(sorted(reached) if isinstance(reached, dict) else range(len(reached))))
        reached, pointer = reached[step], [*pointer, step]
    written: Any = document
    for step in written_at(document, tuple(pointer)):
        written = written[step]
    assert expand_references({**document, "seen": written}, "", "$ref").document["seen"] == reached


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], str]:
    def write(text: str) -> str:
        path = tmp_path / "a.yaml"
        path.write_text(text)
        return str(path)

    return write


TEXT = """\
shared:
  short:
    type: contains
    values: [a, b]
again: {$ref: '#/shared/short'}
tests:
  - assert:
      - $ref: '#/again'
        weight: 2
"""


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        (("tests", 0, "assert", 0), 8, 9),
        (("tests", 0, "assert", 0, "$ref"), 8, 15),
        (("tests", 0, "assert", 0, "weight"), 9, 17),
        (("tests", 0, "assert", 0, "type"), 3, 11),
        (("tests", 0, "assert", 0, "values", 1), 4, 17),
        (("tests", 0, "assert", 0, "nowhere"), 3, 5),
    ],
)
def test_places_lead_through_references(
    config: Callable[[str], str], pointer: tuple[str | int, ...], line: int, column: int
) -> None:
    place = locate(Place(config(TEXT), pointer=pointer))
    assert (place.line, place.column) == (line, column)


def test_keys_are_found_behind_references_too(config: Callable[[str], str]) -> None:
    place = locate(Place(config(TEXT), pointer=("tests", 0, "assert", 0, "values")), key=True)
    assert (place.line, place.column) == (4, 5)


def test_places_in_circles_are_found_as_far_as_they_go(config: Callable[[str], str]) -> None:
    path = config("a: {$ref: '#/b'}\nb: {$ref: '#/a'}\n")
    assert locate(Place(path, pointer=("a", "x"))).line == 1
