"""Who judges graded assertions: the assertion's provider, the test's, the run's."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

GRADER = """
def call_api(prompt, options, context):
    return {"output": '{"pass": true, "score": 1, "reason": "' + options["id"] + ' says yes"}'}
"""
NAMES = ("own", "tests", "runs")


def config(assertion: str = "", options: str = "") -> str:
    return (
        "prompts: [Hi]\nproviders: [echo]\n"
        f"tests:\n  - options: {{{options}}}\n    assert: [{{type: llm-rubric, value: polite{assertion}}}]\n"
    )


def judged_by(cli: Cli, text: str, *arguments: str) -> str:
    for name in NAMES:
        cli.write(f"{name}.py", GRADER)
    cli.write("sageval.yaml", text)
    ran = cli.eval("--json", "--no-write", *arguments)
    assert ran.code == 0, ran.err
    (row,) = json.loads(ran.out)["results"]["results"]
    return str(row["gradingResult"]["componentResults"][0]["reason"])


def test_the_nearest_grader_judges(cli: Cli) -> None:
    own, tests = ", provider: 'file://own.py'", "provider: 'file://tests.py'"
    assert "own.py says yes" in judged_by(cli, config(own, tests), "--grader", "file://runs.py")
    assert "tests.py says yes" in judged_by(cli, config("", tests), "--grader", "file://runs.py")
    assert "runs.py says yes" in judged_by(cli, config(), "--grader", "file://runs.py")


def test_a_label_names_a_configured_provider(cli: Cli) -> None:
    text = config(", provider: judge").replace("[echo]", "[echo, {id: 'file://own.py', label: judge}]")
    for name in NAMES:
        cli.write(f"{name}.py", GRADER)
    cli.write("sageval.yaml", text)
    ran = cli.eval("--json", "--no-write", "--filter-providers", "echo")
    assert "own.py says yes" in ran.out


def test_the_configuration_may_name_the_runs_grader(cli: Cli) -> None:
    assert "runs.py" in judged_by(cli, config() + "commandLineOptions: {grader: 'file://runs.py'}\n")


def test_without_a_grader_nothing_is_sent(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve()
    cli.write("sageval.yaml", config().replace("echo", "sagemaker:e"))
    ran = cli.eval()
    assert ran.code == 2
    assert ran.err.startswith("sageval.yaml:5:14: `llm-rubric` needs a text provider, and none is named")
    assert sandbox.count() == 0


@pytest.mark.parametrize(
    ("reply", "what"), [("'no verdict'", "grader's reply"), ("1/0", "ZeroDivisionError"), ("''", "grader's reply")]
)
def test_a_grader_that_fails_is_no_failure_of_the_model(cli: Cli, reply: str, what: str) -> None:
    cli.write("bad.py", f"def call_api(prompt, options, context):\n    return {{'output': {reply}}}\n")
    cli.write("sageval.yaml", config(", provider: 'file://bad.py'"))
    ran = cli.eval("--json", "--no-write")
    assert ran.code == 3
    (row,) = json.loads(ran.out)["results"]["results"]
    assert (row["outcome"], row["response"]["output"]) == ("errored", "Hi")
    assert what in row["error"]


@pytest.mark.parametrize("kind", ["llm-rubric", "select-best"])
def test_a_grader_that_may_not_be_called_stops_the_run_and_loses_no_answer(
    cli: Cli, serve: Callable[..., Sandbox], kind: str
) -> None:
    serve("endpoints: {judge: {faults: {accessDenied: 1}}}")
    cli.write(
        "sageval.yaml",
        "prompts: ['Hi {{n}}', 'Ho {{n}}']\nproviders: [echo]\n"
        "defaultTest:\n  options: {provider: 'sagemaker:openai:judge'}\n"
        f"  assert: [{{type: contains, value: H}}, {{type: {kind}, value: polite}}]\n"
        "tests: [{vars: {n: 1}}]\n",
    )
    ran = cli.eval("--json", "--no-write", "-j", "1")
    assert ran.code == 3
    rows = json.loads(ran.out)["results"]["results"]
    assert rows[0]["response"]["output"] == "Hi 1"
    assert {row["outcome"] for row in rows} == {"errored"}
