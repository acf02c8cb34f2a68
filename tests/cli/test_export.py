"""`sageval export`: the documents of a run, as `-o` wrote them at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """
description: greetings
prompts: ["Hi {{name}}", "Ho {{name}}"]
providers: [echo, file://paid.py]
derivedMetrics: [{name: share, value: "polite / __count"}]
tests:
  - {description: one, vars: {name: Ada}, assert: [{type: contains, value: Ada, metric: polite}]}
  - {description: two, vars: {name: "G\\u00e9rard, \\"=1+1\\"\\nsecond line"}, assert: [{type: contains, value: Hi}]}
  - {description: three, vars: {name: Grace}}
"""

PAID = """
def call_api(prompt, options, context):
    if "Ho Grace" in prompt:
        raise ValueError("no Grace")
    return {"output": {"text": prompt, "broken": "\\ud800"}, "cost": 0.25, "tokenUsage": {"total": 3, "prompt": 2}}
"""


@pytest.fixture
def ran(cli: Cli) -> Cli:
    cli.write("sageval.yaml", CONFIG)
    cli.write("paid.py", PAID)
    return cli


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv", "yaml", "yml"])
def test_an_export_is_byte_for_byte_what_the_run_wrote(ending: str, ran: Cli) -> None:
    assert ran.eval("-o", f"then.{ending}").code == 3
    exported = ran("export", "latest", "-o", f"now.{ending}")
    assert (exported.code, exported.out, exported.err) == (0, "", f"note: results written to now.{ending}\n")
    then, now = (
        re.sub(rb"exportedAt\W+\S+Z", b"exportedAt", (ran.folder / f"{name}.{ending}").read_bytes())
        for name in ("then", "now")
    )
    assert now == then and then


def test_several_documents_are_written_at_once(ran: Cli) -> None:
    ran.eval()
    assert ran("export", "latest", "-o", "a.json", "-o", "deep/b.csv").code == 0
    assert (ran.folder / "a.json").exists() and (ran.folder / "deep" / "b.csv").exists()


def test_a_run_that_was_gone_on_with_exports_what_it_then_wrote(ran: Cli) -> None:
    ran.eval()
    ran.eval("--retry-errors", "latest", "-o", "then.json")
    ran("export", "latest", "-o", "now.json")
    assert ran.document("now.json")["results"] == ran.document("then.json")["results"]


def test_a_run_from_another_machine_can_be_exported(ran: Cli) -> None:
    ran.eval()
    (run,) = (path for path in (ran.folder.parent / "runs").iterdir() if path.is_dir())
    run.rename(ran.folder / "copied")
    assert ran("export", "copied", "-o", "a.json").code == 0
    assert len(ran.rows("a.json")) == 12


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["latest"], "no output is named"),
        (["latest", "-o", "a.json", "-o", "b.doc"], "cannot write `b.doc`: its ending names no kind of document"),
        (["latest", "-o", "sageval.yaml/a.json"], "is not a folder"),
        (["nowhere", "-o", "a.json"], "no run is called `nowhere`"),
    ],
)
def test_what_cannot_be_exported_is_said_before_anything_is_written(
    arguments: list[str], message: str, ran: Cli
) -> None:
    ran.eval()
    exported = ran("export", *arguments)
    assert exported.code == 2 and message in exported.err
    assert not (ran.folder / "a.json").exists()
