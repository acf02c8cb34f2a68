"""docs/configuration.md and its neighbours name everything that the code accepts, so that they cannot fall behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from sagemaker_eval.cli.app import app
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config import schema
from sagemaker_eval.config.schema import Entry
from sagemaker_eval.sandbox.containers.shapes import shape_names
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.script_entries import AnswerEntry, FaultsEntry, RuleEntry

DOCS = Path(__file__).parents[2] / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")
SECTIONS: dict[type[Entry], str] = {
    schema.ConfigEntry: "Top level",
    schema.PromptEntry: "Prompts",
    schema.ProviderEntry: "Providers",
    schema.SageMakerConfig: "The config of a SageMaker provider",
    schema.ResponseFormat: "The config of a SageMaker provider",
    schema.SageMakerEnvironment: "Environment",
    schema.TestEntry: "Tests",
    schema.TestOptions: "Test options",
    schema.AssertionEntry: "Assertions",
    schema.EvaluateOptions: "evaluateOptions",
    schema.CommandLineOptions: "commandLineOptions",
}


def section(heading: str, text: str = CONFIGURATION) -> str:
    """What stands below a heading of the second level."""
    match = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"there is no section {heading}"
    return match[1]


def missing_from(text: str, names: list[str]) -> list[str]:
    """The names that `text` does not have in backticks."""
    return [name for name in names if f"`{name}`" not in text]


def keys_in_first_column(text: str) -> set[str]:
    """The names in backticks in the first column of the tables of `text`."""
    cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


def test_every_object_of_the_schema_has_a_section() -> None:
    assert {model for model in Entry.__subclasses__() if model.__module__ == schema.__name__} == set(SECTIONS)


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_is_documented_in_the_section_of_its_object(model: type[Entry]) -> None:
    assert missing_from(section(SECTIONS[model]), list(model.known_keys())) == []


@pytest.mark.parametrize("heading", ["Top level", "Prompts", "Providers", "Tests", "Test options"])
def test_no_key_is_documented_that_does_not_exist(heading: str) -> None:
    (model,) = [model for model, title in SECTIONS.items() if title == heading]
    assert keys_in_first_column(section(heading)) == set(model.known_keys())


def test_keys_that_are_refused_are_listed_and_no_others() -> None:
    listed = set(re.findall(r"`(\w+)`", section("Not yet supported")))
    refused = {key for model in SECTIONS if model is not schema.CommandLineOptions for key in model.later}
    assert listed == refused


def test_every_option_of_eval_is_documented() -> None:
    command = typer.main.get_command(app).commands["eval"]  # type: ignore[attr-defined]
    options = {
        option
        for parameter in command.params
        if parameter.param_type_name == "option" and parameter.name != "help"
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    text = section("Options of the command")
    documented = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "".join(re.findall(r"^\| (.*?) \|", text, re.MULTILINE))))
    assert documented == options - {"--help", "-h"}


def test_every_kind_of_assertion_is_documented() -> None:
    assert missing_from(section("Assertions"), list(known_names().assertions)) == []


def test_every_model_type_and_output_ending_is_documented() -> None:
    names = known_names()
    models = (DOCS / "sagemaker.md").read_text("utf-8")
    assert missing_from(models, [*names.formats, *names.embedding_formats]) == []
    assert missing_from((DOCS / "results.md").read_text("utf-8"), list(names.outputs)) == []


def test_every_fault_shape_and_key_of_a_sandbox_script_is_documented() -> None:
    page = (DOCS / "sandbox.md").read_text("utf-8")
    names = [*FAULTS.names(), *shape_names(), *FaultsEntry.known_keys(), *AnswerEntry.known_keys()]
    assert missing_from(page, [*names, *RuleEntry.known_keys()]) == []
