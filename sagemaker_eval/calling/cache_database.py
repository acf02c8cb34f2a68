"""The SQLite file behind the cache: how it is opened, what it holds, and what becomes of a damaged one."""

from __future__ import annotations

import itertools
import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

SCHEMA_VERSION = 2
BUSY_SECONDS = 60.0
"""How long a connection waits for another process, which may be clearing, before it calls the database locked."""

DAY = 86_400
"""Uses are counted in days since 1970: an answer that is used all day long is written once for it."""

SELECT = "SELECT body, CAST(meta AS BLOB), used FROM answers WHERE key = ? AND created >= ?"
REMEMBER = "INSERT OR REPLACE INTO fingerprints (endpoint, fingerprint, seen) VALUES (?, ?, ?)"
LAST_KNOWN = "SELECT fingerprint FROM fingerprints WHERE endpoint = ?"
COUNT = "INSERT INTO facts (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value"

FileIdentity: TypeAlias = tuple[int, int]
"""Device and inode: what tells a file from another that took its name."""

_PAGE_SIZE = 16384
_FIRST = """
CREATE TABLE answers (
    key TEXT PRIMARY KEY,
    body BLOB NOT NULL,
    meta TEXT NOT NULL,
    created REAL NOT NULL
)
"""
_SECOND = (
    "ALTER TABLE answers ADD COLUMN used INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE answers ADD COLUMN endpoint TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE answers ADD COLUMN origin TEXT NOT NULL DEFAULT ''",
    "CREATE TABLE fingerprints (endpoint TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, seen REAL NOT NULL)",
    "CREATE TABLE facts (name TEXT PRIMARY KEY, value REAL NOT NULL)",
)
"""What turns the first layout into the second. A process that knows only the first can go on writing meanwhile."""

_COLUMNS = ("key", "body", "meta", "created", "used", "endpoint", "origin")
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
    make_private(path.with_suffix(".lock"))
    lock = sqlite3.connect(path.with_suffix(".lock"), timeout=BUSY_SECONDS, isolation_level=None)
    try:
        with suppress(sqlite3.Error):
            lock.execute("BEGIN EXCLUSIVE")
        yield
    finally:
        lock.close()


def insert(rows: int) -> str:
    """The statement that stores so many rows at once."""
    row = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT OR REPLACE INTO answers ({', '.join(_COLUMNS)}) VALUES {', '.join([row] * rows)}"


def mark_used(keys: int) -> str:
    """The statement that notes the day, its first value, as that of the last use of so many answers."""
    return f"UPDATE answers SET used = ? WHERE key IN ({', '.join('?' * keys)})"


def connect(path: Path, journal_mode: str) -> sqlite3.Connection:
    """A connection to the cache at `path`, made where there is none. Raises `sqlite3.Error`.

    Transactions are begun and ended by hand; the connection may go to another thread. The file is the user's alone,
    and SQLite gives the files that it puts beside it the same mode.
    """
    make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        connection.execute(f"PRAGMA journal_mode = {journal_mode}")
        connection.execute("PRAGMA synchronous = NORMAL")
        if _version(connection) != SCHEMA_VERSION:
            _migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def make_private(path: Path) -> None:
    """Makes an empty file of mode 0600 where there is none, and gives one that is there this mode if that can be done.

    A file that exists is not opened for it: closing it would drop the locks that SQLite holds on it in this process.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        with suppress(OSError):
            mode = path.stat().st_mode
            if stat.S_ISREG(mode) and mode & 0o077:
                path.chmod(0o600)


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the present layout in one transaction. Raises `WrongSchema` for those of another make."""
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        version = _version(connection)
        if version == SCHEMA_VERSION:
            return
        if version not in (0, 1) or (version == 0 and connection.execute("SELECT 1 FROM sqlite_master").fetchone()):
            raise WrongSchema(f"schema version {version} instead of {SCHEMA_VERSION}")
        for statement in (*([] if version else [_FIRST]), *_SECOND):
            connection.execute(statement)
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
