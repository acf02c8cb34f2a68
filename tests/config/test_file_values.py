from __future__ import annotations

import base64
from pathlib import Path

import pytest

from sagemaker_eval.config.file_values import MOST_BYTES, assertion_value, variable_value
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, UserCode

WHERE = Place("sageval.yaml", pointer=("tests", 0, "vars", "v"))
PNG = b"\x89PNG\r\n\x1a\n rest"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    files = {
        "a.txt": b"\xef\xbb\xbf  one\ntwo \n",
        "b.txt": b"three",
        "data.yaml": b"x: [1, yes]\n",
        "data.json": b'{"x":  1}\n',
        "rows.csv": b"a,b\n1,2\n",
        "get.py": b"",
        "get.js": b"",
        "picture.png": PNG,
        "really-a.jpg": PNG,
        "drawing.SVG": b"<svg/>",
        "sound.mp3": b"ID3",
        "film.mp4": b"ftyp",
        "paper.pdf": b"%PDF",
        "old.rb": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        (["file", 1], ["file", 1]),
        ({"nested": "file://a.txt"}, {"nested": "file://a.txt"}),
        ("file://a.txt", "one\ntwo"),
        ("file://data.yaml", '{"x":[1,"yes"]}'),
        ("file://data.json", '{"x":  1}'),
        ("file://rows.csv", "a,b\n1,2"),
        ("file://?.txt", ["one\ntwo", "three"]),
        (["x", "file://a.txt", 1], ["x", "one\ntwo", 1]),
        (["x", "file://?.txt"], ["x", "one\ntwo", "three"]),
        ("file://get.py", UserCode("file://get.py", ".")),
        ("file://get.py:other", UserCode("file://get.py:other", ".")),
        ("file://get.js", UserCode("file://get.js", ".")),
        (["file://get.js:fn", "x"], [UserCode("file://get.js:fn", "."), "x"]),
        ("file://picture.png", f"data:image/png;base64,{encoded(PNG)}"),
        ("file://really-a.jpg", f"data:image/png;base64,{encoded(PNG)}"),
        ("file://drawing.SVG", f"data:image/svg+xml;base64,{encoded(b'<svg/>')}"),
        ("file://sound.mp3", encoded(b"ID3")),
        ("file://film.mp4", encoded(b"ftyp")),
    ],
)
def test_values(value: Json, expected: Json) -> None:
    assert variable_value(value, ".", WHERE) == expected


def test_scripts_of_a_pattern_can_be_found_from_anywhere(folder: Path) -> None:
    codes = variable_value("file://get.{js,py}", ".", WHERE)
    assert [code.source for code in codes] == [f"file://{folder}/get.js", f"file://{folder}/get.py"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("file://none.txt", "the file of `file://none.txt` does not exist"),
        ("file://none.py:fn", "the file of `file://none.py` does not exist"),
        ("file://none-*", "no file matches `file://none-*`"),
        (["x", "file://none.txt"], "the file of `file://none.txt` does not exist"),
        ("file://paper.pdf", "`paper.pdf`: files that end in `.pdf` cannot be a value"),
        ("file://old.rb", "`old.rb`: files that end in `.rb` cannot be a value"),
    ],
)
def test_what_is_refused(value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        variable_value(value, ".", WHERE)
    (problem,) = caught.value.problems
    assert (problem.message, problem.where) == (message, WHERE)
    assert problem.hint


def test_a_value_has_a_size_limit(folder: Path) -> None:
    with (folder / "large.txt").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(ConfigError, match=r"`large\.txt` has 64 MiB, and a value may have 64"):
        variable_value("file://large.txt", ".", WHERE)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        ("plain", "plain"),
        ("file://a.txt", "one\ntwo"),
        ("file://data.yaml", {"x": [1, "yes"]}),
        ("file://data.json", {"x": 1}),
        ("file://get.py:check", UserCode("file://get.py:check", ".")),
        ("file://get.js", UserCode("file://get.js", ".")),
    ],
)
def test_values_of_assertions(value: Json, expected: Json) -> None:
    assert assertion_value(value, ".", WHERE) == expected


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("file://none.json", "the file of `file://none.json` does not exist"),
        ("file://none.py:check", "the file of `file://none.py` does not exist"),
        ("file://rows.csv", "`file://rows.csv`: files that end in `.csv` cannot be the value of an assertion"),
        ("file://old.rb", "`file://old.rb`: files that end in `.rb` cannot be the value of an assertion"),
    ],
)
def test_what_cannot_be_the_value_of_an_assertion(value: Json, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        assertion_value(value, ".", WHERE)
    (problem,) = caught.value.problems
    assert (problem.message, problem.where) == (message, WHERE)
    assert problem.hint
