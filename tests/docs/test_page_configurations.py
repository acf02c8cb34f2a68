"""The configurations that the pages show are right, together with the files that the same page shows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.config.yaml_loader import parse_yaml
from sagemaker_eval.sandbox.script import SandboxScript
from tests.docs.conftest import PAGES, ROOT, Block, blocks_of

if TYPE_CHECKING:
    from tests.docs.conftest import Cli

ASKS_A_MODEL = re.compile(r"\b(?:sagemaker|container):")
CONFIGURATIONS = [
    block
    for page in PAGES
    for block in blocks_of(page)
    if block.language == "yaml" and page.name != "assertions.md" and "endpoints:" not in block.text
]
SCRIPTS = [
    block for page in PAGES for block in blocks_of(page) if block.language == "yaml" and "endpoints:" in block.text
]


@pytest.fixture
def folder(cli: Cli) -> Path:
    """A folder with the files of an example, which some of the pages name."""
    shutil.copytree(ROOT / "examples" / "csv-tests", cli.folder / "page")
    return cli.folder / "page"


@pytest.mark.parametrize("block", CONFIGURATIONS, ids=lambda block: block.name)
def test_a_configuration_is_right(block: Block, cli: Cli, folder: Path) -> None:
    for other in blocks_of(block.page):
        if other.file is not None:
            (folder / other.file).write_text(other.text, "utf-8")
    text = block.text if "providers:" in block.text else f"{block.text}providers: [echo]\n"
    (folder / "block.yaml").write_text(text, "utf-8")
    checked = cli("validate", "-c", "page/block.yaml")
    assert checked.code == 0, checked.err
    if not ASKS_A_MODEL.search(text):
        ran = cli("eval", "-c", "page/block.yaml")
        assert ran.code == 0, ran.out


@pytest.mark.parametrize("block", SCRIPTS, ids=lambda block: block.name)
def test_a_script_of_the_sandbox_is_right(block: Block) -> None:
    SandboxScript.parse(parse_yaml(block.text, block.name), block.name)


def test_there_are_configurations_to_look_at() -> None:
    assert len(CONFIGURATIONS) >= 25
    assert SCRIPTS
