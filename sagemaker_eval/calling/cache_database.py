"""The SQLite file behind the cache: how it is opened, what it holds, and what becomes of a damaged one."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

SCHEMA_VERSION = 1
BUSY_SECONDS = 10.0
"""How long a connection waits for another process before it calls the database locked."""

SELECT = "SELECT body, CAST(meta AS BLOB) FROM answers WHERE key = ?"

FileIdentity: TypeAlias = tuple[int, int]
"""Device and inode: what tells a file from another that took its name."""

_PAGE_SIZE = 16384
_CREATE = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    meta TEXT NOT NULL,
    created REAL NOT NULL
)
"""
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Damaged(sqlite3.DatabaseError):
    """SQLite takes the file for sound, but what stands in it is not what was written."""


class WrongSchema(sqlite3.DatabaseError):
    """A sound database that this version of sageval did not make."""


@contextmanager
def sole_opener(path: Path) -> Iterator[None]:
    """Keeps other processes from opening, making or moving the cache at `path` meanwhile. Raises `sqlite3.Error`.

    SQLite cannot do that itself: its busy handler does not cover the change of a new file to a write-ahead log.
    The lock is an empty database beside the cache; where the file system knows no locks, there is none.
    """
    lock = sqlite3.connect(path.with_suffix(".lock"), timeout=BUSY_SECONDS, isolation_level=None)
    try:
        with suppress(sqlite3.Error):
            lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def insert(rows: int) -> str:
    """The statement that stores so many rows at once."""
    return f"INSERT OR REPLACE INTO answers (key, body, meta, created) VALUES {', '.join(['(?, ?, ?, ?)'] * rows)}"


def connect(path: Path, journal_mode: str) -> sqlite3.Connection:
    """A connection to the cache at `path`, made where there is none. Raises `sqlite3.Error`.

    Transactions are begun and ended by hand; the connection may go to another thread.
    """
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) != SCHEMA_VERSION:
            _create(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _create(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        version = _version(connection)
        if version == SCHEMA_VERSION:
            return
        if version or connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            raise WrongSchema(f"schema version {version} instead of {SCHEMA_VERSION}")
        connection.execute(_CREATE)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def is_damage(error: Exception) -> bool:
    """Whether the file is broken for good: not a database, or one with broken pages or entries."""
    return isinstance(error, Damaged) or _primary_code(error) in _DAMAGE


def is_busy(error: Exception) -> bool:
    """Whether another process was in the way, for now."""
    return _primary_code(error) in _BUSY


def _primary_code(error: Exception) -> int:
    """The primary result code, which is the low byte of SQLite's extended ones; 0 where there is none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def file_identity(path: Path) -> FileIdentity | None:
    """Which file stands at `path` now; None where there is none."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino


def move_aside(path: Path, identity: FileIdentity | None) -> Path | None:
    """Renames the closed database at `path` to the first free `<name>.damaged-<n>`; the new path.

    None where `path` is no longer the file of `identity`: another process was faster. Raises `OSError`.
    To be called by the `sole_opener`.
    """
    if identity is None or file_identity(path) != identity:
        return None
    names = (path.with_name(f"{path.name}.damaged-{n}") for n in itertools.count(1))
    aside = next(name for name in names if not name.exists())
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")
    return aside
