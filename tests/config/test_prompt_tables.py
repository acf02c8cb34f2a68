"""Prompts out of CSV: tables, single columns and plain lines."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.config.prompt_tables import TablePrompt, labels, read_table
from sagemaker_eval.errors import ConfigError


def texts(table: str, delimiter: str = ",") -> list[str]:
    return [prompt.raw for prompt in read_table(table, "p.csv", delimiter)]


def refused(table: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read_table(table, "p.csv", ",")
    (problem,) = caught.value.problems
    assert problem.hint
    return str(problem)


def test_columns_are_found_by_name_wherever_they_stand() -> None:
    assert read_table("other,Label , PROMPT\n1,greeting,Hello\n2,,Bye\n", "p.csv", ",") == [
        TablePrompt("Hello", 2, "greeting"),
        TablePrompt("Bye", 3),
    ]


def test_quoted_values_keep_their_spaces_quotes_and_lines() -> None:
    table = 'prompt,label\n" Say ""hi"", please " ,a\n  Bye  ,b\n"two\nlines",c\n'

    assert texts(table) == [' Say "hi", please ', "Bye", "two\nlines"]


def test_rows_without_a_prompt_and_blank_lines_do_not_count() -> None:
    assert texts("prompt,label\n\nA,a\n,empty\n  \nB,b") == ["A", "B"]


def test_tabs_can_delimit() -> None:
    assert texts("prompt\tlabel\nHello, you\tgreeting\n", "\t") == ["Hello, you"]


@pytest.mark.parametrize("header", ["prompt\n", "Prompt\r\n", ""])
def test_lines_are_prompts_as_they_stand(header: str) -> None:
    assert texts(f"{header}One {{{{x}}}}\n\n  Two  \n") == ["One {{x}}", "  Two  "]


def test_lines_may_contain_the_delimiter_where_prompt_is_the_only_column() -> None:
    assert texts('prompt\nHello, {{x}}\n"Hi" she said\n') == ["Hello, {{x}}", '"Hi" she said']
    assert texts("Hello, {{x}}\nHi\n") == ["Hello, {{x}}", "Hi"]


def test_a_single_column_may_be_quoted() -> None:
    assert texts('prompt\n"Hello\nthere"\n" Bye"\n') == ["Hello\nthere", " Bye"]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("prompt,label\nA,a\nB\n", "p.csv:3: the row has 1 column, the header has 2"),
        ('prompt,label\n"a" b,c\n', "p.csv:2: the double quotes of this row cannot be read"),
        ('prompt,label\nx,y\n"never closed,c\n', "p.csv:3: the double quotes of this row cannot be read"),
        ("text,label\nA,a\n", "p.csv:1: the file has no column `prompt`; its columns are `text`, `label`"),
        ("promt,note\nA\n", "p.csv:1: the file has no column `prompt`; its columns are `promt`, `note`"),
        ("\nquestion,answer\na,b\n", "p.csv:2: the file has no column `prompt`; its columns are `question`, `answer`"),
    ],
)
def test_tables_that_are_refused(table: str, message: str) -> None:
    assert refused(table) == message


def test_labels_come_from_the_column_the_file_or_the_text() -> None:
    table = [TablePrompt("A", 2, "a"), TablePrompt("B", 3)]

    assert labels(table, None) == ["a", "Prompt 2 - B"]
    assert labels(table, "mine") == ["a", "mine: B"]
    assert labels(table[1:], "mine") == ["mine"]


def test_a_label_that_means_another_text_already_gets_the_number_of_its_row() -> None:
    table = [TablePrompt("A", 2, "x"), TablePrompt("B", 3, "x"), TablePrompt("A", 4, "x"), TablePrompt("x", 5)]

    assert labels(table[:3], None) == ["x", "x (row 2)", "x"]
    assert labels([TablePrompt("A", 2, "mine: C"), TablePrompt("C", 3)], "mine") == ["mine: C", "mine: C (row 2)"]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1), min_size=1))
def test_what_the_csv_module_writes_is_read_back(prompts: list[str]) -> None:
    written = io.StringIO()
    writer = csv.writer(written, quoting=csv.QUOTE_ALL)
    writer.writerows([["prompt", "note"], *([prompt, "-"] for prompt in prompts)])

    assert texts(written.getvalue()) == prompts


@given(st.text(st.sampled_from('ab",;\n\r prompt')))
def test_any_text_is_read_or_refused(table: str) -> None:
    try:
        found = texts(f"prompt,label\n{table}")
    except ConfigError:
        return
    assert all(found)
