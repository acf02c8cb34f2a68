from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sagemaker_eval.reporting.messages import print_error, print_notice

NewPaper = Callable[..., Any]


def test_an_error_has_its_hint_indented_below(new_paper: NewPaper) -> None:
    paper = new_paper(width=30)
    print_error(paper.console, "cannot read `a/very/long/path/of/a/config.yaml`", "check that it exists")
    assert paper.text == "error: cannot read `a/very/long/path/of/a/config.yaml`\n  hint: check that it exists\n"


def test_without_a_hint_there_is_one_line(new_paper: NewPaper) -> None:
    paper = new_paper()
    print_error(paper.console, "disk full", kind="warning")
    assert paper.text == "warning: disk full\n"


def test_markup_and_escapes_in_messages_are_plain_text(new_paper: NewPaper) -> None:
    paper = new_paper()
    print_notice(paper.console, "[red]no[/red] \x1b[31m :smile:")
    assert paper.text == "note: [red]no[/red] ␛[31m :smile:\n"


def test_further_lines_are_indented(new_paper: NewPaper) -> None:
    paper = new_paper()
    print_error(paper.console, "first\nsecond", "third\nfourth")
    assert paper.text == "error: first\n  second\n  hint: third\n    fourth\n"
