"""Answers on disk: one SQLite file, shared by all runs and processes of a user."""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from types import TracebackType

from sagemaker_eval.calling import cache_database as database
from sagemaker_eval.calling.cache_folder import filesystem_type, is_network_filesystem
from sagemaker_eval.calling.cache_writer import CacheWriter, Row
from sagemaker_eval.model import Answer, Timings, TokenUsage, compact_json

FILE_NAME = "answers.sqlite3"
_USAGE = tuple(field.name for field in fields(TokenUsage))


class CacheStore:
    """Keeps answers by key in `folder`, made with mode 0700 where it is missing. Used by one thread; never raises.

    A cache that cannot be used is said once through `notice`, on the caller's thread, with the path and the reason;
    from then on `get` finds nothing and `put` keeps nothing. A file that is damaged is moved aside, at once where
    that shows on opening, else on closing. On a network file system SQLite's rollback journal takes the place of its
    write-ahead log (https://www.sqlite.org/wal.html), which is said once too.
    """

    def __init__(
        self,
        folder: Path,
        notice: Callable[[str], None],
        filesystem: Callable[[Path], str | None] = filesystem_type,
    ) -> None:
        self.path = folder / FILE_NAME
        self._notice = notice
        self._failure: Exception | None = None
        self._identity: database.FileIdentity | None = None
        self._reader: sqlite3.Connection | None = None
        self._writer: CacheWriter | None = None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            journal_mode = self._journal_mode(filesystem(folder))
            with database.sole_opener(self.path):
                self._open(journal_mode)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, key: str) -> Answer | None:
        """The answer of `key` as it was stored, whether or not it has reached the disk; None where there is none."""
        reader, writer = self._reader, self._writer
        if reader is None or writer is None or self._has_failed(writer):
            return None
        try:
            if row := writer.pending(key):
                return _answer(row.body, row.meta)
            found = reader.execute(database.SELECT, (key,)).fetchone()
            return None if found is None else _answer(*found)
        except sqlite3.Error as error:
            if not database.is_busy(error):
                self._give_up(error)
            return None

    def put(self, key: str, answer: Answer) -> None:
        """Stores `answer` within 50 ms, in the background."""
        writer = self._writer
        if writer is not None and not self._has_failed(writer):
            writer.put(Row(key, answer.body, _meta(answer), time.time()))

    def close(self) -> None:
        """Brings everything to disk and gives the file back; a second time it does nothing."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = None
        if writer is not None:
            writer.close()
            self._has_failed(writer)
        if reader is not None:
            reader.close()
        if self._failure is not None and database.is_damage(self._failure):
            with suppress(OSError, sqlite3.Error), database.sole_opener(self.path):
                database.move_aside(self.path, self._identity)

    def __enter__(self) -> CacheStore:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _journal_mode(self, filesystem: str | None) -> str:
        if not is_network_filesystem(filesystem):
            return "WAL"
        self._notice(
            f"the answer cache `{self.path}` is on a network file system ({filesystem}) and slower for it; "
            "`SAGEVAL_CACHE_PATH` can name a local folder"
        )
        return "DELETE"

    def _open(self, journal_mode: str) -> None:
        found = database.file_identity(self.path)
        try:
            self._reader = database.connect(self.path, journal_mode)
        except sqlite3.DatabaseError as error:
            if not database.is_damage(error):
                raise
            if aside := database.move_aside(self.path, found):
                self._notice(f"the answer cache `{self.path}` was damaged ({error}): moved to `{aside}`, begun anew")
            self._reader = database.connect(self.path, journal_mode)
        self._identity = database.file_identity(self.path)
        self._writer = CacheWriter(database.connect(self.path, journal_mode))

    def _has_failed(self, writer: CacheWriter) -> bool:
        """Whether the cache is out of use, after hearing what the writer has met with."""
        if writer.error is not None:
            self._give_up(writer.error)
        return self._failure is not None

    def _give_up(self, error: Exception) -> None:
        if self._failure is not None:
            return
        self._failure = error
        end = ", and the file is moved aside at its end" if database.is_damage(error) else ""
        self._notice(f"the answer cache `{self.path}` cannot be used ({error}): the run goes on without it{end}")


def _meta(answer: Answer) -> str:
    usage = answer.usage
    return compact_json(
        {
            "status": answer.status,
            "contentType": answer.content_type,
            "variant": answer.variant,
            "requestId": answer.request_id,
            "usage": {name: getattr(usage, name) for name in _USAGE} if usage else None,
            "wire": answer.timings.wire,
            "firstToken": answer.timings.first_token,
            "interToken": answer.timings.inter_token,
            "told": answer.told,
            "crc": zlib.crc32(answer.body),
        }
    )


def _answer(body: bytes, meta: str | bytes) -> Answer:
    """The answer of a row. Raises `Damaged` where the row is not as it was written."""
    try:
        told = json.loads(meta)
        if told["crc"] != zlib.crc32(body):
            raise database.Damaged("the checksum of an answer does not match")
        return Answer(
            body=body,
            content_type=told["contentType"],
            status=told["status"],
            variant=told["variant"],
            request_id=told["requestId"],
            usage=TokenUsage(**told["usage"]) if told["usage"] else None,
            timings=Timings(wire=told["wire"], first_token=told.get("firstToken"), inter_token=told.get("interToken")),
            told=tuple((name, value) for name, value in told.get("told", ())),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise database.Damaged("an answer cannot be read back") from error
