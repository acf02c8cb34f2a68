"""The pages on the configuration name everything that the code accepts, so that they cannot fall behind."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from sagemaker_eval.cli.app import app
from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.cli.requests import HONOURED
from sagemaker_eval.config import keys, provider_schema, schema
from sagemaker_eval.config.schema import Entry
from sagemaker_eval.providers.python_answers import KEYS as ANSWER_KEYS
from sagemaker_eval.sandbox.containers.shapes import shape_names
from sagemaker_eval.sandbox.faults import FAULTS
from sagemaker_eval.sandbox.script_entries import AnswerEntry, FaultsEntry, RuleEntry

DOCS = Path(__file__).parents[2] / "docs"
SECTIONS: dict[type[Entry], tuple[str, str]] = {
    schema.ConfigEntry: ("configuration", "Top level"),
    schema.PromptEntry: ("prompts", "Prompts"),
    schema.ProviderEntry: ("providers", "Providers"),
    schema.ModelConfig: ("sagemaker", "Config"),
    schema.SageMakerConfig: ("sagemaker", "Config"),
    schema.AsyncEntry: ("ways", "Asynchronous endpoints"),
    schema.ContainerConfig: ("sagemaker", "Config"),
    schema.ResponseFormat: ("sagemaker", "Config"),
    schema.SageMakerEnvironment: ("configuration", "Environment"),
    schema.TestEntry: ("tests", "Tests"),
    schema.TestOptions: ("tests", "Options"),
    schema.FactualityScores: ("tests", "Options"),
    schema.TestGeneratorEntry: ("tests", "Tests"),
    schema.ScenarioEntry: ("tests", "Scenarios"),
    schema.AssertionEntry: ("assertions", "Assertions"),
    schema.EvaluateOptions: ("configuration", "evaluateOptions"),
    schema.CommandLineOptions: ("configuration", "commandLineOptions"),
    schema.DerivedMetricEntry: ("configuration", "Top level"),
}
"""The page and the heading under which the keys of each object of a configuration stand."""

WITH_OTHERS = {schema.ModelConfig, schema.ContainerConfig, schema.ResponseFormat, schema.SageMakerEnvironment} | {
    schema.FactualityScores,
    schema.TestGeneratorEntry,
    schema.DerivedMetricEntry,
}
"""Objects whose keys share a table with those of another one."""


def section(page: str, heading: str) -> str:
    """What stands below a heading of a page, down to the next one of the second level."""
    text = (DOCS / f"{page}.md").read_text("utf-8")
    match = re.search(rf"^##? {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert match, f"{page}.md has no section {heading}"
    return match[1]


def missing_from(text: str, names: list[str]) -> list[str]:
    """The names that `text` does not have in backticks."""
    return [name for name in names if f"`{name}`" not in text]


def first_column(text: str) -> set[str]:
    """The names in backticks that stand alone in the first column of the tables of `text`."""
    cells = re.findall(r"^\| ((?:`[\w:-]+`(?:, )?)+) \|", text, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([\w:-]+)`", cell)}


def test_every_object_of_the_schema_has_a_section() -> None:
    models = [*Entry.__subclasses__(), *schema.ModelConfig.__subclasses__()]
    modules = {schema.__name__, provider_schema.__name__}
    assert {model for model in models if model.__module__ in modules} == set(SECTIONS)


@pytest.mark.parametrize("model", SECTIONS, ids=lambda model: model.__name__)
def test_every_key_is_documented_in_the_section_of_its_object(model: type[Entry]) -> None:
    assert missing_from(section(*SECTIONS[model]), list(model.known_keys())) == []


@pytest.mark.parametrize(
    "model", [model for model in SECTIONS if model not in WITH_OTHERS], ids=lambda model: model.__name__
)
def test_no_key_is_documented_that_does_not_exist(model: type[Entry]) -> None:
    known = set(model.known_keys())
    if model is schema.SageMakerConfig:
        known |= set(schema.ResponseFormat.known_keys())
    assert first_column(section(*SECTIONS[model])) - {"echo"} == known


def test_keys_that_are_refused_are_listed_and_no_others() -> None:
    listed = set(re.findall(r"`(\w+)`", section("configuration", "Not yet supported")))
    assert listed == {key for model in SECTIONS for key in model.later}


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("Top level", keys.OUT_OF_SCOPE),
        ("evaluateOptions", keys.NO_EFFECT_EVALUATE_OPTIONS),
        ("commandLineOptions", keys.NO_EFFECT_COMMAND_LINE_OPTIONS),
    ],
)
def test_keys_that_are_passed_over_are_named(heading: str, names: frozenset[str]) -> None:
    assert missing_from(section("configuration", heading), sorted(names)) == []


def test_every_variable_of_promptfoo_that_counts_is_named() -> None:
    assert missing_from(section("configuration", "Environment"), list(HONOURED)) == []


def test_every_key_of_a_python_providers_answer_is_documented() -> None:
    assert missing_from(section("providers", "Providers in Python"), list(ANSWER_KEYS)) == []


def options_of(name: str) -> set[str]:
    """The options of a command, as they are typed."""
    command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    return {option for one in options for option in (*one.opts, *one.secondary_opts)} - {"--help", "-h"}


@pytest.mark.parametrize("name", ["eval", "init"])
def test_every_option_of_a_command_is_documented_and_no_other(name: str) -> None:
    cells = re.findall(r"^\| (.*?) \|", section("commands", f"sageval {name}"), re.MULTILINE)
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", "".join(cells))) == options_of(name)


def test_options_of_validate_are_some_of_those_of_eval() -> None:
    assert options_of("validate") <= options_of("eval")
    named = set(re.findall(r"`(--?[a-z][a-z-]*)`", section("commands", "sageval validate")))
    assert {option for option in options_of("validate") if not option.startswith("--") or option in named} <= named
    assert named <= options_of("validate")


OTHER_COMMANDS = {
    ("show",): ("commands", "sageval show"),
    ("export",): ("commands", "sageval export"),
    ("merge",): ("commands", "sageval merge"),
    ("delete",): ("commands", "sageval delete"),
    ("schema",): ("commands", "sageval schema"),
    ("list",): ("commands", "sageval list"),
    ("list", "endpoints"): ("commands", "sageval list"),
    ("cache", "stats"): ("cache", "Looking and tidying up"),
    ("cache", "clear"): ("cache", "Looking and tidying up"),
    ("cache", "prune"): ("cache", "Looking and tidying up"),
    ("cache", "explain"): ("cache", "Why was this a miss?"),
    ("probe",): ("probe", "Options"),
    ("regrade",): ("regrade", "Judging again"),
    ("sandbox",): ("sandbox", "On its own"),
}
"""The page and the heading under which the options of all commands but the largest stand."""


@pytest.mark.parametrize("words", OTHER_COMMANDS, ids=" ".join)
def test_every_option_of_the_other_commands_is_named(words: tuple[str, ...]) -> None:
    command = typer.main.get_command(app)
    for word in words:
        command = command.commands[word]  # type: ignore[attr-defined]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    named = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section(*OTHER_COMMANDS[words])))
    names = [{*option.opts, *option.secondary_opts} for option in options]
    assert [sorted(each) for each in names if not each & {*named, "--help"}] == []


def test_every_command_has_its_options_looked_at() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    assert {words[0] for words in OTHER_COMMANDS} | {"eval", "init", "validate"} == set(commands)


def test_every_command_is_named() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    table = section("commands", "Commands")
    assert [name for name in commands if f"`sageval {name}" not in table] == []


def test_every_model_type_and_output_ending_is_documented() -> None:
    names = known_names()
    models = (DOCS / "sagemaker.md").read_text("utf-8")
    assert missing_from(models, [*names.formats, *names.embedding_formats]) == []
    assert missing_from((DOCS / "results.md").read_text("utf-8"), list(names.outputs)) == []


def test_every_fault_shape_and_key_of_a_sandbox_script_is_documented() -> None:
    page = (DOCS / "sandbox.md").read_text("utf-8")
    names = [*FAULTS.names(), *shape_names(), *FaultsEntry.known_keys(), *AnswerEntry.known_keys()]
    assert missing_from(page, [*names, *RuleEntry.known_keys()]) == []
