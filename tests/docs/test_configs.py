"""Every file of `configs/` runs on the sandbox, with the provider blocks that users know, letter for letter."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.docs.conftest import Cli

ROOT = Path(__file__).parents[2]
BLOCKS = Path(__file__).parent / "provider_blocks"
SCRIPT = ROOT / "configs" / "sandbox.yaml"
CONFIGS = sorted(path for path in (ROOT / "configs").glob("*.yaml") if path != SCRIPT)

by_name = pytest.mark.parametrize("config", CONFIGS, ids=lambda path: path.stem)


def test_each_example_of_the_provider_has_a_file() -> None:
    assert {path.name for path in CONFIGS} == {path.name for path in BLOCKS.glob("*.yaml")}


@by_name
def test_provider_block_is_unmodified(config: Path) -> None:
    literal = (BLOCKS / config.name).read_text("utf-8")
    text = config.read_text("utf-8")
    assert literal in text
    assert yaml.safe_load(text)["providers"] == yaml.safe_load(literal)["providers"]


@by_name
def test_file_begins_with_what_it_shows_what_to_edit_and_how_to_run_it(config: Path) -> None:
    shows, edit, try_it = config.read_text("utf-8").splitlines()[:3]
    assert shows.startswith("# ")
    assert edit.startswith("# Edit: ")
    assert try_it.startswith(f"# Try:  sageval eval -c configs/{config.name} --sandbox")


@by_name
def test_config_runs_on_the_sandbox_as_its_comment_says(config: Path, cli: Cli) -> None:
    command = config.read_text("utf-8").splitlines()[2].partition("sageval ")[2].split()
    ran = cli(*command, "--filter-first-n", "1", "-o", "out.json")
    assert ran.code == 0, ran.err
    rows = cli.rows("out.json")
    assert rows
    assert {row["outcome"] for row in rows} == {"passed"}


def test_column_of_an_embedding_endpoint_is_its_vector(cli: Cli) -> None:
    cli("eval", "-c", "configs/embeddings.yaml", "--sandbox", "-o", "out.json")
    (row,) = cli.rows("out.json")
    assert all(isinstance(element, float) for element in row["response"]["output"])


def test_path_leads_into_the_answer_of_a_custom_endpoint(cli: Cli) -> None:
    cli("eval", "-c", "configs/jsonpath-response.yaml", "--sandbox-script", "configs/sandbox.yaml", "-o", "out.json")
    assert [row["response"]["output"] for row in cli.rows("out.json")] == [
        "An endpoint is a model behind an address that you can call.",
        "A cold start costs the first caller a few minutes.",
    ]


def test_second_run_of_the_caching_example_is_all_cached(cli: Cli) -> None:
    for _ in range(2):
        cli("eval", "-c", "configs/caching.yaml", "--sandbox", "-o", "out.json")
    assert [row["response"]["cached"] for row in cli.rows("out.json")] == [True, True]
