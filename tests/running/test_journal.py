"""The journal gives back in plan order what was appended in any order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import Outcome
from sagemaker_eval.running.journal import Journal, encode_row, written_rows
from sagemaker_eval.running.records import ColumnRecord, RunRecord


def record(total: int = 4) -> RunRecord:
    column = ColumnRecord("echo", None, "id", "raw", "label")
    return RunRecord("eval-x", "2026-01-01T00:00:00.000Z", "a run", (column, column), ("a",), total, {"a": 1}, {})


def test_rows_come_back_in_plan_order_whatever_the_order_of_completion(tmp_path: Path) -> None:
    with Journal(tmp_path, record()) as journal:
        for slot, outcome in [(2, Outcome.FAILED), (0, Outcome.PASSED), (3, Outcome.ERRORED)]:
            journal.append(slot, outcome, encode_row({"slot": slot}))
        assert [row["slot"] for row in journal.rows()] == [0, 2, 3]
        assert list(journal.outcomes()) == [(0, Outcome.PASSED), (2, Outcome.FAILED), (3, Outcome.ERRORED)]
        assert journal.row(2) == {"slot": 2}


def test_a_case_that_has_not_finished_has_no_row(tmp_path: Path) -> None:
    with Journal(tmp_path, record()) as journal, pytest.raises(KeyError):
        journal.row(1)


def test_each_line_is_on_disk_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with Journal(tmp_path, record()) as journal:
        journal.append(1, Outcome.PASSED, encode_row({"text": "two\nlines"}))
        assert (tmp_path / "journal.jsonl").read_text() == '{"text":"two\\nlines"}\n'


def test_what_was_run_is_written_beside_it(tmp_path: Path) -> None:
    with Journal(tmp_path, record()):
        written = json.loads((tmp_path / "run.json").read_text())
    assert written["runId"] == "eval-x"
    assert written["columns"][0]["provider"] == {"id": "echo", "label": None}


def test_a_folder_that_cannot_be_written_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SagevalError) as caught:
        Journal(tmp_path / "missing", record())
    assert "cannot write the run's journal" in caught.value.message
    assert caught.value.hint is not None and "SAGEVAL_RUNS_PATH" in caught.value.hint


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=8))
def test_any_value_becomes_one_line_of_valid_json(value: object) -> None:
    line = encode_row({"value": value})
    assert b"\n" not in line
    json.loads(line, parse_constant=lambda text: pytest.fail(f"{text} is not JSON"))


def test_lone_surrogates_survive(tmp_path: Path) -> None:
    assert json.loads(encode_row({"a": "\ud800"})) == {"a": "\ud800"}


def test_numbers_that_json_lacks_become_null() -> None:
    assert encode_row({"a": [float("nan"), float("inf"), 1.5]}) == b'{"a": [null, null, 1.5]}'.replace(b" ", b"")


def test_a_line_that_was_cut_by_a_kill_is_dropped_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes('{"text":"one\u2028line"}\n{"slot":1}\n{"slot":'.encode())
    assert list(written_rows(path)) == [{"text": "one\u2028line"}, {"slot": 1}]


def test_a_broken_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"slot":\n{"slot":1}\n')
    with pytest.raises(ValueError, match="Expecting value"):
        list(written_rows(path))
