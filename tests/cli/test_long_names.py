"""A name that is longer than a file system takes is a file that does not exist, wherever it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

LONG = "a" * 300


@pytest.mark.parametrize(
    "config",
    [
        f"prompts: [file://{LONG}.txt]",
        f"prompts: [file://{LONG}/b.txt]",
        f"defaultTest: file://{LONG}.yaml",
        f"tests: file://{LONG}.yaml",
        f"tests: [{{assert: [{{type: contains, value: 'file://{LONG}.txt'}}]}}]",
        f"tests: [{{vars: {{a: 'file://{LONG}.txt'}}}}]",
        f"commandLineOptions: {{filterFailing: {LONG}.json}}",
        f"commandLineOptions: {{filterFailing: {LONG}.jsonl}}",
    ],
)
def test_it_is_refused(cli: Cli, config: str) -> None:
    prompts = "" if config.startswith("prompts") else "prompts: [Hi]\n"
    cli.write("sageval.yaml", f"providers: [echo]\n{prompts}{config}\n")
    ran = cli.eval()
    assert ran.code == 2
    assert LONG in ran.err


def test_a_long_text_that_ends_in_a_slash_is_a_text(cli: Cli) -> None:
    cli.write("sageval.yaml", f"providers: [echo]\nprompts: [{LONG}/]\n")
    assert cli.eval().code == 0
