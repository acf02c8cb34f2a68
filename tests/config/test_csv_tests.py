from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.csv_tests import csv_delimiter, read_csv
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError

CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def read(text: str, delimiter: str = ",") -> list[tuple[int, Mapping[str, Any]]]:
    rows = read_csv(io.StringIO(text, newline=""), "f.csv", TableOptions(delimiter))
    return [(entry.line, entry.raw) for entry in rows]


def test_rows_become_entries() -> None:
    assert read("question, answer \nWhat?,42\n'a', b \n") == [
        (2, {"vars": {"question": "What?", "answer": "42"}, "description": "Row #1"}),
        (3, {"vars": {"question": "'a'", "answer": " b "}, "description": "Row #2"}),
    ]


def test_lines_are_those_of_the_file() -> None:
    text = 'a,b\r\n"one\ntwo",x\r\n\r\n"say ""hi"", you",\r\n  \r\n1,2'
    assert [(line, entry["vars"]) for line, entry in read(text)] == [
        (2, {"a": "one\ntwo", "b": "x"}),
        (5, {"a": 'say "hi", you', "b": ""}),
        (7, {"a": "1", "b": "2"}),
    ]


def test_a_single_column_may_hold_empty_values() -> None:
    assert [entry["vars"] for _, entry in read('a\n""\n\nx\n')] == [{"a": ""}, {"a": "x"}]


def test_a_header_alone_is_no_tests() -> None:
    assert read("a,b\n") == []


def test_other_delimiters() -> None:
    assert read("a;b\n1,5;2\n", ";")[0][1]["vars"] == {"a": "1,5", "b": "2"}


def test_values_may_be_longer_than_the_csv_module_expects() -> None:
    assert read(f"a\n{'x' * 200_000}\n")[0][1]["vars"]["a"] == "x" * 200_000


@given(st.lists(st.lists(CELL, min_size=2, max_size=2)))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["a", "b"], *rows])
    assert [list(entry["vars"].values()) for _, entry in read(text.getvalue())] == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.csv:1: the file has no header row"),
        ("a,b\n1,2\n3\n", "f.csv:3: the row has 1 column, the header has 2"),
        ("a,b\n\n1,2,3\n", "f.csv:3: the row has 3 columns, the header has 2"),
        ('a,b\n1,2\n3,"x\n4,5\n', "f.csv:3: a double quote of the row that begins here is never closed"),
        ('a,b\n"x"y,2\n', "f.csv:2: text follows a closing quote in the row that begins here"),
        ("a,,b,\n", "f.csv:1: column 2, 4 has no name"),
        ("\na, b,a\n", "f.csv:2: column `a` more than once"),
        ("a,b,a,c,b\n", "f.csv:1: columns `a`, `b` more than once"),
        (
            "a;__expected\n1;x\n",
            "f.csv:1: the header is a single column with `;` in its name, and the delimiter is `,`",
        ),
        (
            "a\tb\n1\t2\n",
            "f.csv:1: the header is a single column with `\\t` in its name, and the delimiter is `,`",
        ),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)
    assert str(caught.value) == message


def test_rows_before_a_broken_one_are_read() -> None:
    rows = read_csv(io.StringIO("a,b\n1,2\n3\n"), "f.csv")
    assert next(rows).raw["vars"] == {"a": "1", "b": "2"}
    with pytest.raises(ConfigError):
        next(rows)


def test_delimiters_are_single_characters() -> None:
    assert [csv_delimiter(text) for text in (",", ";", "\t", "\\t", "|")] == [",", ";", "\t", "\t", "|"]
    for text in ("", ";;", '"', "\n"):
        with pytest.raises(ConfigError, match="cannot delimit"):
            csv_delimiter(text)
