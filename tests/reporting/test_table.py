from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from sagemaker_eval.model import RunSummary
from sagemaker_eval.reporting.console import show_results
from sagemaker_eval.reporting.table import TableSettings, column_widths, render_table

New = Callable[..., Any]
Golden = Callable[[str, str], bool]


def shown(run: Any, paper: Any, **table: int) -> str:
    render_table(run.record, run.journal, TableSettings(**table), paper.console)
    return str(paper.text)


@pytest.fixture
def capitals(new_run: New) -> Any:
    """Two providers and two prompts: everything that can become of a case."""
    run = new_run(prompts=("Plain", "Polite"), var_names=("question", "lang"))
    france = {"question": "What is the capital of France?", "lang": "en"}
    japan = {"question": "What is the capital of Japan?", "lang": "en"}
    run.passed(0, 0, "Paris.\n\nIt lies on the Seine.", vars=france)
    run.answered(0, 1, "I would say Paris", vars=france)
    run.passed(0, 2, {"city": "Paris"}, vars=france)
    run.passed(0, 3, "Paris", vars=france)
    run.failed(1, 0, "Kyoto", ['Expected output to contain "Tokyo"', "Expected at least 2 words"], vars=japan)
    run.passed(1, 1, "東京 (Tokyo) 🗼", vars=japan)
    run.errored(1, 2, "endpoint `mistral` did not answer within 80 s", "look at its logs", vars=japan)
    return run


def test_wide_table(capitals: Any, new_paper: New, matches_golden: Golden) -> None:
    assert matches_golden("table_wide", shown(capitals, new_paper()))


def test_narrow_terminal_gets_blocks(capitals: Any, new_paper: New, matches_golden: Golden) -> None:
    assert matches_golden("table_narrow", shown(capitals, new_paper(width=60)))


def test_table_in_ascii(capitals: Any, new_paper: New, matches_golden: Golden) -> None:
    text = shown(capitals, new_paper(encoding="ascii"))
    assert text.isascii()
    assert matches_golden("table_ascii", text)


def test_verdicts_are_coloured_at_a_terminal(capitals: Any, new_paper: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = shown(capitals, new_paper(terminal=True))
    for verdict in ("\x1b[1;32mPASS\x1b[0m", "\x1b[1;31mFAIL\x1b[0m", "\x1b[1;33mERROR\x1b[0m"):
        assert verdict in text


def test_failures_come_first_and_the_rest_is_counted(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run = new_run(providers=("llama",), total=30)
    for test in range(30):
        if test == 27:
            run.failed(test, 0, "No", ["Expected output to equal Yes"])
        else:
            run.passed(test, 0, f"Yes {test}")
    assert matches_golden("table_failures_first", shown(run, new_paper(width=80), max_rows=3))
    assert run.journal.read == [27, 0, 1]


def test_without_assertions_there_is_no_verdict(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run = new_run(providers=("llama",), var_names=())
    run.answered(0, 0, "Just an answer")
    run.answered(1, 0, "")
    run.answered(2, 0, " \n ")
    run.answered(3, 0, None)
    assert matches_golden("table_no_assertions", shown(run, new_paper(width=50)))


def test_hostile_answers_are_shown_as_they_are(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run = new_run(providers=("[red]llama[/red]",))
    run.passed(0, 0, "[bold]not bold[/bold] :smile: [/]", vars={"question": "[link=x]"})
    run.passed(1, 0, "\x1b[31mred\x1b[0m\x07 \x1b]0;title\x07\u202eright to left")
    run.passed(2, 0, "日本語の長い答えは折り返されますが、幅は崩れません。" * 3)
    run.passed(3, 0, "emoji 😀 combining e\u0301 tab\tend")
    assert matches_golden("table_hostile", shown(run, new_paper(width=80)))


def test_long_answers_are_cut_with_a_mark(new_run: New, new_paper: New) -> None:
    run = new_run(providers=("llama",), var_names=())
    run.passed(0, 0, "a" * 300)
    run.failed(1, 0, "b" * 10, ["c" * 300])
    text = shown(run, new_paper(width=400), max_cell=250)
    assert "a" * 250 + "…" in text
    assert "a" * 251 not in text
    assert "c" * 250 + "…" in text


def test_a_threshold_decides_by_its_aggregate(new_run: New, new_paper: New) -> None:
    run = new_run(providers=("llama",))
    run.failed(0, 0, "x", ["one", "two"], threshold=0.5, reason="Aggregate score 0.00 < 0.5 threshold (one; two)")
    text = shown(run, new_paper())
    assert text.count("✗") == 1
    assert "✗ Aggregate score 0.00 < 0.5 threshold (one; two)" in text


def test_many_reasons_are_counted(new_run: New, new_paper: New) -> None:
    run = new_run(providers=("llama",))
    run.failed(0, 0, "x", [f"reason {number}" for number in range(8)])
    text = shown(run, new_paper())
    assert "reason 4" in text
    assert "reason 5" not in text
    assert "… and 3 more" in text


def test_blocks_without_variables_are_headed_by_the_description(new_run: New, new_paper: New) -> None:
    run = new_run(providers=("a", "b", "c", "d", "e"), var_names=())
    for column in range(5):
        run.passed(0, column, "a rather long answer", description="Greets politely")
    assert shown(run, new_paper(width=40)).startswith("Greets politely\n  PASS a: a rather long answer\n")


def test_an_empty_run_prints_no_table(new_run: New, new_paper: New) -> None:
    assert shown(new_run(), new_paper()) == ""


def test_no_table_leaves_the_summary(new_run: New, new_paper: New) -> None:
    run = new_run()
    run.passed(0, 0, "hidden answer")
    paper = new_paper()
    show_results(run.record, run.journal, RunSummary(run.summary.total, run.summary.columns), paper.console, None)
    assert "hidden answer" not in paper.text
    assert "Pass rate" in paper.text


def test_short_columns_leave_their_room_to_long_ones() -> None:
    grid = [[Text("id"), Text("question"), Text("answer")], [Text("1"), Text("q" * 30), Text("a" * 500)]]
    assert column_widths(grid, 2, 100) == [2, 30, 58]


def test_columns_under_sixteen_are_too_narrow_unless_they_need_no_more() -> None:
    texts = [Text("a" * 40)] * 4
    assert column_widths([texts], 0, 1 + 4 * (16 + 3)) == [16, 16, 16, 16]
    assert column_widths([texts], 0, 4 * (16 + 3)) is None
    assert column_widths([[Text("x"), Text("y" * 40)]], 1, 30) == [1, 22]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    answers=st.lists(st.text(alphabet=st.characters(), max_size=80), min_size=3, max_size=3),
    width=st.integers(1, 140),
    encoding=st.sampled_from(["utf-8", "ascii", "cp1252"]),
)
def test_any_answer_can_be_shown(answers: list[str], width: int, encoding: str, new_run: New, new_paper: New) -> None:
    run = new_run(var_names=(answers[0],))
    run.passed(0, 0, answers[0], vars={answers[0]: answers[2]})
    run.failed(0, 1, answers[1], [answers[2]], description=answers[1])
    run.errored(1, 0, answers[0], answers[1])
    text = shown(run, new_paper(width=width, encoding=encoding))
    assert "\x1b" not in text
    assert all(word in text for word in ("PASS", "FAIL", "ERROR"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(answer=st.text(alphabet="ab 日本語😀é\n", max_size=300), width=st.integers(60, 140))
def test_every_line_of_the_table_is_equally_wide(answer: str, width: int, new_run: New, new_paper: New) -> None:
    run = new_run()
    run.passed(0, 0, answer)
    run.failed(0, 1, "no", [answer])
    (lines,) = {cell_len(line) for line in shown(run, new_paper(width=width)).splitlines()}
    assert width - 1 <= lines <= width
