"""What the pages show is what happens: commands run, shown output and messages are real."""

from __future__ import annotations

import os
import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.docs.conftest import Block, Cli

DOCS = Path(__file__).parents[2] / "docs"
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
    """The arguments of each `sageval eval` and `sageval validate` among the lines of a shell block."""
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    return [words[1:] for words in lines if words[:1] == ["sageval"] and words[1] in ("eval", "validate")]


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


def test_output_that_is_shown_is_that_of_the_command_above_it(cli: Cli, page_blocks: list[Block]) -> None:
    shown = [
        (commands, following)
        for block, following in pairwise(page_blocks)
        if block.page == following.page and block.language == "sh" and following.language == "text"
        if (commands := commands_of(block.text))
    ]
    assert [block.page.name for _, block in shown] == ["README.md", "README.md", "commands.md"]
    for commands, block in shown:
        (command,) = commands
        output, real = block.text, cli(*command).out
        if UPDATE_GOLDEN:
            block.page.write_text(block.page.read_text("utf-8").replace(output, real), "utf-8")
            output = real
        assert normalised(real) == normalised(output)


def test_message_about_a_path_that_finds_nothing_is_the_real_one(cli: Cli) -> None:
    config = Path("configs/jsonpath-response.yaml").read_text("utf-8").replace("nested.responseField", "nested.text")
    (cli.folder / "wrong-path.yaml").write_text(config, "utf-8")
    cli("eval", "-c", "wrong-path.yaml", "--sandbox-script", "configs/sandbox.yaml", "-o", "out.json")
    row = cli.rows("out.json")[0]
    assert f"{row['error']}\nhint: {row['hint']}\n" in (DOCS / "sagemaker.md").read_text("utf-8")


WRONG = """\
providers: [echo]
tests:
  - asert: [{type: contains, value: x}]
  - vars: {assert: [{type: contains, value: x}]}
"""


def test_messages_about_wrong_keys_are_the_real_ones(cli: Cli) -> None:
    (cli.folder / "sageval.yaml").write_text(WRONG, "utf-8")
    ran = cli("validate")
    assert ran.code == 2
    assert f"```text\n{ran.err}```" in (DOCS / "configuration.md").read_text("utf-8")


def test_message_about_a_container_that_is_not_there_is_the_real_one(cli: Cli) -> None:
    ran = cli("eval", "-r", "container:http://127.0.0.1:9", "-p", "Hello there", "--no-progress-bar")
    assert ran.code == 2
    told = ran.err[ran.err.index("error:") :].splitlines(keepends=True)[:2]
    assert f"```text\n{''.join(told)}```" in (DOCS / "providers.md").read_text("utf-8")
