"""The thread that commits answers to the cache while the run goes on."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

from sagemaker_eval.calling.cache_database import insert

BATCH_ROWS = 100
BATCH_SECONDS = 0.05
MOST_PENDING = 1000
"""Rows that may wait for the disk before whoever brings more has to wait as well."""


class Row(NamedTuple):
    """One stored answer, as the table has it."""

    key: str
    body: bytes
    meta: str
    created: float


class CacheWriter:
    """Commits rows in batches: as soon as there are 100, and 50 ms after the first at the latest.

    Rows that are not yet committed can be read back with `pending`. The first error ends the writing: `error` holds
    it, the rows that wait are dropped, and so are those that follow.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.error: Exception | None = None
        self._connection = connection
        self._rows: dict[str, Row] = {}
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="sageval-cache", daemon=True)
        self._thread.start()

    def put(self, row: Row) -> None:
        """Takes a row to be committed soon; waits only while 1,000 others wait for a slow disk."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._rows) < MOST_PENDING)
            if self.error is not None:
                return
            self._rows[row.key] = row
            if len(self._rows) in (1, BATCH_ROWS):
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
            while batch := self._next_batch():
                self._commit(batch)
                self._forget(batch)
        except Exception as error:
            with self._changed:
                self.error = error
                self._rows.clear()
                self._changed.notify_all()

    def _next_batch(self) -> list[Row]:
        """The oldest rows, once it is time to commit them; empty at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._closing)
            self._changed.wait_for(lambda: len(self._rows) >= BATCH_ROWS or self._closing, timeout=BATCH_SECONDS)
            return list(islice(self._rows.values(), BATCH_ROWS))

    def _commit(self, batch: list[Row]) -> None:
        """One statement for all rows: each statement gives the interpreter away and has to win it back."""
        self._connection.execute("BEGIN IMMEDIATE")
        with self._connection:
            self._connection.execute(insert(len(batch)), [value for row in batch for value in row])

    def _forget(self, batch: list[Row]) -> None:
        """Lets go of committed rows, except where a newer one of the same key came meanwhile."""
        with self._changed:
            for row in batch:
                if self._rows.get(row.key) is row:
                    del self._rows[row.key]
            self._changed.notify_all()
