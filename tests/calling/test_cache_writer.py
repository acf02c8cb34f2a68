from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.calling.cache_writer import CacheWriter, Row


class Disk(sqlite3.Connection):
    """A database whose first commit waits for `release`, and fails where it is told to."""

    def __init__(self, path: Path, fails: bool = False) -> None:
        super().__init__(path, isolation_level=None, check_same_thread=False)
        super().execute(f"CREATE TABLE answers ({', '.join(Row._fields)}, UNIQUE (key))")
        self.writing = threading.Event()
        self.release = threading.Event()
        self.fails = fails
        self.batches: list[int] = []

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        if sql.startswith("INSERT"):
            self.batches.append(len(values) // len(Row._fields))
            self.writing.set()
            assert self.release.wait(30)
            if self.fails:
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, values)


def row(key: str, body: bytes = b"") -> Row:
    return Row(key, body, "{}", 0.0)


def bodies(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(path)
    found = dict(connection.execute("SELECT key, body FROM answers"))
    connection.close()
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite3"


def test_rows_that_come_together_are_committed_together(path: Path) -> None:
    disk = Disk(path)
    writer = CacheWriter(disk)
    writer.put(row("first"))
    assert disk.writing.wait(30)
    for number in range(249):
        writer.put(row(str(number)))
    disk.release.set()
    writer.close()
    assert disk.batches == [1, 100, 100, 49]
    assert len(bodies(path)) == 250


def test_other_statements_go_with_the_rows_that_wait(path: Path) -> None:
    disk = Disk(path)
    writer = CacheWriter(disk)
    writer.put(row("first"))
    writer.put(row("second"))
    writer.carry_out("UPDATE answers SET body = ? WHERE key = 'second'", ("changed",))
    disk.release.set()
    writer.close()
    assert bodies(path) == {"first": b"", "second": "changed"}


def test_a_statement_alone_is_carried_out_too(path: Path) -> None:
    disk = Disk(path)
    disk.release.set()
    writer = CacheWriter(disk)
    writer.carry_out("CREATE TABLE facts (name TEXT)", ())
    writer.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (0,)
    connection.close()


def test_a_row_that_is_replaced_while_it_is_committed_is_committed_again(path: Path) -> None:
    disk = Disk(path)
    writer = CacheWriter(disk)
    writer.put(row("key", b"old"))
    assert disk.writing.wait(30)
    writer.put(row("key", b"new"))
    assert writer.pending("key") == row("key", b"new")
    disk.release.set()
    writer.close()
    assert bodies(path) == {"key": b"new"}


def test_it_is_told_of_each_row_when_others_can_read_it(path: Path) -> None:
    disk = Disk(path)
    disk.release.set()
    told: list[tuple[str, bool]] = []
    writer = CacheWriter(disk, lambda key: told.append((key, key in bodies(path))))
    writer.put(row("one"))
    writer.put(row("two"))
    writer.close()
    assert told == [("one", True), ("two", True)]


def test_an_error_ends_the_writing_and_lets_everybody_go(path: Path) -> None:
    disk = Disk(path, fails=True)
    told: list[str] = []
    writer = CacheWriter(disk, told.append)
    writer.put(row("first"))
    assert disk.writing.wait(30)
    disk.release.set()
    for number in range(3000):
        writer.put(row(str(number)))
    writer.close()
    assert str(writer.error) == "disk I/O error"
    assert writer.pending("first") is None
    assert len(disk.batches) == 1
    assert bodies(path) == {}
    assert sorted(told) == sorted(["first", *map(str, range(3000))])
