"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "sagemaker_eval"
FLOORS = [
    ["model", "registry"],
    ["errors"],
    ["events"],
    ["text"],
    ["config"],
    ["sagemaker", "formats"],
    ["calling"],
    ["sandbox", "providers", "assertions"],
    ["plugin"],
    ["running"],
    ["reporting"],
    ["cli"],
    ["__main__"],
]
HEIGHT = {unit: height for height, units in enumerate(FLOORS) for unit in units}
MODULES = sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_units(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module == "sagemaker_eval":
            names += [f"sagemaker_eval.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("sagemaker_eval.")}
    return found & set(HEIGHT)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_the_floors_only(path: Path) -> None:
    unit = unit_of(path)
    if unit == "__init__":
        return
    above = {name for name in imported_units(path) if name != unit and HEIGHT[name] >= HEIGHT[unit]}
    assert not above, f"{path.name} reaches up to {above}"


def test_every_module_belongs_to_a_floor() -> None:
    assert {unit_of(path) for path in MODULES} <= {*HEIGHT, "__init__"}


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path) for path in MODULES if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]
    assert silent == []


HEAVY = ("boto3", "botocore", "aiohttp", "pydantic", "jinja2", "jsonschema", "jsonpath_ng", "tenacity", "yaml")


def modules_loaded_by(*arguments: str) -> set[str]:
    """The modules of a fresh interpreter after `sageval` ran with these arguments."""
    script = (
        "import sys\n"
        "from sagemaker_eval.__main__ import main\n"
        f"sys.argv = ['sageval', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\n'.join(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(run.stderr.split())


def test_the_version_is_answered_without_loading_any_library() -> None:
    loaded = modules_loaded_by("--version")
    assert not loaded & {*HEAVY, "typer", "rich"}


def test_help_does_not_load_what_only_a_run_needs() -> None:
    loaded = modules_loaded_by("--help")
    assert not loaded & (set(HEAVY) - {"pydantic"})
