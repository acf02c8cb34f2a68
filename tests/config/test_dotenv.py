from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.dotenv import read_env_file
from sagemaker_eval.errors import ConfigError


def read(folder: Path, content: str) -> dict[str, str]:
    path = folder / ".env"
    path.write_bytes(content.encode())
    return read_env_file(str(path))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  A =  b c  ", "b c"),
        ("export A=b", "b"),
        ("A: b", "b"),
        ("A=", ""),
        ("A= # nothing", ""),
        ("A=b # comment", "b"),
        ("A=b#c", "b#c"),
        ("A=b=c", "b=c"),
        ("A=it's", "it's"),
        ("A='b # c'", "b # c"),
        ("A='b' # comment", "b"),
        (r"A='it\'s \\ \n'", r"it's \ \n"),
        (r'A="a\tb\nc\"d\\e\$f"', 'a\tb\nc"d\\e$f'),
        (r'A="C:\dir"', r"C:\dir"),
        ("A=$HOME", "$HOME"),
        ('A="one\ntwo"', "one\ntwo"),
        ("A='one\r\ntwo'", "one\ntwo"),
        ("A=first\nA=last", "last"),
        ("\ufeffA=b", "b"),
        ("A=é", "é"),
    ],
)
def test_values(tmp_path: Path, line: str, value: str) -> None:
    assert read(tmp_path, line) == {"A": value}


def test_a_whole_file(tmp_path: Path) -> None:
    content = "# comment\n\nA=1\r\n   # another\nB='two\n\nlines' # end\n\nC_d.e=3"
    assert read(tmp_path, content) == {"A": "1", "B": "two\n\nlines", "C_d.e": "3"}


@pytest.mark.parametrize("content", ["", "\n\n", "  \n# only\n"])
def test_a_file_without_variables(tmp_path: Path, content: str) -> None:
    assert read(tmp_path, content) == {}


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        ("A=1\njunk\n", 2, "neither `NAME=value` nor a comment"),
        ("=1\n", 1, "neither"),
        ("1A=1\n", 1, "neither"),
        ("A='x\ny'\nB='open\n", 3, "never closed"),
        ('A="open\\"\n', 1, "never closed"),
        ("A='b'c\n", 1, "text follows the closing quote of `A`"),
        ("A=b\0c\n", 1, "a NUL character"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, content)
    (problem,) = caught.value.problems
    assert words in problem.message
    assert problem.where is not None
    assert problem.where.line == line


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_any_text_can_be_quoted(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("env")
    double = text.replace("\\", "\\\\").replace('"', '\\"')
    single = text.replace("\\", "\\\\").replace("'", "\\'")
    assert read(folder, f"A=\"{double}\"\nB='{single}'\n") == {"A": text, "B": text}
