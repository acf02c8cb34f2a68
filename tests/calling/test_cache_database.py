from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from sagemaker_eval.calling.cache_database import connect, file_identity, move_aside, sole_opener


def test_one_process_at_a_time_opens_the_cache(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    other = sqlite3.connect(path.with_suffix(".lock"), timeout=0, isolation_level=None)
    with sole_opener(path), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.close()


def test_a_lock_file_that_is_none_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    path.with_suffix(".lock").write_text("scribbled " * 100)
    with sole_opener(path):
        connect(path, "WAL").close()
    assert path.exists()


def test_a_file_is_moved_aside_with_its_log(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    path.write_text("broken")
    Path(f"{path}-wal").write_text("log")
    aside = move_aside(path, file_identity(path))
    assert aside == tmp_path / "answers.sqlite3.damaged-1"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [aside.name, f"{aside.name}-wal"]


def test_a_file_that_another_process_has_replaced_stays(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    path.write_text("broken")
    broken = file_identity(path)
    (tmp_path / "new").write_text("sound")
    (tmp_path / "new").rename(path)
    assert move_aside(path, broken) is None
    assert path.read_text() == "sound"


def test_where_there_was_no_file_nothing_is_moved(tmp_path: Path) -> None:
    assert move_aside(tmp_path / "answers.sqlite3", None) is None
