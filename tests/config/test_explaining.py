"""What the user reads about a configuration that is wrong. The expected text stands beside each file in `bad/`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.explaining import MAX_SHOWN, check, describe, render_problems
from sagemaker_eval.config.loading import Overrides, load
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.schema import ConfigEntry, SageMakerConfig, TestEntry
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place

BAD = Path(__file__).parent / "bad"
NAMES = KnownNames(
    formats=("anthropic", "custom", "huggingface", "jumpstart", "llama", "openai"),
    embedding_formats=("custom", "huggingface", "openai"),
    assertions=("contains", "equals", "icontains", "is-json", "regex"),
    outputs=(".junit.xml", ".jsonl", ".json", ".yaml", ".csv"),
)


@pytest.mark.parametrize("name", sorted(path.name for path in BAD.glob("*.yaml")))
def test_messages_of_bad_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ConfigError) as caught:
        load([name], Overrides(), {}, NAMES, lambda message: None)

    assert render_problems(caught.value) + "\n" == Path(name).with_suffix(".txt").read_text()


def test_a_problem_without_a_place_is_its_message_alone() -> None:
    error = ConfigError([Problem("something is wrong", None, "put it right"), Problem("and more", Place("a.csv", 3))])

    assert render_problems(error) == "something is wrong\n  put it right\na.csv:3: and more\n2 problems"


def test_a_flood_of_problems_is_cut() -> None:
    error = ConfigError(Problem(f"problem {index}") for index in range(MAX_SHOWN + 7))
    lines = render_problems(error).splitlines()

    assert len(lines) == MAX_SHOWN + 1
    assert lines[-1] == f"{MAX_SHOWN + 7} problems, the first {MAX_SHOWN} of them shown"


def test_all_problems_of_an_entry_are_found_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check(SageMakerConfig, {"maxTokens": 0, "topP": "x", "responseFormat": {"way": 1}}, Place("a", pointer=("c",)))

    assert [(str(problem), problem.where and problem.where.pointer) for problem in caught.value.problems] == [
        ("a: `maxTokens` must be at least 1, not the number `0`", ("c", "maxTokens")),
        ("a: `topP` must be a number, not the text `x`", ("c", "topP")),
        ("a: unknown key `way` in `responseFormat`", ("c", "responseFormat", "way")),
    ]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "empty"),
        (False, "`false`"),
        (1.5, "the number `1.5`"),
        ("two\nlines", "the text `two lines`"),
        ("x" * 99, f"the text `{'x' * 39}…`"),
        ([], "a list"),
        ({}, "a map"),
    ],
)
def test_values_are_described(value: Json, words: str) -> None:
    assert describe(value) == words


def test_the_models_give_a_json_schema_of_everything() -> None:
    schema = ConfigEntry.model_json_schema()

    assert {"PromptEntry", "ProviderEntry", "SageMakerConfig", "TestEntry", "AssertionEntry"} <= set(schema["$defs"])
    assert schema["additionalProperties"] is False
    assert "assert" in TestEntry.known_keys()
