from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from sagemaker_eval.calling import cache_database
from sagemaker_eval.calling.cache_database import connect, file_identity, make_private, move_aside, sole_opener


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


FIRST_LAYOUT = """
CREATE TABLE answers (key TEXT PRIMARY KEY, body BLOB NOT NULL, meta TEXT NOT NULL, created REAL NOT NULL);
INSERT INTO answers VALUES ('k', x'00', '{}', 5.5);
PRAGMA user_version = 1;
"""


@pytest.fixture
def first_layout(tmp_path: Path) -> Path:
    """A cache as the version before this one made it."""
    path = tmp_path / "answers.sqlite3"
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_LAYOUT)
    connection.close()
    return path


def test_an_earlier_layout_is_extended_and_loses_nothing(first_layout: Path) -> None:
    for _ in range(2):
        connection = connect(first_layout, "WAL")
        rows = connection.execute("SELECT key, body, meta, created, used, endpoint, origin FROM answers").fetchall()
        connection.close()
        assert rows == [("k", b"\0", "{}", 5.5, 0, "", "")]


def test_a_process_of_the_earlier_version_goes_on_writing(first_layout: Path) -> None:
    earlier = sqlite3.connect(first_layout, isolation_level=None)
    earlier.execute("SELECT * FROM answers").fetchall()
    later = connect(first_layout, "WAL")
    earlier.execute("INSERT OR REPLACE INTO answers (key, body, meta, created) VALUES ('l', x'01', '{}', 6)")
    assert later.execute("SELECT key, used FROM answers ORDER BY key").fetchall() == [("k", 0), ("l", 0)]
    earlier.close()
    later.close()


def test_an_extension_that_is_cut_short_leaves_the_earlier_layout(
    first_layout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements = (*cache_database._SECOND, "this is no statement")
    with monkeypatch.context() as patched, pytest.raises(sqlite3.OperationalError):
        patched.setattr(cache_database, "_SECOND", statements)
        connect(first_layout, "WAL")
    connection = connect(first_layout, "WAL")
    assert connection.execute("SELECT count(*), max(used) FROM answers").fetchone() == (1, 0)
    connection.close()


def test_a_file_that_others_may_read_becomes_the_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    for _ in range(2):
        make_private(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        path.chmod(0o644)
    path.write_text("kept")
    make_private(path)
    assert path.read_text() == "kept"


def test_a_folder_in_the_place_of_the_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "answers.sqlite3"
    path.mkdir(mode=0o755)
    make_private(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
