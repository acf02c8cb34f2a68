"""`sageval show`: what a run printed, once more."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """
prompts: ["Hi {{name}}", "Ho {{name}}, how long is this prompt allowed to be in a table of results?"]
providers: [echo, file://failing.py]
tests:
  - {vars: {name: Ada}, assert: [{type: contains, value: Ada, metric: polite}]}
  - {vars: {name: Grace}, assert: [{type: contains, value: Ada, metric: polite}]}
"""

FAILING = """
def call_api(prompt, options, context):
    if "Grace" in prompt:
        raise ValueError("no Grace")
    return {"output": prompt, "cost": 0.1}
"""


@pytest.fixture
def ran(cli: Cli) -> Cli:
    cli.write("sageval.yaml", CONFIG)
    cli.write("failing.py", FAILING)
    return cli


def test_a_run_is_shown_as_it_was(ran: Cli) -> None:
    first = ran.eval()
    assert first.code == 3 and "Ada" in first.out and "Errors" in first.out
    shown = ran("show", "latest")
    assert (shown.code, shown.out, shown.err) == (0, first.out, "")


@pytest.mark.parametrize("options", [["--no-table"], ["--table-cell-max-length", "12"]])
def test_a_run_is_shown_with_the_settings_that_it_had(options: list[str], ran: Cli) -> None:
    first = ran.eval(*options)
    assert ran("show", "latest").out == first.out


def test_settings_of_the_configuration_count_too(ran: Cli) -> None:
    ran.write("sageval.yaml", CONFIG + "commandLineOptions: {tableCellMaxLength: 11}\n")
    first = ran.eval()
    assert ran("show", "latest").out == first.out


def test_a_run_can_be_shown_otherwise(ran: Cli) -> None:
    table, summary = ran.eval(), ran("show", "latest", "--no-table")
    assert "Ada" not in summary.out
    assert table.out.endswith(summary.out)
    assert "Ada" in ran("show", "latest", "--table").out


def test_the_document_is_for_programs(ran: Cli) -> None:
    ran.eval("-o", "out.json")
    shown = json.loads(ran("show", "latest", "--json").out)
    shown["metadata"].pop("exportedAt")
    written = ran.document()
    written["metadata"].pop("exportedAt")
    assert shown == written


def test_a_run_that_was_killed_is_shown_with_how_to_go_on(ran: Cli) -> None:
    ran.eval()
    (run,) = (path for path in (ran.folder.parent / "runs").iterdir() if path.is_dir())
    lines = (run / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (run / "journal.jsonl").write_bytes(b"".join(lines[:5]) + b'{"torn')
    (run / "end.json").unlink()
    shown = ran("show", run.name[:8])
    assert shown.code == 0
    assert "5 of 8 cases in " in shown.out
    assert "the run ended after 5 of 8 cases" in shown.err
    assert f"go on with `sageval eval --resume {run.name}`" in shown.err


def test_what_is_no_run_is_an_error(ran: Cli) -> None:
    shown = ran("show", "eval-nowhere")
    assert (shown.code, shown.out) == (2, "")
    assert re.search("no run is called `eval-nowhere`", shown.err) and "sageval list" in shown.err
