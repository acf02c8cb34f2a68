"""Runs are found again by their id, and the newest by `latest`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sagemaker_eval.running.folders import recorded_run, run_folder, run_id_at


def test_latest_is_the_run_that_was_started_last_whatever_its_random_part(tmp_path: Path) -> None:
    environ = {"SAGEVAL_RUNS_PATH": str(tmp_path)}
    for name in ("eval-zzz-2026-01-01T00-00-00", "eval-aaa-2026-01-02T00-00-00"):
        (tmp_path / name).mkdir()
    assert recorded_run("latest", environ).name == "eval-aaa-2026-01-02T00-00-00"
    assert recorded_run("eval-zzz-2026-01-01T00-00-00", environ).is_dir()


def test_latest_of_no_runs_is_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    assert not recorded_run("latest", {"SAGEVAL_RUNS_PATH": str(tmp_path / "none")}).exists()


def test_run_ids_can_name_folders_anywhere() -> None:
    run_id = run_id_at(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert run_id.startswith("eval-")
    assert run_id.endswith("-2026-01-02T03-04-05")
    assert not set(run_id) & set(':/\\*?"<>|')


def test_a_run_that_keeps_no_record_leaves_nothing_behind() -> None:
    with run_folder("eval-x", {}, keep=False) as folder:
        (folder / "journal.jsonl").write_text("x")
    assert not folder.exists()
