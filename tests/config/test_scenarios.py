from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import model
from sagemaker_eval.config.scenarios import build_scenarios
from sagemaker_eval.config.test_cases import TestContext
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import AssertionSpec, Json, Place, TestCase, UserCode

WHERE = Place("sageval.yaml", pointer=("scenarios",))
FRENCH = {"vars": {"language": "French"}, "assert": [{"type": "contains", "value": "bonjour"}]}
GERMAN = {"vars": {"language": "German"}, "metadata": {"conversationId": "mine"}}
TESTS = [{"description": "greeting", "vars": {"input": "hello"}}, {"vars": {"input": "bye"}}]


def built(source: Json, default: TestCase = TestCase()) -> model.Tests:
    return build_scenarios(source, WHERE, TestContext(("contains", "equals"), ".", default))


def words(tests: model.Tests) -> list[tuple[Any, ...]]:
    return [tuple(test.vars.values()) for test in tests]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "one.yaml").write_text("config: [{vars: {a: 1}}]\ntests: file://tests.yaml\n")
    (tmp_path / "two.json").write_text('[{"config": "file://data-*.yaml", "tests": [{"vars": {"b": 9}}]}]')
    (tmp_path / "tests.yaml").write_text("- vars: {b: 2}\n- vars: {b: 3}\n")
    (tmp_path / "data-1.yaml").write_text("- vars: {a: 4}\n")
    (tmp_path / "data-2.yaml").write_text("- vars: {a: 5}\n- vars: {a: 6}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_test_meets_every_data_set() -> None:
    tests = built([{"config": [FRENCH, GERMAN], "tests": TESTS}])
    assert len(tests) == 4
    assert words(tests) == [("French", "hello"), ("French", "bye"), ("German", "hello"), ("German", "bye")]
    assert [test.description for test in tests] == ["greeting", None, "greeting", None]


def test_conversations_are_numbered_by_data_set() -> None:
    scenario = {"config": [FRENCH, {}], "tests": [{}]}
    tests = built([scenario, {"config": [GERMAN, {}], "tests": [{}, {}]}])
    assert [test.metadata["conversationId"] for test in tests] == [
        "__scenario_0__",
        "__scenario_1__",
        "mine",
        "mine",
        "__scenario_3__",
        "__scenario_3__",
    ]
    named = built([scenario], TestCase(metadata={"conversationId": "all"}))
    assert [test.metadata["conversationId"] for test in named] == ["all", "all"]


def test_a_test_lies_over_its_data_and_both_over_the_default() -> None:
    default = TestCase(
        vars={"x": 0, "y": 0, "z": 0},
        assertions=(AssertionSpec("equals", "default"),),
        threshold=0.1,
        metadata={"m": 0},
    )
    data = {
        "vars": {"y": 1, "z": 1},
        "assert": [{"type": "equals", "value": "data"}],
        "threshold": 0.2,
        "options": {"prefix": "data", "suffix": "data"},
        "providerOutput": "canned",
        "description": "of the data",
    }
    test = {"vars": {"z": 2}, "assert": [{"type": "equals", "value": "test"}], "options": {"suffix": "test"}}
    (merged,) = built([{"config": [data], "tests": [test]}], default)
    assert merged.vars == {"x": 0, "y": 1, "z": 2}
    assert [spec.value for spec in merged.assertions] == ["default", "data", "test"]
    assert (merged.threshold, merged.provider_output, merged.description) == (0.2, "canned", "of the data")
    assert merged.options == {"prefix": "data", "suffix": "test"}
    assert merged.metadata == {"m": 0, "conversationId": "__scenario_0__"}


def test_the_data_may_do_without_the_default_assertions() -> None:
    default = TestCase(assertions=(AssertionSpec("equals", "default"),))
    data = {"options": {"disableDefaultAsserts": True}}
    (test,) = built([{"config": [data], "tests": [FRENCH]}], default)
    assert [spec.value for spec in test.assertions] == ["bonjour"]


def test_variables_are_transformed_after_merging() -> None:
    default = TestCase(options={"transformVars": UserCode("{ all: vars.language + vars.input }")})
    (test,) = built([{"config": [GERMAN], "tests": TESTS[:1]}], default)
    assert test.vars["all"] == "Germanhello"


def test_without_tests_each_data_set_is_one() -> None:
    assert words(built([{"config": [FRENCH, GERMAN]}])) == [("French",), ("German",)]


@pytest.mark.parametrize("source", ["file://{one.yaml,two.json}", ["file://one.yaml", "file://two.json"]])
def test_scenarios_from_files(source: Json) -> None:
    assert words(built(source)) == [(1, 2), (1, 3), (4, 9), (5, 9), (6, 9)]


def test_large_expansions_are_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagemaker_eval.config.scenarios.MOST_KEPT", 3)
    tests = built([{"config": [{"vars": {"a": a}} for a in range(2)], "tests": [{"vars": {"b": b}} for b in range(2)]}])
    assert words(tests) == words(tests) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert next(iter(tests)) is not next(iter(tests))


@pytest.mark.parametrize(
    ("source", "messages"),
    [
        ([], ["sageval.yaml: there are no scenarios"]),
        ({}, ["sageval.yaml: `scenarios` must be a list of scenarios, or a path after `file://`, not a map"]),
        (
            "one.yaml",
            ["sageval.yaml: `scenarios` must be a scenario, or a path after `file://`, not the text `one.yaml`"],
        ),
        ("file://none.yaml", ["sageval.yaml: the file of `file://none.yaml` does not exist"]),
        ([7], ["sageval.yaml: a scenario must be a map, not the number `7`"]),
        ([{"tests": TESTS}], ["sageval.yaml: `config` is missing in a scenario"]),
        ([{"config": [], "tests": TESTS}], ["sageval.yaml: `config` is empty in a scenario"]),
        ([{"config": [FRENCH], "tests": []}], ["sageval.yaml: `tests` is empty in a scenario"]),
        (
            [{"config": [{"vras": {}}], "test": [], "tests": [{"assert": 3}]}],
            [
                "sageval.yaml: unknown key `test` in a scenario",
                "sageval.yaml: unknown key `vras` in a test",
                "sageval.yaml: `assert` must be a list of assertions, not the number `3`",
            ],
        ),
    ],
)
def test_what_is_refused(source: Json, messages: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        built(source)
    assert str(caught.value).splitlines() == messages
