"""Plugins: a user's own assertion types and model types."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.assertions.base import ASSERTIONS
from sagemaker_eval.formats.base import FORMATS

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CHECKS = '''
from sagemaker_eval.plugin import Reading, Verdict, assertion, decide, model_type

@assertion("has-question")
def has_question(spec):
    """The output asks something."""
    return lambda subject: decide(spec, "?" in subject.text, "to ask something")

@assertion("slow-check")
def slow_check(spec):
    async def check(subject):
        return Verdict(True, 0.5, "slowly", spec)
    return check

@assertion("broken-check")
def broken_check(spec):
    return lambda subject: {}["no such key"]

@assertion("no-verdict")
def no_verdict(spec):
    return lambda subject: True

@model_type("shouting")
class Shouting:
    """A model that is shouted at."""
    def body(self, prompt, sampling, content_type):
        return prompt.upper().encode()
    def read(self, document):
        return Reading(output=str(document))
'''


def config(*types: str, provider: str = "echo") -> str:
    asserted = ", ".join(f"{{type: {type}}}" for type in types)
    head = f"plugins: [checks/mine.py]\nproviders: [{provider}]\nprompts: ['Why?', 'Because']\n"
    return f"{head}tests: [{{assert: [{asserted}]}}]\n"


def outcomes(cli: Cli, text: str) -> list[tuple[str, str]]:
    cli.write("checks/mine.py", CHECKS)
    cli.write("sageval.yaml", text)
    ran = cli.eval("--json", "--no-write")
    return [(row["outcome"], row["error"] or "") for row in json.loads(ran.out)["results"]["results"]]


def test_a_plugin_adds_assertion_types(cli: Cli) -> None:
    assert outcomes(cli, config("has-question", "slow-check")) == [
        ("passed", ""),
        ("failed", "Expected output to ask something"),
    ]
    assert [outcome for outcome, _ in outcomes(cli, config("not-has-question"))] == ["failed", "passed"]


@pytest.mark.parametrize(
    ("type", "message"),
    [
        ("broken-check", "`broken-check`: `mine.py:17` raised KeyError: 'no such key'"),
        ("no-verdict", "`no-verdict` returned bool, not a Verdict"),
    ],
)
def test_a_check_that_raises_is_an_error_of_its_case(cli: Cli, type: str, message: str) -> None:
    assert outcomes(cli, config(type)) == [("errored", message)] * 2


@pytest.mark.parametrize("error", ["SystemExit(0)", "CancelledError"])
def test_a_check_that_would_end_the_run_is_an_error_of_its_case(cli: Cli, error: str) -> None:
    raising = CHECKS.replace('{}["no such key"]', f"(_ for _ in ()).throw({error})")
    cli.write("checks/mine.py", f"from asyncio import CancelledError\n{raising}")
    cli.write("sageval.yaml", config("broken-check"))
    ran = cli.eval()
    assert ran.code == 3
    assert f"raised {error.partition('(')[0]}" in ran.out


def test_a_plugin_adds_model_types(cli: Cli) -> None:
    cli.write("checks/mine.py", CHECKS)
    cli.write("sageval.yaml", config(provider="sagemaker:shouting:e"))
    ran = cli.eval("--dry-run")
    assert ran.code == 0
    assert "WHY?" in ran.out


def test_a_run_forgets_what_its_plugins_added(cli: Cli) -> None:
    outcomes(cli, config("has-question"))
    assert "has-question" not in ASSERTIONS
    assert "shouting" not in FORMATS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('no licence')", "raised RuntimeError: no licence while it was loaded"),
        ("def", "is not valid Python"),
        ("from sagemaker_eval.plugin import assertion\n@assertion('contains')\ndef f(spec): ...", "registered twice"),
    ],
)
def test_a_plugin_that_cannot_be_loaded_is_told_with_its_place(cli: Cli, text: str, message: str) -> None:
    cli.write("checks/mine.py", text)
    cli.write("sageval.yaml", config())
    ran = cli.eval()
    assert ran.code == 2
    assert ran.err.startswith("sageval.yaml:1:11: ")
    assert message in ran.err


def test_a_plugin_that_is_not_there_is_told_with_its_place(cli: Cli) -> None:
    cli.write("sageval.yaml", config())
    ran = cli.eval()
    assert ran.err.startswith("sageval.yaml:1:11: the script `checks/mine.py` does not exist")
