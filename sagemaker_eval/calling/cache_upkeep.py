"""What the cache holds, in figures, and how it is kept within limits."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sagemaker_eval.calling.cache_database import DAY, is_busy
from sagemaker_eval.calling.cache_limits import Limits

_SIZE = "length(body) + length(CAST(meta AS BLOB)) + length(CAST(origin AS BLOB))"
_ROW_OVERHEAD = 200
"""Bytes that a row takes besides: key, index, times."""

_KEPT_SHARE = 0.9
"""How far below its limit the cache is brought, so that not every day has something to drop."""

_STEPS = 50
"""Room is made in steps of at least this part of the limit, since each step looks through all entries."""

_AT_ONCE = 200
"""Answers dropped in one transaction: other processes can write in between."""

_SHRINK_WAIT_MS = 5_000

_CLAIM = """
INSERT INTO facts (name, value) VALUES ('tidied', ?)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE value < excluded.value
"""


@dataclass(frozen=True, slots=True)
class Holding:
    """Some answers of the cache. `bytes` are those of answers and what is known of them; times are Unix times."""

    entries: int = 0
    bytes: int = 0
    oldest: float | None = None
    newest: float | None = None


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """The whole cache. `endpoints` has the largest first; the name is empty for answers of earlier versions."""

    total: Holding
    endpoints: tuple[tuple[str, Holding], ...] = ()
    lookups: int = 0
    hits: int = 0


def figures(connection: sqlite3.Connection) -> CacheFigures:
    """What the cache holds. Raises `sqlite3.Error`."""
    kept = f"count(*), coalesce(sum({_SIZE}), 0), min(created), max(created)"
    total = Holding(*connection.execute(f"SELECT {kept} FROM answers").fetchone())
    rows = connection.execute(f"SELECT endpoint, {kept} FROM answers GROUP BY endpoint ORDER BY 3 DESC, 1")
    facts = dict(connection.execute("SELECT name, value FROM facts"))
    endpoints = tuple((endpoint, Holding(*row)) for endpoint, *row in rows)
    return CacheFigures(total, endpoints, int(facts.get("lookups", 0)), int(facts.get("hits", 0)))


def clear(connection: sqlite3.Connection, endpoint: str | None = None) -> int:
    """Drops all answers, or those of one endpoint; how many. Raises `sqlite3.Error`.

    With all answers everything else that the cache knows is dropped too.
    """
    if endpoint is not None:
        found = connection.execute("SELECT rowid FROM answers WHERE endpoint = ?", (endpoint,))
        return _drop(connection, [row for (row,) in found])
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        dropped = connection.execute("DELETE FROM answers").rowcount
        connection.execute("DELETE FROM fingerprints")
        connection.execute("DELETE FROM facts")
    return dropped


def prune(connection: sqlite3.Connection, limits: Limits, now: float) -> int:
    """Drops what is beyond the limits: all too old, then the least recently used; how many. Raises `sqlite3.Error`."""
    dropped = 0
    if limits.max_age_s is not None:
        found = connection.execute("SELECT rowid FROM answers WHERE created < ?", (now - limits.max_age_s,))
        dropped = _drop(connection, [row for (row,) in found])
    if limits.max_bytes is not None:
        dropped += _shrink_to(connection, limits.max_bytes)
    return dropped


def enforce(connection: sqlite3.Connection, limits: Limits, now: float) -> int:
    """Keeps the limits once a day, whichever process comes first; how many answers it dropped.

    The cache is then brought to nine tenths of its size limit. Raises `sqlite3.Error`.
    """
    today = now // DAY
    found = connection.execute("SELECT value FROM facts WHERE name = 'tidied'").fetchone()
    if (found is not None and found[0] >= today) or connection.execute(_CLAIM, (today,)).rowcount != 1:
        return 0
    room = limits.max_bytes
    if room is not None and used_bytes(connection) > room:
        room = int(room * _KEPT_SHARE)
    return prune(connection, Limits(room, limits.max_age_s), now)


def used_bytes(connection: sqlite3.Connection) -> int:
    """What of the file holds something. Raises `sqlite3.Error`."""
    names = ("page_count", "freelist_count", "page_size")
    pages, free, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)
    return int((pages - free) * size)


def shrink(connection: sqlite3.Connection) -> bool:
    """Gives the room of dropped answers back to the disk; False where other processes are at work in the cache.

    Raises `sqlite3.Error`.
    """
    connection.execute(f"PRAGMA busy_timeout = {_SHRINK_WAIT_MS}")
    try:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.OperationalError as error:
        if is_busy(error):
            return False
        raise
    return True


def _shrink_to(connection: sqlite3.Connection, most: int) -> int:
    """Drops the least recently used answers until no more than `most` bytes are used; how many.

    How much room answers leave is only estimated, since they share pages: hence in several goes.
    """
    dropped = 0
    while (excess := used_bytes(connection) - most) > 0:
        found = list(_least_used(connection, max(excess, most // _STEPS)))
        if not found:
            break
        dropped += _drop(connection, found)
    return dropped


def _least_used(connection: sqlite3.Connection, room: int) -> Iterator[int]:
    """The rows to drop for so many bytes of room."""
    order = f"max(used, CAST(created / {DAY} AS INTEGER)), created, rowid"
    for row, size in connection.execute(f"SELECT rowid, {_SIZE} FROM answers ORDER BY {order}"):
        yield row
        room -= size + _ROW_OVERHEAD
        if room <= 0:
            return


def _drop(connection: sqlite3.Connection, rows: Sequence[int]) -> int:
    dropped = 0
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            marks = ", ".join("?" * len(some))
            dropped += connection.execute(f"DELETE FROM answers WHERE rowid IN ({marks})", some).rowcount
    return dropped
