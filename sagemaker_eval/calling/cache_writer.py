"""The thread that commits answers to the cache while the run goes on."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple, TypeAlias

from sagemaker_eval.calling.cache_database import insert

BATCH_ROWS = 100
BATCH_SECONDS = 0.05
MOST_PENDING = 1000
"""Rows that may wait for the disk before whoever brings more has to wait as well."""


Statement: TypeAlias = tuple[str, Sequence[str | float]]
"""SQL and its values."""


class Row(NamedTuple):
    """One stored answer, as the table has it."""

    key: str
    body: bytes
    meta: str
    created: float
    used: int = 0
    endpoint: str = ""
    origin: str = ""


class CacheWriter:
    """Commits rows in batches: as soon as there are 100, and 50 ms after the first at the latest.

    Rows that are not yet committed can be read back with `pending`. The first error ends the writing: `error` holds
    it, what waits is dropped, and so is what follows. `done` is told the key of each row that is committed or dropped,
    on the writer's thread or that of `put`.
    """

    def __init__(self, connection: sqlite3.Connection, done: Callable[[str], None] = lambda key: None) -> None:
        self._done = done
        self.error: Exception | None = None
        self._connection = connection
        self._rows: dict[str, Row] = {}
        self._statements: list[Statement] = []
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="sageval-cache", daemon=True)
        self._thread.start()

    def put(self, row: Row) -> None:
        """Takes a row to be committed soon; waits only while 1,000 others wait for a slow disk."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._rows) < MOST_PENDING)
            if self.error is not None:
                self._done(row.key)
                return
            self._rows[row.key] = row
            if len(self._rows) in (1, BATCH_ROWS):
                self._changed.notify_all()

    def carry_out(self, sql: str, values: Sequence[str | float]) -> None:
        """Takes another statement to be carried out soon, with the rows that are committed then."""
        with self._changed:
            if self.error is None:
                self._statements.append((sql, values))
                self._changed.notify_all()

    def pending(self, key: str) -> Row | None:
        """The row of `key` that is not yet committed, if there is one."""
        return self._rows.get(key)

    def close(self) -> None:
        """Commits what waits, and gives the connection back."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        with suppress(sqlite3.Error):
            self._connection.close()

    def _run(self) -> None:
        try:
            while True:
                rows, statements = self._next_batch()
                if not (rows or statements):
                    return
                self._commit(rows, statements)
                self._forget(rows)
        except Exception as error:
            with self._changed:
                self.error = error
                for key in self._rows:
                    self._done(key)
                self._rows.clear()
                self._statements.clear()
                self._changed.notify_all()

    def _next_batch(self) -> tuple[list[Row], list[Statement]]:
        """The oldest rows and all statements, once it is time to commit them; nothing at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._statements or self._closing)
            self._changed.wait_for(lambda: len(self._rows) >= BATCH_ROWS or self._closing, timeout=BATCH_SECONDS)
            statements, self._statements = self._statements, []
            return list(islice(self._rows.values(), BATCH_ROWS)), statements

    def _commit(self, rows: list[Row], statements: list[Statement]) -> None:
        """One statement for all rows: each statement gives the interpreter away and has to win it back."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            if rows:
                self._connection.execute(insert(len(rows)), [value for row in rows for value in row])
            for sql, values in statements:
                self._connection.execute(sql, values)

    def _forget(self, batch: list[Row]) -> None:
        """Lets go of committed rows, except where a newer one of the same key came meanwhile."""
        with self._changed:
            for row in batch:
                if self._rows.get(row.key) is row:
                    del self._rows[row.key]
                self._done(row.key)
            self._changed.notify_all()
