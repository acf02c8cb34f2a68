from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagemaker_eval.calling.cache_database import DAY, connect
from sagemaker_eval.calling.cache_limits import Limits
from sagemaker_eval.calling.cache_upkeep import clear, enforce, figures, prune, shrink, used_bytes

NOW = 1000.0 * DAY
KB = b"x" * 1000


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = connect(tmp_path / "answers.sqlite3", "WAL")
    yield connection
    connection.close()


def store(
    database: sqlite3.Connection, *keys: str, days_ago: float = 0, used: int = 0, endpoint: str = "e", body: bytes = KB
) -> None:
    """Stores an answer for each key, so many days before `NOW`."""
    row = (body, "{}", NOW - days_ago * DAY, used, endpoint)
    database.executemany(
        "INSERT INTO answers (key, body, meta, created, used, endpoint) VALUES (?, ?, ?, ?, ?, ?)",
        [(key, *row) for key in keys],
    )


def keys(database: sqlite3.Connection) -> set[str]:
    return {key for (key,) in database.execute("SELECT key FROM answers")}


def numbered(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def test_an_empty_cache_has_figures_too(database: sqlite3.Connection) -> None:
    told = figures(database)
    assert (told.total.entries, told.total.bytes, told.total.oldest, told.endpoints) == (0, 0, None, ())


def test_the_figures_are_those_of_all_and_of_each_endpoint(database: sqlite3.Connection) -> None:
    store(database, "a", "b", days_ago=2)
    store(database, "c", endpoint="f", body=KB * 9)
    told = figures(database)
    assert (told.total.entries, told.total.bytes) == (3, 11_006)
    assert (told.total.oldest, told.total.newest) == (NOW - 2 * DAY, NOW)
    assert [(name, held.entries, held.bytes) for name, held in told.endpoints] == [("f", 1, 9002), ("e", 2, 2004)]


def test_all_can_be_cleared_or_one_endpoint(database: sqlite3.Connection) -> None:
    store(database, *numbered("e", 500))
    store(database, "other", endpoint="f")
    database.execute("INSERT INTO fingerprints VALUES ('e', 'config-1', 0)")
    assert clear(database, "e") == 500
    assert keys(database) == {"other"}
    assert clear(database) == 1
    assert database.execute("SELECT count(*) FROM fingerprints").fetchone() == (0,)


def test_what_is_too_old_is_dropped(database: sqlite3.Connection) -> None:
    store(database, "old", days_ago=31, used=1000)
    store(database, "young", days_ago=29)
    assert prune(database, Limits(None, 30 * DAY), NOW) == 1
    assert keys(database) == {"young"}


def test_of_too_much_the_least_recently_used_goes_first(database: sqlite3.Connection) -> None:
    store(database, *numbered("used", 200), days_ago=50, used=999)
    store(database, *numbered("forgotten", 200), days_ago=40)
    store(database, *numbered("new", 200), days_ago=1)
    before = used_bytes(database)
    dropped = prune(database, Limits(before - 100_000, None), NOW)
    left = keys(database)
    assert used_bytes(database) <= before - 100_000
    assert len(left) == 600 - dropped
    assert {key for key in left if key.startswith(("used", "new"))} == {*numbered("used", 200), *numbered("new", 200)}


def test_a_limit_of_nothing_drops_all(database: sqlite3.Connection) -> None:
    store(database, *numbered("a", 30))
    assert prune(database, Limits(0, None), NOW) == 30


def test_without_limits_nothing_is_dropped(database: sqlite3.Connection) -> None:
    store(database, "a", days_ago=900)
    assert prune(database, Limits(None, None), NOW) == 0


def test_limits_are_kept_once_a_day(database: sqlite3.Connection) -> None:
    limits = Limits(None, 10 * DAY)
    dropped = []
    for hours in (0, 1, 23, 25):
        store(database, str(hours), days_ago=20)
        dropped.append(enforce(database, limits, NOW + hours * 3600))
    assert dropped == [1, 0, 0, 3]


def test_over_its_size_the_cache_is_brought_to_nine_tenths(database: sqlite3.Connection) -> None:
    store(database, *numbered("a", 1000))
    most = used_bytes(database)
    assert enforce(database, Limits(most, None), NOW) == 0
    store(database, *numbered("b", 20))
    assert enforce(database, Limits(most, None), NOW + DAY) > 20
    assert used_bytes(database) <= 0.9 * most


def test_dropped_answers_give_their_room_back(database: sqlite3.Connection, tmp_path: Path) -> None:
    store(database, *numbered("a", 1000))
    clear(database)
    assert shrink(database)
    assert (tmp_path / "answers.sqlite3").stat().st_size < 200_000


def test_no_room_is_given_back_while_another_process_writes(
    database: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagemaker_eval.calling.cache_upkeep._SHRINK_WAIT_MS", 0)
    other = connect(tmp_path / "answers.sqlite3", "WAL")
    other.execute("BEGIN IMMEDIATE")
    assert not shrink(database)
    other.execute("ROLLBACK")
    assert shrink(database)
    other.close()
