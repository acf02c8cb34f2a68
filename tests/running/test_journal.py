"""The journal gives back in plan order what was appended in any order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import EndpointUse, Outcome
from sagemaker_eval.running import journal as journal_module
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_files import read_end, written_rows
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord


def record(total: int = 4) -> RunRecord:
    column = ColumnRecord("echo", None, "id", "raw", "label")
    return RunRecord(
        "eval-x", "2026-01-01T00:00:00.000Z", "a run", (column, column), ("a",), total, {"a": 1}, slots=total
    )


def test_rows_come_back_in_plan_order_whatever_the_order_of_completion(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        for slot, outcome in [(2, Outcome.FAILED), (0, Outcome.PASSED), (3, Outcome.ERRORED)]:
            journal.append(slot, outcome, encode_row({"slot": slot}))
        assert [row["slot"] for row in journal.rows()] == [0, 2, 3]
        assert list(journal.outcomes()) == [(0, Outcome.PASSED), (2, Outcome.FAILED), (3, Outcome.ERRORED)]
        assert journal.row(2) == {"slot": 2}


def test_a_case_that_has_not_finished_has_no_row(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal, pytest.raises(KeyError):
        journal.row(1)


def test_each_line_is_on_disk_as_soon_as_it_is_appended(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(1, Outcome.PASSED, encode_row({"text": "two\nlines"}))
        assert (tmp_path / "journal.jsonl").read_text() == '{"text":"two\\nlines"}\n'


def test_what_was_run_is_written_beside_it(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()):
        written = json.loads((tmp_path / "run.json").read_text())
    assert written["runId"] == "eval-x"
    assert written["columns"][0]["provider"] == {"id": "echo", "label": None, "index": 0}


def test_a_folder_that_cannot_be_written_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SagevalError) as caught:
        Journal.create(tmp_path / "missing", record())
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


def row(slot: int, outcome: Outcome, text: str = "") -> bytes:
    return encode_row({"testIdx": slot // 2, "promptIdx": slot % 2, "outcome": outcome.value, "text": text})


def test_a_journal_goes_on_where_it_was_left(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(2, Outcome.PASSED, row(2, Outcome.PASSED))
    with Journal.reopen(tmp_path) as journal:
        assert journal.record == record()
        assert [journal.has(slot) for slot in range(4)] == [False, False, True, False]
        journal.append(0, Outcome.FAILED, row(0, Outcome.FAILED))
    assert list(Journal.read(tmp_path).outcomes()) == [(0, Outcome.FAILED), (2, Outcome.PASSED)]


def test_the_last_row_of_a_case_counts(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(1, Outcome.ERRORED, row(1, Outcome.ERRORED, "first"))
        journal.append(1, Outcome.PASSED, row(1, Outcome.PASSED, "second"))
        assert [each["text"] for each in journal.rows()] == ["second"]
    again = Journal.read(tmp_path)
    assert again.outcome(1) is Outcome.PASSED
    assert [each["text"] for each in again.rows()] == ["second"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_was_cut_by_a_kill_is_dropped(tmp_path: Path, cut: int) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(0, Outcome.PASSED, row(0, Outcome.PASSED))
        journal.append(1, Outcome.PASSED, row(1, Outcome.PASSED))
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[:-cut])
    assert [slot for slot, _ in Journal.read(tmp_path).outcomes()] == [0]
    with Journal.reopen(tmp_path) as again:
        again.append(1, Outcome.PASSED, row(1, Outcome.PASSED))
    assert journal.path.read_bytes() == whole


def test_two_processes_never_write_one_journal(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()), pytest.raises(SagevalError, match="carried out by another process"):
        Journal.reopen(tmp_path)


def test_what_another_process_wrote_last_is_not_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Journal.create(tmp_path, record())
    lock = journal_module._lock

    def finish_first(file: int, folder: Path) -> None:
        other.append(0, Outcome.PASSED, row(0, Outcome.PASSED))
        other.close()
        lock(file, folder)

    monkeypatch.setattr(journal_module, "_lock", finish_first)
    with Journal.reopen(tmp_path) as journal:
        assert list(journal.outcomes()) == [(0, Outcome.PASSED)]
    assert other.path.read_bytes() == row(0, Outcome.PASSED) + b"\n"


def test_rows_that_no_fast_decoder_takes_are_read_back(tmp_path: Path) -> None:
    line = row(0, Outcome.PASSED, "\ud800")
    with Journal.create(tmp_path, record()) as journal:
        journal.append(0, Outcome.PASSED, line)
    assert Journal.read(tmp_path).row(0)["text"] == "\ud800"


def test_a_journal_that_was_changed_is_refused(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(0, Outcome.PASSED, row(0, Outcome.PASSED))
    journal.path.write_text("no row\n")
    with pytest.raises(SagevalError, match="cannot be read"):
        Journal.read(tmp_path)


@pytest.mark.parametrize("cell", [{"testIdx": -1}, {"testIdx": 2}, {"promptIdx": -1}, {"promptIdx": 2}])
def test_a_row_of_no_case_of_the_run_is_refused(cell: dict[str, int], tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.append(0, Outcome.PASSED, encode_row({"testIdx": 0, "promptIdx": 0, "outcome": "passed", **cell}))
    for opened in (Journal.read, Journal.reopen):
        with pytest.raises(SagevalError, match="the run has no case of test"):
            opened(tmp_path)


def test_a_run_that_was_killed_before_it_had_a_journal_has_no_rows(tmp_path: Path) -> None:
    Journal.create(tmp_path, record()).close()
    (tmp_path / "journal.jsonl").unlink()
    assert list(Journal.read(tmp_path).rows()) == []
    with Journal.reopen(tmp_path) as journal:
        assert list(journal.outcomes()) == []


def test_a_record_of_a_later_version_is_refused(tmp_path: Path) -> None:
    Journal.create(tmp_path, record()).close()
    told = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**told, "format": 99}))
    with pytest.raises(SagevalError, match="later version"):
        Journal.read(tmp_path)


def test_the_files_of_a_run_are_their_owners_alone(tmp_path: Path) -> None:
    with Journal.create(tmp_path, record()) as journal:
        journal.finish(RunEnd("2026-01-01T00:00:01.000Z", 1000.0))
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "run.json": 0o600,
        "end.json": 0o600,
        "journal.jsonl": 0o600,
    }


def test_how_a_run_ended_is_read_back(tmp_path: Path) -> None:
    end = RunEnd("2026-01-01T00:00:01.000Z", 1000.0, "stopped", True, ({"f1": 0.5},), (EndpointUse("llama", 3, 1.5),))
    with Journal.create(tmp_path, record()) as journal:
        assert read_end(tmp_path) is None
        journal.finish(end)
    assert read_end(tmp_path) == end
