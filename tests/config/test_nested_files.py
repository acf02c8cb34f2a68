"""`file://` names inside documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from sagemaker_eval.config.nested_files import with_files
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

WHERE = Place("chat.json", pointer=(0,))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "system.txt": "  You are {{x}}.\n",
        "rows.csv": "a,b\n1,2\n3,4\n",
        "column.csv": "a\n1\n3\n",
        "deep.yaml": "k: [file://system.txt, 1e3]\n",
        "list1.json": "[1, 2]",
        "list2.json": '{"a": 3}',
        "broken.json": "[1,",
        "ragged.csv": "a,b\n1\n",
        "code.py": "print()",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("reference", "content"),
    [
        ("file://system.txt", "  You are {{x}}.\n"),
        ("file://rows.csv", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ("file://column.csv", ["1", "3"]),
        ("file://deep.yaml", {"k": ["file://system.txt", 1000]}),
        ("file://list*.json", [1, 2, {"a": 3}]),
        ("file://code.py", "print()"),
        ("no file://name", "no file://name"),
        (None, None),
    ],
)
def test_what_stands_in_place_of_a_name(folder: Path, reference: Json, content: Json) -> None:
    assert with_files([{"content": reference}], str(folder), WHERE) == [{"content": content}]


def test_variables_are_read_where_they_are_used(folder: Path) -> None:
    document = {"vars": {"x": "file://system.txt"}}

    assert with_files(document, str(folder), WHERE) == document


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("file://missing.txt", "the file of `file://missing.txt` does not exist"),
        ("file://missing/*.txt", "no file matches `file://missing/*.txt`"),
        ("file://code.py:main", "`file://code.py:main`: a function cannot be called here"),
    ],
)
def test_names_that_are_refused_where_they_stand(folder: Path, reference: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_files({"content": reference}, str(folder), WHERE)

    (problem,) = caught.value.problems
    assert (problem.message, problem.where) == (message, Place("chat.json", pointer=(0, "content")))


@pytest.mark.parametrize("name", ["broken.json", "ragged.csv"])
def test_broken_files_are_refused_at_their_own_place(folder: Path, name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_files(f"file://{name}", str(folder), WHERE)

    assert caught.value.problems[0].where is not None
    assert caught.value.problems[0].where.path.endswith(name)
