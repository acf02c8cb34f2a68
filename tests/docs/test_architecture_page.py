"""docs/architecture.md names the floors as they are, and modules that there are."""

from __future__ import annotations

import re

from tests.docs.conftest import ROOT
from tests.test_architecture import FLOORS

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGE = ROOT / "sagemaker_eval"


def test_every_unit_of_a_floor_is_named() -> None:
    units = [unit for floor in FLOORS for unit in floor if unit != "__main__"]
    assert [unit for unit in units if f"{unit}/" not in PAGE and f"{unit}.py" not in PAGE] == []


def test_modules_that_are_named_with_their_folder_exist() -> None:
    named = {match.groups() for match in re.finditer(r"`(\w+)\.(\w+)(?:\.\w+)?(?:\(.*?\).*?)?`", PAGE)}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    modules = {(folder, module) for folder, module in named if folder in folders}
    assert len(modules) > 10
    missing = [
        f"{folder}.{module}"
        for folder, module in modules
        if not (PACKAGE / folder / f"{module}.py").is_file() and not (PACKAGE / folder / module).is_dir()
    ]
    assert missing == []
