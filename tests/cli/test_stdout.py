"""A stdout that cannot take what is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

COMMAND = [sys.executable, "-m", "sagemaker_eval", "eval", "--no-progress-bar", "-p", "Hi", "-r", "echo"]
FULL = Path("/dev/full")


@pytest.fixture
def closed_pipe() -> int:
    """The writing end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


@pytest.mark.parametrize("options", [(), ("--json",), ("--dry-run",)], ids=["table", "json", "dry run"])
def test_a_reader_that_leaves_changes_no_verdict(cli: Cli, closed_pipe: int, options: tuple[str, ...]) -> None:
    ended = subprocess.run([*COMMAND, *options], stdout=closed_pipe, stderr=subprocess.PIPE, text=True)
    os.close(closed_pipe)
    assert ended.returncode == 0
    assert "error" not in ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_a_full_disk_below_stdout_is_said_and_the_files_are_written(cli: Cli, options: tuple[str, ...]) -> None:
    with FULL.open("wb") as full:
        ended = subprocess.run([*COMMAND, "-o", "out.json", *options], stdout=full, stderr=subprocess.PIPE, text=True)
    assert ended.returncode == 3
    assert "error: cannot write to stdout: no space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(cli.rows()) == 1


def test_an_output_that_cannot_be_written_costs_neither_the_table_nor_the_other_outputs(cli: Cli) -> None:
    """Only the end of a run shows that a name leaves no room for that of the unfinished file."""
    name = "x" * 250 + ".json"
    ran = cli.eval("-p", "Hi", "-r", "echo", "-o", name, "-o", "out.json")
    assert ran.code == 3
    assert "│ Hi" in ran.out and len(cli.rows()) == 1
    assert f"error: cannot write `{name}`: file name too long" in ran.err
    assert "results written to out.json" in ran.err
