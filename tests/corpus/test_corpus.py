"""Whole configurations beside what promptfoo 0.123.1 made of them: `README.md` says what is in a folder.

Compared are the cells that exist, and of each the column, the rendered prompt, the outcome, the scores and the output.
JSON is compared as compact text, whatever its layout. Of a cell that errored only that it did is compared: promptfoo
leaves its prompt or its output out, depending on where the error came from.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.cli.app import run

CORPUS = Path(__file__).parent
ENTRIES = sorted(path.name for path in CORPUS.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))
FIELDS = ("provider", "prompt", "output", "success", "score", "failureReason", "namedScores")
FIELDS_OF_ERRORS = ("provider", "success", "score", "failureReason")
ERRORED = 2
ENDED = (0, 1, 3)
NOT_STARTED = 2
SCORES_AGREE_WITHIN = 0.002
REFUSALS = {
    "empty_tests": "there are no tests",
    "prompts_missing_file": "`file://nowhere.txt` does not exist",
    "prompts_unknown_reference": "medium",
    "providers_unknown_reference": "parakeet",
    "ref_other_file": "outside this file, is not supported",
    "template_errors": "unknown filter `sparkle`",
    "tests_csv_dropped_numbers": "`contains` has no threshold",
    "tests_csv_ragged": "tests.csv:3",
    "tests_csv_threshold_text": "`__threshold`",
    "tests_csv_unknown_types": "`Contains`",
    "unknown_assertion": "`sounds-like`",
    "unknown_key": "`asserts`",
    "vars_file_missing": "`file://lost.txt` does not exist",
    "yaml_duplicate_key": "`vars` stands twice",
}

_FOREIGN = re.compile(r"(?:AWS|SAGEVAL|PROMPTFOO)_|(?:https?|all|no)_proxy$|(?:DEBUG|NO_COLOR|FORCE_COLOR)$", re.I)
_TABLE_ROW = re.compile(r"^\| ([^|]+) \| ((?:`\w+` ?)+) ?\|$", re.M)

Cell = dict[str, Any]
Cells = dict[str, Cell]  # by "testIdx/promptIdx"


@pytest.fixture(autouse=True)
def _own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests is seen."""
    for name in [name for name in os.environ if _FOREIGN.match(name)]:
        monkeypatch.delenv(name)
    settings = {
        "HOME": str(tmp_path / "home"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "SAGEVAL_CACHE_PATH": str(tmp_path / "cache"),
        "SAGEVAL_RUNS_PATH": str(tmp_path / "runs"),
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()


@pytest.mark.parametrize("name", ENTRIES)
def test_the_cells_are_promptfoos(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = _run_entry(name, tmp_path / "work", monkeypatch)
    theirs = _with_differences(_promptfoos(name), _differences(name))
    said = capsys.readouterr().err
    if theirs is None:
        assert ours is None, f"it is to be refused, and sageval runs it: {ours}"
        assert REFUSALS[name] in said
        return
    assert ours is not None, f"sageval refuses what promptfoo runs:\n{said}"
    disagreements = _disagreements(theirs, ours)
    assert not disagreements, "\n".join(disagreements)


@pytest.mark.parametrize("name", [name for name in ENTRIES if (CORPUS / name / "differences.json").exists()])
def test_each_difference_is_one_and_has_its_reason(name: str) -> None:
    promptfoos, differences = _promptfoos(name), _differences(name)
    assert differences.keys() in ({"cells"}, {"run"})
    if "run" in differences:
        assert differences["run"]["why"]
        assert (promptfoos is None) is ("cells" in differences["run"])
        return
    assert promptfoos is not None
    for place, ours in differences["cells"].items():
        changed = {field: value for field, value in ours.items() if field != "why"}
        assert ours["why"]
        assert changed
        assert all(promptfoos[place].get(field) != value for field, value in changed.items())


def test_the_corpus_covers_what_its_table_says() -> None:
    table = (CORPUS / "README.md").read_text("utf-8").partition("## What is covered")[2]
    named = {section: re.findall(r"`(\w+)`", entries) for section, entries in _TABLE_ROW.findall(table)}
    assert len(named) > 40
    assert {name for names in named.values() for name in names} == set(ENTRIES)
    assert {section: names for section, names in named.items() if len(names) < 2} == {}


def _run_entry(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Cells | None:
    """The cells that sageval makes of a copy of the entry; None where it refuses to start."""
    shutil.copytree(CORPUS / name, folder)
    monkeypatch.chdir(folder)
    path = folder / "arguments.json"
    given: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for variable, value in given.get("environment", {}).items():
        monkeypatch.setenv(variable, value)
    arguments = given.get("arguments", ["-c", "promptfooconfig.yaml"])
    code = run(["eval", *arguments, "--no-cache", "--no-progress-bar", "--no-table", "-o", "out.json"])
    if code == NOT_STARTED:
        return None
    assert code in ENDED, f"sageval ended with code {code}"
    rows = json.loads(Path("out.json").read_text("utf-8"))["results"]["results"]
    return _by_place(_of_document(row) for row in rows)


def _of_document(row: dict[str, Any]) -> Cell:
    return {
        "testIdx": row["testIdx"],
        "promptIdx": row["promptIdx"],
        "provider": row["provider"].get("label") or row["provider"]["id"],
        "prompt": row["prompt"]["raw"],
        "output": (row.get("response") or {}).get("output"),
        **{field: row[field] for field in ("success", "score", "failureReason", "namedScores")},
    }


def _promptfoos(name: str) -> Cells | None:
    """What promptfoo made of the entry; None where it refused."""
    expected = json.loads((CORPUS / name / "expected.json").read_text("utf-8"))
    return None if expected.get("refused") else _by_place(expected["cells"])


def _differences(name: str) -> dict[str, Any]:
    path = CORPUS / name / "differences.json"
    differences: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return differences


def _by_place(cells: Iterable[Cell]) -> Cells:
    return {f"{cell['testIdx']}/{cell['promptIdx']}": cell for cell in cells}


def _with_differences(promptfoos: Cells | None, differences: dict[str, Any]) -> Cells | None:
    """What is to be expected of sageval: promptfoo's cells, but where we deliberately do otherwise."""
    if "run" in differences:
        return None if differences["run"].get("refused") else _by_place(differences["run"]["cells"])
    if promptfoos is None:
        return None
    changed = {place: cell | differences.get("cells", {}).get(place, {}) for place, cell in promptfoos.items()}
    return {place: cell for place, cell in changed.items() if not cell.get("absent")}


def _disagreements(theirs: Cells, ours: Cells) -> list[str]:
    found = [f"{place}: a cell of promptfoo's alone" for place in theirs.keys() - ours.keys()]
    found += [f"{place}: a cell of sageval's alone" for place in ours.keys() - theirs.keys()]
    for place in theirs.keys() & ours.keys():
        expected, actual = theirs[place], ours[place]
        fields = FIELDS_OF_ERRORS if expected["failureReason"] == ERRORED else FIELDS
        found += [
            f"{place} {field}: promptfoo has {expected[field]!r}, sageval {actual[field]!r}"
            for field in fields
            if not _agree(field, expected[field], actual[field])
        ]
    return sorted(found)


def _agree(field: str, theirs: Any, ours: Any) -> bool:
    if field in ("score", "namedScores"):
        return bool(ours == pytest.approx(theirs, abs=SCORES_AGREE_WITHIN))
    return bool(_compact(ours) == _compact(theirs))


def _compact(value: Any) -> Any:
    """`value` with each text in it that is a JSON object or list without its layout, as promptfoo exports them."""
    if isinstance(value, dict):
        return {key: _compact(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_compact(each) for each in value]
    try:
        decoded = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return value
    if not isinstance(decoded, dict | list):
        return value
    return json.dumps(_compact(decoded), separators=(",", ":"), ensure_ascii=False)
