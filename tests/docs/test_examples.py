"""Every project of `examples/` runs on the sandbox and ends as its page says."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from sagemaker_eval.model import Json

if TYPE_CHECKING:
    from tests.docs.conftest import Cli

ROOT = Path(__file__).parents[2]
CI_GATE = ("eval", "-c", "examples/ci-gate/sageval.yaml", "--sandbox-script", "examples/ci-gate/sandbox.yaml")
CSV_TESTS = ("eval", "-c", "examples/csv-tests/sageval.yaml", "--sandbox-script", "examples/csv-tests/sandbox.yaml")
GRADERS = ("eval", "-c", "examples/graders/sageval.yaml", "--sandbox-script", "examples/graders/sandbox.yaml")
FAULTS = ("eval", "-c", "examples/faults/sageval.yaml", "--sandbox-script", "examples/faults/sandbox.yaml")


def outcomes(rows: list[dict[str, Json]]) -> list[str]:
    return [row["outcome"] for row in rows]


def test_every_example_has_a_test_here() -> None:
    folders = {path.parent.name for path in ROOT.glob("examples/*/sageval.yaml")}
    assert folders == {"quickstart", "csv-tests", "ci-gate", "graders", "faults"}


def test_quickstart_passes_whole_and_fits_a_table(cli: Cli) -> None:
    ran = cli("eval", "-c", "examples/quickstart/sageval.yaml", "--sandbox", "-o", "out.json")
    assert ran.code == 0
    assert outcomes(cli.rows("out.json")) == ["passed"] * 8
    lines = ran.out.splitlines()
    assert lines[0].startswith("╭")
    assert max(map(len, lines)) <= 100


def test_makefile_demo_runs_the_quickstart() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert "sageval eval -c examples/quickstart/sageval.yaml --sandbox\n" in makefile


def test_tests_from_files_pass(cli: Cli) -> None:
    assert cli(*CSV_TESTS, "-o", "out.json").code == 0
    rows = cli.rows("out.json")
    assert outcomes(rows) == ["passed"] * 12
    assert rows[-1]["testCase"]["description"] == "no team at all"


def test_hard_cases_can_be_run_alone(cli: Cli) -> None:
    cli(*CSV_TESTS, "--filter-metadata", "kind=hard", "-o", "out.json")
    assert len(cli.rows("out.json")) == 4


@pytest.mark.parametrize(("options", "code"), [(("--fail-under", "90"), 0), ((), 1), (("--failed-exit-code", "7"), 7)])
def test_gate_opens_at_ninety_percent(cli: Cli, options: tuple[str, ...], code: int) -> None:
    assert cli(*CI_GATE, *options).code == code


def test_gate_writes_the_files_that_the_workflow_uploads(cli: Cli) -> None:
    workflow = yaml.safe_load((ROOT / "examples/ci-gate/ci.yml").read_text("utf-8"))
    steps = workflow["jobs"]["evaluate"]["steps"]
    command = shlex.split(next(step["run"] for step in steps if "sageval eval" in step.get("run", "")))
    uploaded = next(step["with"]["path"] for step in steps if "upload-artifact" in step.get("uses", "")).split()
    assert cli(*command[1:], "--sandbox-script", "examples/ci-gate/sandbox.yaml").code == 0
    assert all((cli.folder / name).stat().st_size for name in uploaded)


def test_no_row_is_lost_to_faults(cli: Cli) -> None:
    ran = cli(*FAULTS, "--no-cache", "-o", "out.json")
    rows = cli.rows("out.json")
    assert ran.code == 0
    assert outcomes(rows) == ["passed"] * 10
    assert sum(row["attempts"] for row in rows) == 17


def test_the_warm_answers_win_and_all_answers_have_manners(cli: Cli) -> None:
    assert cli(*GRADERS, "-o", "out.json").code == 1
    rows = cli.rows("out.json")
    assert [(row["prompt"]["label"], row["outcome"]) for row in rows] == [("plain", "failed"), ("warm", "passed")] * 2
    assert [row["namedScores"]["manners"] for row in rows] == [1.0] * 4
    assert all(row["tokenUsage"]["assertions"]["total"] for row in rows)
