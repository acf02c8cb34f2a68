"""Every option of `sageval eval` does what `--help` says of it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
description: Two by two
prompts: ['Hi {{x}}', 'Bye {{x}}']
providers:
  - echo
  - {id: 'sagemaker:llama:big-llama', label: Llama}
tests:
  - {description: first one, metadata: {team: red, tags: [a, b]}, vars: {x: one}}
  - {description: second one, metadata: {team: blue}, vars: {x: two}}
  - {description: the last, vars: {x: three}}
"""


@pytest.fixture
def two_by_two(cli: Cli) -> Callable[..., list[dict[str, Json]]]:
    """Runs two prompts x two providers x three tests on the sandbox: the rows."""
    cli.write("run.yaml", CONFIG)

    def evaluate(*options: str) -> list[dict[str, Json]]:
        ran = cli.eval("-c", "run.yaml", "--sandbox", "--no-cache", "-o", "out.json", *options)
        assert ran.code == 0, ran.err
        return cli.rows()

    return evaluate


Rows = Callable[..., list[dict[str, Any]]]


def values(rows: list[dict[str, Any]]) -> list[str]:
    """The values of `x` in the rows, each once, in order."""
    return list(dict.fromkeys(row["vars"]["x"] for row in rows))


def providers(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["provider"]["label"] or row["provider"]["id"] for row in rows))


def prompts(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["prompt"]["label"] for row in rows))


def test_help_lists_every_option(cli: Cli) -> None:
    ran = cli("eval", "--help")
    options = """
        --config --prompts --providers --tests --output --max-concurrency --cache --no-cache --delay --repeat --var
        --env-file --description --tag
        --filter-pattern --filter-first-n --filter-range --filter-sample --filter-sample-seed
        --filter-providers --filter-prompts --filter-metadata --filter-failing --filter-errors-only --table --no-table
        --table-cell-max-length --progress-bar --no-progress-bar --json --write --no-write --verbose --sandbox
        --sandbox-script --dry-run --fail-under --failed-exit-code"""
    assert (ran.code, ran.err) == (0, "")
    assert [option for option in options.split() if option not in ran.out] == []
    assert "stray" not in ran.out


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("sageval 0.")


def test_a_glob_names_the_configuration(cli: Cli) -> None:
    cli.write("models/one.yaml", "prompts: [Hi]\nproviders: [echo]")
    assert cli.eval("-c", "models/*.yaml").code == 0


def test_several_configurations_are_one(cli: Cli) -> None:
    cli.write("one.yaml", "prompts: [Hi]\nproviders: [echo]\ndescription: One")
    cli.write("two.yaml", "prompts: [Bye]\ndescription: Two")
    for options in [("-c", "one.yaml", "-c", "two.yaml"), ("-c", "*.yaml")]:
        assert cli.eval(*options, "-o", "out.json").code == 0
        assert [row["response"]["output"] for row in cli.rows()] == ["Hi", "Bye"]
        assert cli.document()["config"]["description"] == "One, Two"


@pytest.mark.parametrize("name", ["sageval.yaml", "sageval.yml", "sageval.json", "promptfooconfig.yaml"])
def test_the_configuration_of_the_working_folder_is_found(cli: Cli, name: str) -> None:
    cli.write(name, '{"prompts": ["Hi"], "providers": ["echo"]}')
    assert cli.eval().code == 0


def test_a_folder_stands_for_the_configuration_in_it(cli: Cli) -> None:
    cli.write("project/sageval.yaml", "prompts: [Hi]\nproviders: [echo]")
    assert cli.eval("-c", "project").code == 0


def test_no_configuration_is_needed(cli: Cli) -> None:
    assert cli.eval("-p", "Hi {{name}}", "-r", "echo", "--var", "name=Ann", "-o", "out.json").code == 0
    assert [row["response"]["output"] for row in cli.rows()] == ["Hi Ann"]


def test_prompts_replace_those_of_the_configuration(cli: Cli, two_by_two: Rows) -> None:
    cli.write("prompt.txt", "From a file: {{x}}")
    assert prompts(two_by_two("-p", "prompt.txt")) == ["prompt.txt: From a file: {{x}}"]


def test_tests_replace_those_of_the_configuration(cli: Cli, two_by_two: Rows) -> None:
    cli.write("tests.csv", "x\nfrom a file\n")
    assert values(two_by_two("-t", "tests.csv")) == ["from a file"]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (["echo"], ["echo"]),
        (["Llama"], ["Llama"]),
        (["sagemaker:llama:big-llama"], ["Llama"]),
        (["big-llama"], ["Llama"]),
        (["sagemaker:other"], ["sagemaker:other"]),
        (["Llama", "sagemaker:other"], ["Llama", "sagemaker:other"]),
    ],
)
def test_providers_are_picked_or_added(two_by_two: Rows, wanted: list[str], chosen: list[str]) -> None:
    assert providers(two_by_two(*(part for name in wanted for part in ("-r", name)))) == chosen


def test_all_outputs_hold_all_rows(cli: Cli, two_by_two: Rows) -> None:
    rows = two_by_two("-o", "new/out.jsonl", "-o", "out.csv", "-o", "out.yaml", "-o", "out.yml")
    assert [json.loads(line) for line in (cli.folder / "new/out.jsonl").read_text("utf-8").splitlines()] == rows
    with (cli.folder / "out.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert len(table) == 1 + 3 and table[1][:2] == ["first one", "one"]
    for name in ("out.yaml", "out.yml"):
        document = yaml.safe_load((cli.folder / name).read_text("utf-8"))
        assert document["results"]["results"] == rows


def test_the_output_path_of_the_configuration_counts(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]\noutputPath: [a.json, b.csv]")
    assert cli.eval("-c", "run.yaml").code == 0
    assert (cli.folder / "a.json").is_file() and (cli.folder / "b.csv").is_file()


def test_repeat(two_by_two: Rows) -> None:
    rows = two_by_two("--repeat", "2", "-r", "echo", "-p", "{{x}}")
    assert [(row["testIdx"], row["vars"]["x"], row["repeat"]) for row in rows] == [
        (0, "one", 0), (1, "one", 1), (2, "two", 0), (3, "two", 1), (4, "three", 0), (5, "three", 1)
    ]  # fmt: skip


def test_a_variable_of_the_command_line_wins_over_that_of_a_test(two_by_two: Rows) -> None:
    assert values(two_by_two("--var", "x=a=b", "--var", "y=")) == ["a=b"]


def test_an_env_file_overrides_the_process(cli: Cli, two_by_two: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREETING", "Hello")
    cli.write("some.env", "GREETING=Salut\n")
    rows = two_by_two("-r", "echo", "-p", "{{env.GREETING}} {{x}}", "--filter-first-n", "1", "--env-file", "some.env")
    assert rows[0]["response"]["output"] == "Salut one"


def test_a_description_is_that_of_the_run(cli: Cli, two_by_two: Rows) -> None:
    two_by_two()
    assert cli.document()["config"]["description"] == "Two by two"
    two_by_two("--description", "A try")
    assert cli.document()["config"]["description"] == "A try"


def test_tags_are_recorded_over_those_of_the_configuration(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]\ntags: {team: a, kind: x}")
    assert cli.eval("-c", "run.yaml", "-o", "out.json", "--tag", "team=b", "--tag", "new=1").code == 0
    assert cli.document()["config"]["tags"] == {"team": "b", "kind": "x", "new": "1"}


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (("--filter-pattern", "one$"), ["one", "two"]),
        (("-n", "2"), ["one", "two"]),
        (("--filter-range", "1:2"), ["two"]),
        (("--filter-range", "1:"), ["two", "three"]),
        (("--filter-metadata", "team=red"), ["one"]),
        (("--filter-metadata", "tags=b"), ["one"]),
        (("--filter-metadata", "team=red", "--filter-metadata", "tags=a"), ["one"]),
        (("--filter-pattern", "one", "--filter-range", "1:"), ["two"]),
    ],
)
def test_filters_of_tests(two_by_two: Rows, options: tuple[str, ...], left: list[str]) -> None:
    assert values(two_by_two(*options)) == left


def test_filters_of_columns(two_by_two: Rows) -> None:
    assert providers(two_by_two("--filter-providers", "^Ll")) == ["Llama"]
    assert prompts(two_by_two("--filter-prompts", "Bye")) == ["Bye {{x}}"]


def test_a_sample_with_a_seed_is_the_same_every_time(two_by_two: Rows) -> None:
    sample = ("--filter-sample", "2", "--filter-sample-seed", "7")
    assert values(two_by_two(*sample)) == values(two_by_two(*sample))
    assert len(values(two_by_two("--filter-sample", "2"))) == 2


def test_what_failed_before_is_run_again(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve("endpoints: {'*': {answers: [{pattern: broken, body: {detail: 1}}]}}")
    cli.write(
        "run.yaml",
        "prompts: ['{{x}}']\nproviders: [sagemaker:huggingface:e]\n"
        "tests:\n"
        "  - vars: {x: broken}\n"
        "  - {vars: {x: wrong}, assert: [{type: equals, value: impossible}]}\n"
        "  - {vars: {x: fine}, assert: [{type: not-equals, value: impossible}]}\n",
    )
    assert cli.eval("-c", "run.yaml", "-o", "before.json").code == 3
    (run,) = (cli.folder.parent / "runs").iterdir()
    for source in ("before.json", run.name):
        cli.eval("-c", "run.yaml", "-o", "out.json", "--filter-failing", source)
        assert values(cli.rows()) == ["broken", "wrong"]
        cli.eval("-c", "run.yaml", "-o", "out.json", "--filter-errors-only", source)
        assert values(cli.rows()) == ["broken"]


def test_the_table_can_be_left_out_and_its_cells_cut(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: ['abcdefghijklmnopqrstuvwxyz']\nproviders: [echo]")
    assert "abcdefghijklmnopqrstuvwxyz" in cli.eval("-c", "run.yaml").out
    assert "│ abcdefghijkl… " in cli.eval("-c", "run.yaml", "--table-cell-max-length", "12").out
    without = cli.eval("-c", "run.yaml", "--no-table").out
    assert "abcdef" not in without and "1 case in" in without


def test_progress_is_shown_on_stderr_unless_it_is_not_wanted(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]")
    shown = cli("eval", "-c", "run.yaml")
    assert "Running 1 case" in shown.err and "Finished 1 case" in shown.err and "Running" not in shown.out
    assert cli("eval", "-c", "run.yaml", "--no-progress-bar", "--no-write").err == ""


def test_without_a_record_nothing_stays(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEVAL_RUNS_PATH")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert cli.eval("-p", "Hi", "-r", "echo", "--no-write", "-o", "out.json").code == 0
    assert [path.name for path in cli.folder.iterdir()] == ["out.json"]
    assert list(temporary.iterdir()) == []
    assert len(cli.rows()) == 1


def test_a_record_is_kept_out_of_version_control(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGEVAL_RUNS_PATH")
    ran = cli.eval("-p", "Hi", "-r", "echo")
    (run,) = (cli.folder / ".sageval/runs").iterdir()
    assert {path.name for path in run.iterdir()} == {"run.json", "journal.jsonl", "end.json", "log.txt"}
    assert f"run recorded in .sageval/runs/{run.name}" in ran.err
    assert (cli.folder / ".sageval/.gitignore").read_text("utf-8").strip() == "*"


def test_verbose_logs_to_stderr_and_no_record_is_needed_for_it(cli: Cli) -> None:
    assert "sagemaker_eval" not in cli.eval("-p", "Hi", "-r", "echo").err
    assert "sagemaker_eval: run eval-" in cli.eval("-p", "Hi", "-r", "echo", "--verbose", "--no-write").err


def test_the_sandbox_needs_no_account_and_a_script_implies_it(cli: Cli) -> None:
    cli.write("script.yaml", "endpoints: {'*': {answers: [{answer: as the script says}]}}")
    arguments = ("-p", "Hi", "-r", "sagemaker:huggingface:e", "-o", "out.json", "--sandbox-script", "script.yaml")
    assert cli.eval(*arguments).code == 0
    assert cli.rows()[0]["response"]["output"] == "as the script says"


@pytest.mark.parametrize(
    ("provider", "option"), [("sagemaker:e", "1"), ("{id: 'sagemaker:e', maxConcurrency: 1}", "8")]
)
def test_the_concurrency_is_a_cap_for_each_provider_that_its_own_may_lower(
    cli: Cli, serve: Callable[..., Sandbox], provider: str, option: str
) -> None:
    """With one case in flight, each request arrives after the one before was answered: in plan order."""
    sandbox = serve("endpoints: {'*': {latency: 3, jitter: 3}}")
    cli.write("run.yaml", f"prompts: ['{{{{x}}}}']\nproviders: [{provider}]\ntests: tests.csv")
    cli.write("tests.csv", "x\n" + "".join(f"prompt {number}\n" for number in range(30)))
    assert cli.eval("-c", "run.yaml", "-j", option).code == 0
    asked = [json.loads(request.body) for request in sandbox.requests]
    assert [body["prompt"] for body in asked] == [f"prompt {number}" for number in range(30)]


def test_debug_logs_like_verbose(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    assert "sagemaker_eval: run eval-" in cli.eval("-p", "Hi", "-r", "echo").err
