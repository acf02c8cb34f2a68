"""`sageval list`: what there is to choose from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sagemaker_eval.cli.preparing import known_names

if TYPE_CHECKING:
    from tests.cli.conftest import Cli


def test_every_assertion_type_has_a_line_of_help(cli: Cli) -> None:
    ran = cli("list", "assertions")
    assert (ran.code, ran.err) == (0, "")
    lines = {line.split()[0]: line.split(maxsplit=1)[1] for line in ran.out.splitlines() if line[:1].isalnum()}
    assert set(lines) == set(known_names().assertions)
    assert lines["contains"] == "The output contains `value`."
    assert all(len(line) <= 120 for line in ran.out.splitlines())
