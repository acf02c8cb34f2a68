"""`commandLineOptions` and `evaluateOptions`: what a configuration says in place of flags."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.config.explaining import render_problems
from sagemaker_eval.config.loading import Loaded, Overrides, load_with_options
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.errors import ConfigError

NAMES = KnownNames(("custom",), ("custom",), ("contains", "equals"), (".json", ".csv"))


@pytest.fixture(autouse=True)
def _working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(
    *texts: str, environ: Mapping[str, str] | None = None, notices: list[str] | None = None, **overrides: Any
) -> Loaded:
    """What configurations of these texts, in folders of their own, come to."""
    paths = []
    for number, text in enumerate(texts):
        path = Path(f"config{number}", "sageval.yaml")
        path.parent.mkdir(exist_ok=True)
        path.write_text("" if number else "providers: [echo]\n")
        path.write_text(path.read_text() + text)
        paths.append(str(path))
    told = [] if notices is None else notices
    return load_with_options(paths, Overrides(**overrides), environ or {}, NAMES, told.append)


def refused(*texts: str, **overrides: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(*texts, **overrides)
    return render_problems(caught.value)


def test_flags_come_first_then_command_line_options_then_evaluate_options() -> None:
    text = (
        "evaluateOptions: {repeat: 2, maxConcurrency: 2, delay: 2}\ncommandLineOptions: {repeat: 3, maxConcurrency: 3}"
    )
    suite = loaded(text, repeat=4).suite

    assert (suite.repeat, suite.max_concurrency, suite.providers[0].delay_ms) == (4, 3, 2)


def test_a_description_and_tags() -> None:
    text = "description: plain\ntags: {a: 1, b: 1}\ncommandLineOptions: {description: wins, tags: {b: 2, c: 2}}"

    assert loaded(text).suite.description == "wins"
    assert loaded(text, description="flag").suite.description == "flag"
    assert loaded(text, tags={"c": "3"}).suite.document["tags"] == {"a": 1, "b": 2, "c": "3"}


def test_outputs() -> None:
    text = "outputPath: a.json\ncommandLineOptions: {output: [b.json, c.csv]}"

    assert loaded(text).suite.output_paths == ("b.json", "c.csv")
    assert loaded(text, outputs=("d.json",)).suite.output_paths == ("d.json",)
    assert "config0/sageval.yaml:2:30: `x.doc` has the unknown ending" in refused("commandLineOptions: {output: x.doc}")


def test_variables_win_over_those_of_every_test() -> None:
    Path("config0").mkdir()
    Path("config0/word.txt").write_text("from a file")
    text = "tests: [{vars: {a: 1, b: 1, c: 1}}]\ncommandLineOptions: {var: {b: 2, c: file://word.txt}}"
    (test,) = loaded(text, vars={"b": "3"}).suite.tests

    assert test.vars == {"a": 1, "b": "3", "c": "from a file"}


def test_a_prefix_and_a_suffix_go_round_every_prompt_unless_a_test_has_its_own() -> None:
    text = (
        "defaultTest: {options: {prefix: lost, repeat: 2}}\n"
        "commandLineOptions: {promptPrefix: 'Be brief. ', promptSuffix: '!'}\n"
        "tests: [{vars: {x: 1}}, {vars: {x: 2}, options: {suffix: '?'}}]\n"
    )
    options = [test.options for test in loaded(text).suite.tests]

    assert options == [
        {"prefix": "Be brief. ", "repeat": 2, "suffix": "!"},
        {"prefix": "Be brief. ", "repeat": 2, "suffix": "?"},
    ]


def test_variables_of_env_path_count_for_templates_and_under_env() -> None:
    Path("config0").mkdir()
    Path("config0/a.env").write_text("A=file\nB=file\nC=file\n")
    text = (
        "commandLineOptions: {envPath: '{{env.NAME}}.env'}\n"
        "env: {B: config, C: '{{env.C}}-{{env.A}}'}\n"
        "prompts: ['{{env.A}} {{env.B}} {{env.C}}']\n"
    )
    suite = loaded(text, environ={"A": "process", "NAME": "a"}).suite

    assert suite.prompts[0].raw == "file config file-file"
    assert suite.env == {"A": "file", "B": "config", "C": "file-file", "NAME": "a"}


@pytest.mark.parametrize("written", ["envPath: 'a.env,b.env'", "envPath: [a.env, b.env]", "envFile: 'a.env, b.env'"])
def test_of_several_files_of_variables_the_last_wins(written: str) -> None:
    Path("config0").mkdir()
    Path("config0/a.env").write_text("A=1\nB=1\n")
    Path("config0/b.env").write_text("B=2\n")

    assert loaded(f"commandLineOptions: {{{written}}}").suite.env == {"A": "1", "B": "2"}


def test_files_of_variables_on_the_command_line_replace_env_path() -> None:
    assert loaded("commandLineOptions: {envPath: none.env}", env_files=("other.env",)).suite.env == {}
    assert refused("commandLineOptions: {envPath: none.env}") == (
        "config0/sageval.yaml:2:31: the file of variables `none.env` does not exist\n"
        "  it was looked for at `config0/none.env`"
    )


def test_the_display_and_the_filters_are_handed_to_the_command_line() -> None:
    options = loaded(
        "evaluateOptions: {filterRange: '1:', showProgressBar: false}\n"
        "commandLineOptions: {table: false, tableCellMaxLength: 20, filterMetadata: team=red, filterFirstN: 3}\n"
    ).options

    assert (options.filter_range, options.progress_bar, options.table) == ("1:", False, False)
    assert (options.table_cell_max_length, options.filter_metadata, options.filter_first_n) == (20, ["team=red"], 3)
    assert options.filter_sample is None


def test_of_several_files_the_later_wins_key_by_key() -> None:
    options = loaded(
        "commandLineOptions: {filterRange: '1:2', filterSample: 3, var: {a: 1}}\nevaluateOptions: {filterRange: '0:9'}",
        "commandLineOptions: {filterSample: 4}",
        "evaluateOptions: {filterRange: '5:6'}",
    ).options

    assert (options.filter_range, options.filter_sample, options.var) == ("1:2", 4, {"a": 1})


def test_options_of_other_services_are_told_and_have_no_effect() -> None:
    notices: list[str] = []
    loaded(
        "commandLineOptions: {share: true, watch: true, suggestPrompts: 3}\n"
        "evaluateOptions: {generateSuggestions: true}\n",
        notices=notices,
    )

    assert sorted(notices) == [
        f"`{name}` is out of scope for sageval: it has no effect"
        for name in (
            "commandLineOptions.share",
            "commandLineOptions.suggestPrompts",
            "commandLineOptions.watch",
            "evaluateOptions.generateSuggestions",
        )
    ]
