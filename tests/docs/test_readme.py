"""What the pages show is what happens: commands run, shown output is real, YAML loads."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.cli.preparing import known_names
from sagemaker_eval.config.loading import load
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.sandbox.script import SandboxScript

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Cli

README = Path(__file__).parents[2] / "README.md"
UPDATE_GOLDEN = bool(os.environ.get("SAGEVAL_UPDATE_GOLDEN"))
"""SAGEVAL_UPDATE_GOLDEN=1 writes what is shown anew."""

NORMALISATIONS = (
    (re.compile(r"eval-\w{3}-\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d"), "eval-ID"),
    (re.compile(r"\d[\d.,]* (?:ms|s|min)\b"), "TIME"),
    (re.compile(r"^─+$", re.MULTILINE), "─"),
    (re.compile(r" {2,}"), "  "),
)


def normalised(text: str) -> str:
    """`text` without what differs from run to run: ids, times, and the widths that follow from them."""
    for pattern, replacement in NORMALISATIONS:
        text = pattern.sub(replacement, text)
    return text.strip()


def commands_of(text: str) -> list[list[str]]:
    """The arguments of each `sageval eval` among the lines of a shell block."""
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:2] == ["sageval", "eval"]]


def test_commands_of_every_page_run_on_the_sandbox(cli: Cli, page_blocks: list[Block]) -> None:
    commands = {
        tuple(command): block.name
        for block in page_blocks
        if block.language == "sh"
        for command in commands_of(block.text)
    }
    assert len(commands) >= 8
    for command, name in commands.items():
        ran = cli(*command)
        expected = 1 if "--filter-range" in command else 0
        assert (name, ran.code) == (name, expected), ran.err
        assert "ERROR" not in ran.out


def test_output_shown_in_the_readme_is_that_of_the_command_above_it(cli: Cli, page_blocks: list[Block]) -> None:
    shown = [
        (commands_of(block.text), following.text)
        for block, following in pairwise(page_blocks)
        if block.page.name == "README.md" and block.language == "sh" and following.language == "text"
    ]
    assert len(shown) == 2
    for commands, output in shown:
        (command,) = commands
        real = cli(*command).out
        if UPDATE_GOLDEN:
            README.write_text(README.read_text("utf-8").replace(output, real), "utf-8")
            output = real
        assert normalised(real) == normalised(output)


def test_yaml_of_every_page_loads(tmp_path: Path, page_blocks: list[Block]) -> None:
    shutil.copytree(Path("examples/csv-tests"), tmp_path / "csv-tests")
    blocks = [block for block in page_blocks if block.language == "yaml"]
    assert len(blocks) >= 6
    for block in blocks:
        document = parse_yaml(block.text, block.name)
        if "endpoints" in document:
            SandboxScript.parse(document, block.name)
            continue
        path = tmp_path / "csv-tests" / "block.yaml"
        path.write_text(block.text if "providers" in document else block.text + "providers: [echo]\n", "utf-8")
        suite = load([str(path)], Overrides(), {}, known_names(), pytest.fail)
        assert len(list(suite.tests)) >= 1


def test_message_about_a_path_that_finds_nothing_is_the_real_one(cli: Cli) -> None:
    config = Path("configs/jsonpath-response.yaml").read_text("utf-8").replace("nested.responseField", "nested.text")
    (cli.folder / "wrong-path.yaml").write_text(config, "utf-8")
    cli("eval", "-c", "wrong-path.yaml", "--sandbox-script", "configs/sandbox.yaml", "-o", "out.json")
    row = cli.rows("out.json")[0]
    page = (Path("configs").resolve().parent / "docs" / "sagemaker.md").read_text("utf-8")
    assert f"{row['error']}\nhint: {row['hint']}\n" in page
