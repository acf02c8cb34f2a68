"""`--json`: stdout is one JSON document and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

FAILS = "prompts: [Hi]\nproviders: [echo]\ndefaultTest: {assert: [{type: equals, value: Ho}]}\n"
ERRS = "prompts: [Hi]\nproviders: ['sagemaker:huggingface:odd']\n"
STOPS = "prompts: [Hi]\nproviders: ['sagemaker:huggingface:gone']\n"


@pytest.mark.parametrize(("config", "code", "rows"), [(FAILS, 1, 1), (ERRS, 3, 1), (STOPS, 2, 0)])
def test_stdout_is_the_document_however_the_run_ends(
    cli: Cli, serve: Callable[..., Sandbox], config: str, code: int, rows: int
) -> None:
    serve("missing: [gone]\nendpoints: {odd: {answers: [{body: {detail: 1}}]}}")
    cli.write("run.yaml", config)
    ran = cli("eval", "-c", "run.yaml", "--json", "--verbose", "-o", "out.json")
    assert ran.code == code
    assert len(json.loads(ran.out)["results"]["results"]) == rows


def test_it_is_the_document_that_a_file_gets(cli: Cli) -> None:
    ran = cli.eval("-p", "Grüße, {{x}}", "-r", "echo", "--var", "x=☕", "--json", "-o", "out.json")
    printed, written = json.loads(ran.out), cli.document()
    for document in (printed, written):
        del document["metadata"]["exportedAt"]
    assert printed == written
    assert printed["results"]["results"][0]["response"]["output"] == "Grüße, ☕"


def test_a_run_that_is_refused_prints_nothing_there(cli: Cli) -> None:
    ran = cli.eval("-c", "nope.yaml", "--json")
    assert (ran.code, ran.out) == (2, "")
