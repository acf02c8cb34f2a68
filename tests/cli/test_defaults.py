"""What a configuration that says little means, and what is said of settings without effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_without_tests_each_prompt_is_sent_once(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [one, two]\nproviders: [echo]")
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 0
    assert [row["response"]["output"] for row in cli.rows()] == ["one", "two"]


def test_without_prompts_the_variable_prompt_is_the_prompt(cli: Cli) -> None:
    cli.write("run.yaml", "providers: [echo]\ntests: [{vars: {prompt: Hello}}]")
    assert cli.eval("-c", "run.yaml", "-o", "out.json").code == 0
    assert [row["response"]["output"] for row in cli.rows()] == ["Hello"]


def test_an_answer_without_assertions_is_a_success_without_a_verdict(cli: Cli) -> None:
    ran = cli.eval("-p", "Hi", "-r", "echo", "-o", "out.json")
    (row,) = cli.rows()
    assert (row["success"], row["asserted"]) == (True, False)
    assert "PASS" not in ran.out and "1 case was answered and not asserted" in ran.out


@pytest.mark.parametrize(
    ("endpoint", "model_type"),
    [
        ("sagemaker:llama:my-jumpstart", "llama"),
        ("sagemaker:my-jumpstart-model", "jumpstart"),
        ("sagemaker:my-model", "custom"),
    ],
)
def test_the_model_type_is_that_of_the_id_else_told_by_the_name(cli: Cli, endpoint: str, model_type: str) -> None:
    assert cli.eval("-p", "Hi", "-r", endpoint, "--sandbox", "-o", "out.json").code == 0
    assert cli.rows()[0]["metadata"]["modelType"] == model_type


def test_the_model_type_of_the_id_wins_and_that_is_said(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [{id: 'sagemaker:llama:x', config: {modelType: openai}}]")
    ran = cli.eval("-c", "run.yaml", "--sandbox", "-o", "out.json")
    assert cli.rows()[0]["metadata"]["modelType"] == "llama"
    assert ran.err.count("the id wins, the model type is llama") == 1


@pytest.mark.parametrize("kind", ["embedding", "embeddings"])
def test_a_column_of_an_embedding_endpoint_shows_vectors(cli: Cli, kind: str) -> None:
    ran = cli.eval("-p", "Hi", "-r", f"sagemaker:{kind}:e", "--sandbox", "-o", "out.json")
    vector = cli.rows()[0]["response"]["output"]
    assert vector and all(isinstance(number, float) for number in vector)
    assert f"[{vector[0]}," in ran.out


def test_a_key_out_of_scope_is_accepted_with_one_warning(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]\nsharing: true")
    ran = cli.eval("-c", "run.yaml")
    assert ran.code == 0
    assert ran.err.count("`sharing` is out of scope") == 1
