"""Recorded runs are found by their names and have the summary that they ended with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EndpointUse, Json, Outcome
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.overview import COUNTS, State, overviews
from sagemaker_eval.running.reading import find_run, find_run_or_folder, recorded
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_files import JOURNAL
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord

END = RunEnd("2026-01-01T00:00:02.000Z", 1500.0, derived=({"f1": 0.5},), endpoints=(EndpointUse("chat", 2, 1.0),))
USAGE = {"prompt": 3, "completion": 4, "cached": 0, "total": 7, "numRequests": 1, "estimated": False}


def record(run_id: str, total: int = 2, config: Mapping[str, Json] | None = None) -> RunRecord:
    column = ColumnRecord("echo", None, "id", "raw", "label", planned=total)
    moment = f"{run_id[9:19]}T00:00:00.000Z"
    return RunRecord(run_id, moment, "a run", (column,), ("x",), total, config or {}, slots=total)


def row(test: int, outcome: Outcome = Outcome.PASSED) -> bytes:
    response = {"output": "tea", "cached": False, "tokenUsage": USAGE, "metadata": {}}
    grade = {"score": 0.5, "componentResults": [], "namedScores": {"f": 0.5}, "namedScoreWeights": {"f": 1.0}}
    told: dict[str, Any] = {
        "testIdx": test,
        "promptIdx": 0,
        "outcome": outcome.value,
        "response": response,
        "gradingResult": grade,
        "asserted": True,
        "cost": None,
        "latencyMs": 10.0 + test,
        "timings": {},
        "tokenUsage": USAGE,
    }
    return encode_row(told)


def write_run(runs: Path, run_id: str, done: int = 2, end: RunEnd | None = END, **more: Any) -> Path:
    folder = runs / run_id
    folder.mkdir(parents=True)
    with Journal.create(folder, record(run_id, **more)) as journal:
        for test in range(done):
            outcome = Outcome.PASSED if test else Outcome.FAILED
            journal.append(test, outcome, row(test, outcome))
        if end is not None:
            journal.finish(end)
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"SAGEVAL_RUNS_PATH": str(tmp_path)}


def test_a_run_has_the_summary_of_its_rows_and_its_end(tmp_path: Path) -> None:
    run = recorded(write_run(tmp_path, "eval-abc-2026-01-01T00-00-00"))
    total = run.summary.total
    assert (total.passed, total.failed, total.skipped, total.latency_p95) == (1, 1, 0, 11.0)
    assert (run.summary.duration_ms, run.summary.endpoints) == (1500.0, END.endpoints)
    assert run.summary.columns[0].named_scores == {"f": 1.0, "f1": 0.5}


def test_the_derived_metrics_of_a_run_that_was_killed_are_computed_anew(tmp_path: Path) -> None:
    config = {"derivedMetrics": [{"name": "mean", "value": "f / __count"}, {"name": "lost", "value": "file://gone.py"}]}
    run = recorded(write_run(tmp_path, "eval-abc-2026-01-01T00-00-00", end=None, config=config))
    assert run.summary.columns[0].named_scores == {"f": 1.0, "mean": 0.5}
    assert run.end is None and run.summary.duration_ms > 0


def test_a_run_is_found_by_its_id_and_by_what_only_its_id_begins_with(tmp_path: Path, environ: dict[str, str]) -> None:
    one = write_run(tmp_path, "eval-abc-2026-01-01T00-00-00")
    two = write_run(tmp_path, "eval-abd-2026-01-02T00-00-00")
    assert find_run(one.name, environ) == find_run("eval-abc", environ) == one
    assert find_run("latest", environ) == two
    with pytest.raises(ConfigError, match=r"begins several runs: `eval-abc-.*`, `eval-abd-"):
        find_run("eval-ab", environ)


@pytest.mark.parametrize("name", ["eval-x", "", "..", "latest"])
def test_what_is_no_run_is_said(name: str, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="no run is called"):
        find_run(name, environ)


def test_a_folder_that_was_copied_is_a_run_too(tmp_path: Path, environ: dict[str, str]) -> None:
    copied = write_run(tmp_path / "artifacts", "eval-abc-2026-01-01T00-00-00")
    assert find_run_or_folder(str(copied), environ) == copied


def test_rows_that_are_none_are_said_with_their_journal(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "eval-abc-2026-01-01T00-00-00", done=0)
    (folder / "journal.jsonl").write_text('{"testIdx": 0, "promptIdx": 0, "outcome": "passed"}\n')
    with pytest.raises(ConfigError, match="cannot be read"):
        recorded(folder)


def test_runs_are_listed_newest_first_with_what_became_of_them(tmp_path: Path, environ: dict[str, str]) -> None:
    write_run(tmp_path, "eval-aaa-2026-01-01T00-00-00")
    write_run(tmp_path, "eval-zzz-2026-01-02T00-00-00", done=1, end=None)
    stopped = RunEnd("2026-01-03T00:00:01.000Z", 1.0, stopped_by="no credentials")
    write_run(tmp_path, "eval-mmm-2026-01-03T00-00-00", done=0, end=stopped)
    interrupted = RunEnd("2026-01-04T00:00:01.000Z", 1.0, interrupted=True)
    write_run(tmp_path, "eval-bbb-2026-01-04T00-00-00", done=1, end=interrupted)
    found = overviews(environ).runs
    assert [(run.run_id[5:8], run.done, run.state) for run in found] == [
        ("bbb", 1, State.INTERRUPTED),
        ("mmm", 0, State.STOPPED),
        ("zzz", 1, State.UNFINISHED),
        ("aaa", 2, State.FINISHED),
    ]
    assert [run.pass_rate for run in found] == [0.0, None, 0.0, 0.5]


def test_a_run_whose_journal_is_locked_is_running(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = write_run(tmp_path, "eval-aaa-2026-01-01T00-00-00", done=1)
    with Journal.reopen(folder) as journal:
        assert overviews(environ).runs[0].state is State.RUNNING
        journal.append(1, Outcome.PASSED, row(1))
    assert overviews(environ).runs[0].done == 2


def test_journals_are_counted_once_and_again_when_they_change(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = write_run(tmp_path, "eval-aaa-2026-01-01T00-00-00", done=1)
    overviews(environ)
    counts = (tmp_path / COUNTS).read_text()
    (tmp_path / COUNTS).write_text(counts.replace(", 0, 1, 0]", ", 7, 0, 0]"))
    assert overviews(environ).runs[0].passed == 7
    with Journal.reopen(folder) as journal:
        journal.append(1, Outcome.PASSED, row(1))
    assert overviews(environ).runs[0].passed == 1


def test_counts_that_cannot_be_read_are_counted_anew(tmp_path: Path, environ: dict[str, str]) -> None:
    write_run(tmp_path, "eval-aaa-2026-01-01T00-00-00")
    (tmp_path / COUNTS).write_text('["torn')
    assert overviews(environ).runs[0].done == 2


def test_a_run_that_was_killed_before_it_had_a_journal_is_unfinished(tmp_path: Path, environ: dict[str, str]) -> None:
    (write_run(tmp_path, "eval-abc-2026-01-01T00-00-00", done=0, end=None) / JOURNAL).unlink()
    (run,) = overviews(environ).runs
    assert (run.state, run.done) == (State.UNFINISHED, 0)


def test_a_run_of_a_later_version_is_told_apart(tmp_path: Path, environ: dict[str, str]) -> None:
    folder = write_run(tmp_path, "eval-aaa-2026-01-01T00-00-00")
    (folder / "run.json").write_text('{"format": 99}')
    assert overviews(environ).unreadable == (folder,)
