"""What the summary and the document say of providers as a whole."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_a_provider_without_columns_takes_no_line_of_the_summary(cli: Cli) -> None:
    cli.write(
        "sageval.yaml", "prompts: [hi, ho]\nproviders: [{id: echo, label: a}, {id: echo, label: b, prompts: []}]\n"
    )
    ran = cli.eval("--no-write")
    assert ran.code == 0
    lines = [line.split()[0] for line in ran.out.splitlines() if line.strip()]
    assert "a" in lines and "a," not in lines


def test_what_providers_cost_is_added_up(cli: Cli) -> None:
    cli.write("paid.py", "def call_api(prompt, options, context):\n    return {'output': prompt, 'cost': 0.25}\n")
    cli.write("sageval.yaml", "prompts: [hi, ho]\nproviders: ['file://paid.py']\n")
    ran = cli.eval("--no-write", "-o", "out.json")
    assert "$0.50" in ran.out
    prompts = json.loads((cli.folder / "out.json").read_text("utf-8"))["results"]["prompts"]
    assert [prompt["metrics"]["cost"] for prompt in prompts] == [0.25, 0.25]
