"""What the user's code may do to a run: hang, reach for files, hand over a context."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def rows(cli: Cli, text: str) -> list[dict[str, object]]:
    cli.write("sageval.yaml", text)
    ran = cli.eval("--json", "--no-write", "--sandbox")
    assert ran.code == 3
    found: list[dict[str, object]] = json.loads(ran.out)["results"]["results"]
    return found


def test_code_that_never_ends_is_an_error_of_its_case_and_the_run_goes_on(cli: Cli) -> None:
    transform = "if (context.vars.n === 1) { while (true) {} } return prompt"
    found = rows(
        cli,
        f"prompts: ['Say {{{{n}}}}']\nproviders: [{{id: 'sagemaker:e', transform: '{transform}'}}]\n"
        "tests: [{vars: {n: 1}}, {vars: {n: 2}}]\n",
    )
    assert [row["outcome"] for row in found] == ["errored", "passed"]
    assert "the code took longer than 5 s" in str(found[0]["error"])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("require('fs').readFileSync('/etc/passwd', 'utf8')", "modules and file access are not available"),
        ("fetch('http://127.0.0.1:1')", "is not defined"),
        ("process.env.HOME", "is not defined"),
    ],
)
def test_javascript_reaches_neither_files_nor_network_nor_environment(cli: Cli, code: str, message: str) -> None:
    (row,) = rows(cli, f'prompts: [Hi]\nproviders: [{{id: "sagemaker:e", transform: "{code}"}}]\n')
    assert row["outcome"] == "errored"
    assert message in str(row["error"])


def test_a_context_is_taken_out_of_what_the_provider_gave(cli: Cli) -> None:
    cli.write("judge.py", "def call_api(prompt, options, context):\n    return {'output': 'It is so. [Attributed]'}\n")
    cli.write(
        "rag.py",
        "def call_api(prompt, options, context):\n    return {'output': {'answer': 'Lyon', 'context': 'Facts'}}\n",
    )
    cli.write(
        "sageval.yaml",
        "prompts: [Where?]\nproviders: ['file://rag.py']\n"
        "tests:\n  - options: {transform: output.answer}\n    assert:\n"
        "      - {type: context-recall, value: Lyon, contextTransform: output.context, provider: 'file://judge.py'}\n"
        "      - {type: equals, value: Lyon}\n",
    )
    ran = cli.eval("--no-write")
    assert ran.code == 0, ran.out
