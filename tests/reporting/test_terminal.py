from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

from sagemaker_eval.reporting.terminal import cut, marks_for, one_line, print_indented, visible

NewPaper = Callable[..., Any]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("bell\x07 nul\x00 del\x7f", "bell␇ nul␀ del␡"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("tab\there", "tab    here"),
        ("\x9b31m", "\ufffd31m"),
        ("\u202eevil\u2066", "\ufffdevil\ufffd"),
        ("half \ud83d", "half \ufffd"),
        ("[bold]你好[/bold] 😀 é", "[bold]你好[/bold] 😀 é"),
    ],
)
def test_control_characters_are_made_visible(raw: str, shown: str, new_paper: NewPaper) -> None:
    assert visible(raw, new_paper().console) == shown


@given(st.text(alphabet=st.characters()))
def test_nothing_that_steers_a_terminal_is_left(text: str) -> None:
    shown = visible(text, Console(file=None))
    assert all(character == "\n" or not 0xD800 <= ord(character) < 0xE000 for character in shown)
    assert not {chr(code) for code in [*range(10), *range(11, 32), *range(127, 160)]} & set(shown)


def test_what_the_encoding_cannot_carry_becomes_a_question_mark(new_paper: NewPaper) -> None:
    console = new_paper(encoding="latin-1").console
    assert visible("café ☕", console) == "café ?"
    assert marks_for(console).ellipsis == "..."


def test_a_cut_text_says_so(new_paper: NewPaper) -> None:
    console = new_paper().console
    assert cut("12345", 5, console) == "12345"
    assert cut("123456", 5, console) == "12345…"
    assert cut("123456", 5, new_paper(encoding="ascii").console) == "12345..."


def test_one_line_folds_white_space(new_paper: NewPaper) -> None:
    assert one_line("a\n\n b\tc", 10, new_paper().console) == "a b c"


def test_piped_output_is_120_columns_wide_unless_columns_is_set(new_paper: NewPaper) -> None:
    assert new_paper(environ={"COLUMNS": ""}).console.width == 120
    assert new_paper(environ={"COLUMNS": "0"}).console.width == 120
    assert new_paper(environ={"COLUMNS": "77"}).console.width == 77


@pytest.mark.parametrize(
    ("terminal", "environ", "coloured"),
    [(False, {}, False), (True, {"NO_COLOR": "1"}, False), (False, {"FORCE_COLOR": "1"}, False), (True, {}, True)],
)
def test_colour_only_at_a_terminal_and_never_with_no_color(
    terminal: bool, environ: dict[str, str], coloured: bool, new_paper: NewPaper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    paper = new_paper(terminal=terminal, environ=environ)
    paper.console.print(Text("red", style="bold red"))
    assert ("\x1b" in paper.text) is coloured


def test_a_wrapped_text_keeps_its_indent(new_paper: NewPaper) -> None:
    paper = new_paper(width=24)
    print_indented(paper.console, Text("one two three four five six"), indent=2, hanging=2)
    assert paper.text == "  one two three four\n    five six\n"
