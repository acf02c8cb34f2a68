from __future__ import annotations

import io
from pathlib import Path

import pytest

from sagemaker_eval.config.external_tests import TestFiles, files_read
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

HERE = Place("tests.yaml")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "asserts.yaml").write_text("- type: contains\n  value: file://kept.txt\n")
    (tmp_path / "text.md").write_text(" text \n")
    (tmp_path / "names.csv").write_text("name\nAda\nAlan\n")
    (tmp_path / "more-1.json").write_text('{"vars": {"n": 2}}')
    (tmp_path / "more-2.json").write_text('[{"vars": {"n": 3}}, {"vars": {"n": 4}}]')
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_names_become_content_once(folder: Path) -> None:
    written = {
        "assert": "file://asserts.yaml",
        "metadata": {"note": "file://text.md", "names": ["file://names.csv"]},
        "vars": {"text": "file://text.md"},
        "provider": "file://provider.yaml",
        "options": {"transform": "file://transform.js", "transformVars": "file://vars.py:make"},
    }
    assert files_read(written, str(folder), HERE) == {
        **written,
        "assert": [{"type": "contains", "value": "file://kept.txt"}],
        "metadata": {"note": "text", "names": [["Ada", "Alan"]]},
    }


def test_a_missing_file_is_an_error_at_its_place(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        files_read({"metadata": {"a": ["x", "file://none.txt"]}}, str(folder), HERE)
    assert caught.value.problems[0].where == Place("tests.yaml", pointer=("metadata", "a", 1))


def test_an_entry_that_is_a_name_becomes_the_tests_of_its_files(folder: Path) -> None:
    Path("tests.yaml").write_text("- vars: {n: 1}\n- file://more-*.json\n- file://more-1.json\n")
    read = list(TestFiles(str(folder)).listed("tests.yaml"))
    assert [entry["vars"]["n"] for _, entry in read] == [1, 2, 3, 4, 2]
    assert [place.pointer for place, _ in read] == [(0,), (1,), (1,), (1,), (2,)]


def test_lines_have_files_too(folder: Path) -> None:
    lines = io.StringIO('{"vars": {"n": 1}}\n{"assert": "file://asserts.yaml"}\n')
    read = list(TestFiles(str(folder)).lines(lines, "t.jsonl"))
    assert read[1].raw == {"assert": [{"type": "contains", "value": "file://kept.txt"}]}


def test_local_references_are_expanded(folder: Path) -> None:
    Path("tests.yaml").write_text("- &a {vars: {n: 1}}\n- $ref: '#/0'\n")
    assert [entry for _, entry in TestFiles(str(folder)).listed("tests.yaml")] == [{"vars": {"n": 1}}] * 2
