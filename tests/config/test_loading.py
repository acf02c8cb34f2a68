"""Whole configurations: from files and command line options to a suite."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.config.explaining import render_problems
from sagemaker_eval.config.loading import Overrides, find_default, load
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import SageMakerOptions, Suite

HERE = Path(__file__).parent
NAMES = KnownNames(
    formats=("anthropic", "custom", "huggingface", "jumpstart", "llama", "openai"),
    embedding_formats=("custom", "huggingface", "openai"),
    assertions=("contains", "equals", "icontains", "is-json", "regex"),
    outputs=(".junit.xml", ".jsonl", ".json", ".yaml", ".csv"),
)

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a file into the working folder, which is a fresh one."""
    monkeypatch.chdir(tmp_path)

    def writer(text: str, name: str = "sageval.yaml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    return writer


def loaded(
    *paths: Path | str, environ: Mapping[str, str] | None = None, notices: list[str] | None = None, **overrides: Any
) -> Suite:
    told = [] if notices is None else notices
    return load([str(path) for path in paths], Overrides(**overrides), environ or {}, NAMES, told.append)


def refused(*paths: Path | str, environ: Mapping[str, str] | None = None, **overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(*paths, environ=environ, **overrides)
    return render_problems(caught.value)


def test_everything_that_a_configuration_may_say() -> None:
    notices: list[str] = []
    suite = loaded(HERE / "good" / "full.yaml", environ={"TEMPERATURE": "0.25"}, notices=notices)

    assert [prompt.raw.split()[0] for prompt in suite.prompts] == ["Which", "Name", "Name", "#"]
    assert [provider.name for provider in suite.providers] == [
        "echo",
        "sagemaker:my-jumpstart-endpoint",
        "Chat",
        "Vectors",
    ]
    assert [test.vars["thing"] for test in suite.tests] == ["an orange", ["a pear", "a plum"], "a lime", "a fig"]
    assert (suite.repeat, suite.max_concurrency, suite.cache, suite.max_error_rate) == (2, 8, False, 0.05)
    assert suite.output_paths == ("out.json", "out.csv")
    assert suite.env == {"TEMPERATURE": "0.25", "TEAM": "search", "RETRIES": "2"}
    assert suite.base_path == str(HERE / "good")
    assert notices == []


def test_tests_start_from_metadata_and_default_test() -> None:
    orange, pears, lime, _ = loaded(HERE / "good" / "full.yaml", environ={"TEMPERATURE": "0"}).tests

    assert [spec.type for spec in orange.assertions] == ["icontains", "not-contains"]
    assert (orange.assertions[1].weight, orange.assertions[1].metric) == (2, "hue")
    assert orange.metadata == {"suite": "colours", "kind": "citrus"}
    assert pears.metadata == {"suite": "colours", "kind": "fruit"}
    assert pears.options == {"disableVarExpansion": True, "repeat": 3, "anything": "goes"}
    assert lime.threshold == 0.5


def test_json_with_maps_for_prompts_and_providers() -> None:
    suite = loaded(HERE / "good" / "by-key.json")

    assert [(prompt.label, prompt.raw) for prompt in suite.prompts] == [
        ("said", "Say {{word}}"),
        ("chat", '[{"role":"user","content":"{{thing}}?"}]'),
    ]
    (provider,) = suite.providers
    assert (provider.id, provider.options.endpoint, provider.options.model_type) == ("renamed", "my-llama", "llama")


def test_defaults_of_the_shortest_configuration(write: Write) -> None:
    suite = loaded(write("providers: [echo]"))

    assert [prompt.raw for prompt in suite.prompts] == ["{{prompt}}"]
    assert [test.vars for test in suite.tests] == [{}]
    assert (suite.cache, suite.repeat, suite.max_concurrency, suite.max_error_rate) == (True, 1, 4, 0.0)


@pytest.mark.usefixtures("write")
def test_no_configuration_at_all() -> None:
    suite = loaded(prompts=("Say {{word}}",), providers=("sagemaker:openai:mine",), vars={"word": "yes"})

    assert [prompt.raw for prompt in suite.prompts] == ["Say {{word}}"]
    assert [provider.id for provider in suite.providers] == ["sagemaker:openai:mine"]
    assert [test.vars for test in suite.tests] == [{"word": "yes"}]
    assert suite.document == {"prompts": ["Say {{word}}"], "providers": ["sagemaker:openai:mine"]}


def test_the_configuration_of_the_working_folder_is_found(write: Write) -> None:
    write("{providers: [echo], description: found}")

    assert loaded().description == "found"
    assert [provider.id for provider in loaded(providers=("sagemaker:mine",)).providers] == ["sagemaker:mine"]


@pytest.mark.usefixtures("write")
def test_nothing_to_run() -> None:
    assert refused().startswith("there is nothing to run: no configuration and no providers\n")


@pytest.mark.parametrize("flag", [True, False])
def test_the_cache_flag_wins_over_the_top_level_key_and_that_over_the_options(write: Write, flag: bool) -> None:
    path = write(
        f"{{providers: [echo], cache: {str(flag).lower()}, evaluateOptions: {{cache: {str(not flag).lower()}}}}}"
    )

    assert loaded(path).cache is flag
    assert loaded(path, cache=not flag).cache is not flag


def test_command_line_options_come_before_evaluate_options(write: Write) -> None:
    path = write(
        "providers: [echo]\n"
        "commandLineOptions: {repeat: 3, maxConcurrency: 2}\n"
        "evaluateOptions: {repeat: 5, delay: 9}\n"
    )

    assert (loaded(path).repeat, loaded(path).max_concurrency) == (3, 2)
    assert loaded(path, repeat=7).repeat == 7
    assert loaded(path).providers[0].delay_ms == 9


def test_environment_templates_fill_numbers_too(write: Write) -> None:
    path = write(
        "env: {SIZE: 12}\n"
        "providers:\n"
        "  - id: sagemaker:{{env.ENDPOINT}}\n"
        "    config: {maxTokens: '{{env.SIZE}}', chat: '{{env.CHAT}}'}\n"
    )
    (provider,) = loaded(path, environ={"ENDPOINT": "mine", "CHAT": "true"}).providers

    assert provider.options.endpoint == "mine"
    assert provider.options.sampling.max_tokens == 12
    assert provider.options.sampling.chat is True
    assert "an environment variable in it is not set" in refused(path, environ={"CHAT": "true"})


def test_variables_of_the_command_line_win(write: Write) -> None:
    path = write("{providers: [echo], defaultTest: {vars: {a: 1, b: 1}}, tests: [{vars: {b: 2, c: 2}}]}")
    (test,) = loaded(path, vars={"c": "3"}).tests

    assert test.vars == {"a": 1, "b": 2, "c": "3"}


def test_tests_of_the_command_line_replace_those_of_the_configuration(write: Write) -> None:
    write("word\none\n", "mine.csv")
    path = write("{providers: [echo], tests: [{vars: {word: two}}]}", "configs/a.yaml")

    assert [test.vars["word"] for test in loaded(path, tests="mine.csv").tests] == ["one"]


def test_paths_are_relative_to_the_configuration(write: Write) -> None:
    write("Say {{word}}", "configs/say.txt")
    path = write(
        "{prompts: [file://say.txt], providers: [echo], tests: [{vars: {word: file://word.txt}}]}", "configs/a.yaml"
    )
    write("  yes\n", "configs/word.txt")
    suite = loaded(path)

    assert [prompt.raw for prompt in suite.prompts] == ["Say {{word}}"]
    assert [test.vars for test in suite.tests] == [{"word": "yes"}]


def test_files_as_values_of_variables(write: Write) -> None:
    write("{b: [1, 2]}", "data.yaml")
    for name in ("x2", "x1"):
        write(f" {name}\n", f"texts/{name}.txt")
    path = write(
        "providers: [echo]\n"
        "tests:\n"
        "  - vars: {data: file://data.yaml, glob: file://texts/*.txt, both: [file://texts/x1.txt, literal], plain: 1}\n"
    )
    (test,) = loaded(path).tests

    assert test.vars == {"data": '{"b":[1,2]}', "glob": ["x1", "x2"], "both": ["x1", "literal"], "plain": 1}


def test_values_that_no_text_can_be_made_of_are_refused(write: Write) -> None:
    write("", "paper.pdf")
    path = write("{providers: [echo], tests: [{vars: {value: file://paper.pdf}}]}")

    assert "files that end in `.pdf` cannot be a value" in refused(path)


def test_files_as_values_of_assertions(write: Write) -> None:
    write(" lemon\n", "answer.txt")
    write("type: object", "schema.yaml")
    path = write(
        "providers: [echo]\n"
        "tests:\n"
        "  - assert: [{type: equals, value: file://answer.txt}, {type: is-json, value: file://schema.yaml}]\n"
    )
    (test,) = loaded(path).tests

    assert [spec.value for spec in test.assertions] == ["lemon", {"type": "object"}]


def test_lists_of_tests_mix_maps_and_paths_in_order(write: Write) -> None:
    write("- vars: {word: b}\n- vars: {word: c}", "more.yaml")
    path = write("{providers: [echo], tests: [{vars: {word: a}}, more.yaml, {vars: {word: d}}]}")
    tests = loaded(path).tests

    assert [test.vars["word"] for test in tests] == ["a", "b", "c", "d"]
    assert len(tests) == 4


@pytest.mark.parametrize("source", ["tests: []", "tests:", "tests: header-only.csv"])
def test_a_source_without_tests_is_an_error(write: Write, source: str) -> None:
    write("word\n", "header-only.csv")

    assert "there are no tests" in refused(write(f"providers: [echo]\n{source}\n"))


def test_keys_that_are_out_of_scope_are_told_once(write: Write) -> None:
    notices: list[str] = []
    loaded(write("{providers: [echo], sharing: true, redteam: {}, writeLatestResults: true}"), notices=notices)

    assert notices == [
        f"`{key}` is out of scope for sageval: it has no effect" for key in ("redteam", "sharing", "writeLatestResults")
    ]


def test_own_keys_are_free_with_a_prefix_or_an_anchor(write: Write) -> None:
    path = write("x-mine: 1\nshared:\n  - &text Say yes\nprompts: [*text]\nproviders: [echo]\n")

    assert [prompt.raw for prompt in loaded(path).prompts] == ["Say yes"]


def test_secrets_are_masked_by_name_and_by_value(write: Write) -> None:
    path = write(
        "providers:\n"
        "  - id: sagemaker:mine\n"
        "    config: {accessKeyId: AKIAEXAMPLE, secretAccessKey: '{{env.KEY}}', profile: shown}\n"
        "env: {API_TOKEN: short, MY_PASSWORD: correct-horse}\n"
        "tests:\n"
        "  - vars: {token: kept, text: say correct-horse and from-the-environment}\n"
    )
    suite = loaded(path, environ={"KEY": "from-the-environment"})

    assert suite.secrets == {"AKIAEXAMPLE", "from-the-environment", "correct-horse"}
    assert suite.document["providers"][0]["config"] == {
        "accessKeyId": "***",
        "secretAccessKey": "{{env.KEY}}",
        "profile": "shown",
    }
    assert suite.document["env"] == {"API_TOKEN": "***", "MY_PASSWORD": "***"}
    assert suite.document["tests"][0]["vars"] == {"token": "kept", "text": "say *** and ***"}
    assert "from-the-environment" not in repr(suite.providers)


def test_a_wrong_secret_is_not_shown(write: Write) -> None:
    shown = refused(write("providers: [{id: 'sagemaker:mine', config: {secretAccessKey: 1234567890}}]"))

    assert "`secretAccessKey` must be text" in shown
    assert "1234567890" not in shown


def test_a_bad_value_in_the_environment_names_the_variable(write: Write) -> None:
    path = write("providers: ['sagemaker:one', 'sagemaker:two']")

    assert refused(path, environ={"AWS_SAGEMAKER_MAX_TOKENS": "many"}) == (
        "the environment variable `AWS_SAGEMAKER_MAX_TOKENS` must be a whole number, not the text `many`"
    )
    assert loaded(write("providers: [echo]"), environ={"AWS_SAGEMAKER_MAX_TOKENS": "many"}).providers[0].id == "echo"


def test_unknown_endings_of_outputs_are_refused(write: Write) -> None:
    path = write("{providers: [echo], outputPath: a.json}")

    assert loaded(path, outputs=("b.junit.xml", "c.CSV")).output_paths == ("b.junit.xml", "c.CSV")
    assert refused(path, outputs=("b.docx",)).startswith("--output: `b.docx` has the unknown ending `.docx`\n")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["promptfooconfig.yaml", "sageval.json", "sageval.yml"], "sageval.yml"),
        (["promptfooconfig.json", "promptfooconfig.yml"], "promptfooconfig.yml"),
        (["other.yaml"], None),
    ],
)
def test_the_default_configuration(write: Write, names: list[str], expected: str | None) -> None:
    for name in names:
        write("{}", f"here/{name}")

    assert find_default("here") == (expected and os.path.join("here", expected))


def test_folders_and_globs_stand_for_the_file_in_them(write: Write) -> None:
    write("{description: found, providers: [echo]}", "suite/promptfooconfig.yaml")

    assert loaded("suite").description == "found"
    assert loaded("suite/*.yaml").description == "found"


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.yaml", "", "the configuration is empty"),
        ("a.yaml", "- echo", "must be a map with keys such as `providers`, not a list"),
        ("a.toml", "", "a configuration ends in"),
        ("a.js", "", "not yet supported"),
        ("a.json", "{", "invalid JSON"),
    ],
)
def test_files_that_are_no_configuration(write: Write, name: str, text: str, problem: str) -> None:
    assert problem in refused(write(text, name))


def test_a_configuration_that_is_missing() -> None:
    assert refused("nowhere.yaml") == "nowhere.yaml: the configuration file does not exist"
    assert refused("nowhere/*.yaml") == "nowhere/*.yaml: the configuration file does not exist"


def test_every_provider_of_the_suite_knows_its_folder(write: Write) -> None:
    options = loaded(write("providers: ['sagemaker:mine']", "configs/a.yaml")).providers[0].options

    assert isinstance(options, SageMakerOptions)
    assert options.base_path == "configs"
