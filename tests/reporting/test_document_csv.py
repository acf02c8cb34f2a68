from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sagemaker_eval.model import ColumnSummary, RunSummary
from sagemaker_eval.reporting.document_csv import write_csv

New = Callable[..., Any]
Golden = Callable[[str, str], bool]


def written(run: Any) -> str:
    stream = io.BytesIO()
    write_csv(stream, run.record, run.journal, run.summary)
    return stream.getvalue().decode()


def cells(run: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(written(run), newline="")))


@pytest.fixture
def run(new_run: New) -> Any:
    """Everything that can become of a case, a metric, and a skipped case."""
    run = new_run(var_names=("question", "context"))
    total = ColumnSummary(named_scores={"tone": 1.5, "length": 1.0})
    run.summary = RunSummary(total, (ColumnSummary(), ColumnSummary()))
    values = {"question": 'Why "so", dear?', "context": {"user": ["Ann", None], "ok": True}}
    run.passed(0, 0, "Because.\nThat is why.", scores={"tone": 1.0, "length": 1.0}, vars=values)
    run.failed(0, 1, {"why": None}, ["Expected a text", "Expected more"], scores={"tone": 0.5}, vars=values)
    run.errored(1, 0, "endpoint `llama` did not answer", "look", description="Second", vars={"question": "é 😀"})
    run.answered(2, 1, "", vars={"question": "", "context": None})
    return run


def test_csv(run: Any, matches_golden: Golden) -> None:
    text = written(run)
    assert text.count("\r\n") == 4
    assert matches_golden("document_csv", text.replace("\r\n", "\n"))


def test_error_texts_are_in_the_cell_and_in_the_reason(run: Any) -> None:
    message = "endpoint `llama` did not answer"
    assert cells(run)[2][:10] == ["Second", "é 😀", "", message, "ERROR", "0.00", "{}", "", "", message]


def test_cases_that_were_never_sent_are_marked(run: Any) -> None:
    assert cells(run)[2][11:] == ["", "SKIPPED", "", "", "", "", "", ""]


def test_without_descriptions_there_is_no_column_for_them(new_run: New) -> None:
    run = new_run(providers=("llama",), var_names=("description",))
    run.passed(0, 0, "x", vars={"description": "of the variable"})
    header = ["description", "[llama] Plain", "Status", "Score", "Named Scores", "Grader Reason", "Comment"]
    assert cells(run) == [header, ["of the variable", "x", "PASS", "1.00", "{}", "All assertions passed", ""]]


@pytest.mark.parametrize("formula", ["=1+1", "+cmd", "-1 apple", "@SUM(A1)", "--1", "- list item"])
def test_formulas_get_an_apostrophe(formula: str, new_run: New) -> None:
    run = new_run(providers=("llama",), var_names=())
    run.passed(0, 0, formula)
    assert cells(run)[1][0] == f"'{formula}"


@pytest.mark.parametrize("number", ["-1", "+1.5", "-.5", "-1e-5", "+3.", "1"])
def test_plain_numbers_stay_numbers(number: str, new_run: New) -> None:
    run = new_run(providers=("llama",), var_names=())
    run.passed(0, 0, number)
    assert cells(run)[1][0] == number


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(output=st.text(), value=st.text())
def test_every_text_comes_back(output: str, value: str, new_run: New) -> None:
    run = new_run(providers=("llama",))
    run.passed(0, 0, output, vars={"question": value})
    for cell, text in zip(cells(run)[1], (value, output), strict=False):
        assert cell == text or (cell == f"'{text}" and text[0] in "=+-@")


def test_a_lone_surrogate_is_written_as_its_escape(new_run: New) -> None:
    run = new_run(providers=("llama",), var_names=())
    run.passed(0, 0, "half \ud83d")
    assert cells(run)[1][0] == "half \\ud83d"
