"""Every difference from promptfoo that docs/differences.md tells of is pinned by a test that exists."""

from __future__ import annotations

import ast
import json
import re

import pytest

from tests.docs.conftest import ROOT

PAGE = (ROOT / "docs" / "differences.md").read_text("utf-8")
TESTS = ROOT / "tests"
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| sageval |")]
PIN = re.compile(r"<!-- (\S+) -->")


def functions_of(file: str) -> set[str]:
    """The test functions of a file below `tests/`."""
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_difference_has_a_reason_and_the_test_that_pins_it(row: str) -> None:
    cells = [cell.strip() for cell in row.strip("|").split(" | ")]
    assert [bool(PIN.sub("", cell).strip()) for cell in cells] == [True] * 3
    (pin,) = PIN.findall(row)
    file, _, function = pin.partition("::")
    if file.startswith("corpus/"):
        assert (TESTS / file / "differences.json").exists()
    else:
        assert function in functions_of(file)


def test_every_reason_of_the_corpus_is_on_the_page() -> None:
    """By number: what the corpus finds different and the page does not name would be an oversight."""
    reasons = {
        path.parent.name: json.loads(path.read_text("utf-8")) for path in TESTS.glob("corpus/*/differences.json")
    }
    pinned = {pin.removeprefix("corpus/") for pin in PIN.findall(PAGE) if pin.startswith("corpus/")}
    assert pinned | SAME_AS_ANOTHER.keys() == set(reasons)
    assert set(SAME_AS_ANOTHER.values()) <= pinned


SAME_AS_ANOTHER = {
    "template_concatenation_null": "template_concatenation",
    "template_errors": "unknown_assertion",
    "template_json_leaves": "vars_object_printed",
    "tests_csv_dropped_numbers": "tests_csv_threshold_text",
    "yaml_scalars": "yaml_dates",
}
"""Entries of the corpus that differ for the reason of another one."""
