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
from sagemaker_eval.calling.cache_claims import Claims
from sagemaker_eval.calling.cache_folder import filesystem_type, is_network_filesystem
from sagemaker_eval.calling.cache_limits import Limits
from sagemaker_eval.calling.cache_origin import Origin
from sagemaker_eval.calling.cache_upkeep import enforce
from sagemaker_eval.calling.cache_writer import CacheWriter, Row
from sagemaker_eval.model import Answer, Timings, TokenUsage, compact_json

FILE_NAME = "answers.sqlite3"
CLAIMS_NAME = "answers.claims"
_USAGE = tuple(field.name for field in fields(TokenUsage))
_USES_AT_ONCE = 500


class CacheStore:
    """Keeps answers by key in `folder`, made with mode 0700 where it is missing. Used by one thread; never raises.

    A cache that cannot be used is said once through `notice`, on the caller's thread, with the path and the reason;
    from then on `get` finds nothing and `put` keeps nothing. A file that is damaged is moved aside, at once where
    that shows on opening, else on closing. On a network file system SQLite's rollback journal takes the place of its
    write-ahead log (https://www.sqlite.org/wal.html), which is said once too.

    Answers older than `limits` allow are never given. On closing, at most once a day among all processes, they are
    dropped, and so are the least recently used of more than `limits` allow. `run_id` says which run stores. `claims`
    tell other processes what is being asked for; that of a key ends when its answer is stored.
    """

    def __init__(
        self,
        folder: Path,
        notice: Callable[[str], None],
        filesystem: Callable[[Path], str | None] = filesystem_type,
        limits: Limits = Limits(),
    ) -> None:
        self.path = folder / FILE_NAME
        self.run_id = ""
        self._limits = limits
        now = time.time()
        self._oldest = 0.0 if limits.max_age_s is None else now - limits.max_age_s
        self._today = int(now // database.DAY)
        self._used: list[str] = []
        self._fingerprints: dict[str, str] = {}
        self._hits = self._lookups = 0
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
        self.claims = Claims(folder / CLAIMS_NAME)

    def get(self, key: str, *, again: bool = False) -> Answer | None:
        """The answer of `key` as it was stored, whether or not it has reached the disk; None where there is none.

        `again`: it was looked up before, for the same case, which counts once.
        """
        reader, writer = self._reader, self._writer
        if reader is None or writer is None or self._has_failed(writer):
            return None
        self._lookups += not again
        try:
            if row := writer.pending(key):
                body, meta, used = row.body, row.meta, row.used
            elif found := reader.execute(database.SELECT, (key, self._oldest)).fetchone():
                body, meta, used = found
            else:
                return None
            answer = _answer(body, meta)
        except sqlite3.Error as error:
            if not database.is_busy(error):
                self._give_up(error)
            return None
        self._hits += 1
        if used < self._today:
            self._note_use(key, writer)
        return answer

    def put(self, key: str, answer: Answer, origin: Origin | None = None) -> None:
        """Stores `answer` within 50 ms, in the background, with the parts of its key where they are told."""
        writer = self._writer
        if writer is None or self._has_failed(writer):
            self.claims.release(key)
            return
        endpoint, parts = (origin.endpoint, origin.written(self.run_id)) if origin else ("", "")
        writer.put(Row(key, answer.body, _meta(answer), time.time(), self._today, endpoint, parts))

    def remember(self, endpoint_key: str, fingerprint: str) -> None:
        """Keeps the fingerprint of what is deployed behind an endpoint now, for a time when nobody can tell it."""
        writer = self._writer
        if writer is None or self._has_failed(writer) or self.last_known(endpoint_key) == fingerprint:
            return
        self._fingerprints[endpoint_key] = fingerprint
        writer.carry_out(database.REMEMBER, (endpoint_key, fingerprint, time.time()))

    def last_known(self, endpoint_key: str) -> str | None:
        """The fingerprint that was remembered last of an endpoint, by whichever process; None where none was."""
        if known := self._fingerprints.get(endpoint_key):
            return known
        reader = self._reader
        if reader is None or self._failure is not None:
            return None
        try:
            found = reader.execute(database.LAST_KNOWN, (endpoint_key,)).fetchone()
        except sqlite3.Error as error:
            if not database.is_busy(error):
                self._give_up(error)
            return None
        return None if found is None else str(found[0])

    @property
    def connection(self) -> sqlite3.Connection | None:
        """The database, for whoever looks into it or tidies it up; None where the cache is out of use."""
        return None if self._failure is not None else self._reader

    def close(self) -> None:
        """Brings everything to disk and gives the file back; a second time it does nothing."""
        reader, writer = self._reader, self._writer
        self._reader = self._writer = None
        if writer is not None:
            self._note_figures(writer)
            writer.close()
            self._has_failed(writer)
        self.claims.close()
        if reader is not None:
            self._tidy_up(reader)
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
        self._writer = CacheWriter(database.connect(self.path, journal_mode), lambda key: self.claims.release(key))

    def _note_use(self, key: str, writer: CacheWriter) -> None:
        """Have it written down that an answer was used today, for the first time."""
        self._used.append(key)
        if len(self._used) >= _USES_AT_ONCE:
            writer.carry_out(database.mark_used(len(self._used)), (self._today, *self._used))
            self._used = []

    def _note_figures(self, writer: CacheWriter) -> None:
        if self._used:
            writer.carry_out(database.mark_used(len(self._used)), (self._today, *self._used))
            self._used = []
        for name, figure in (("lookups", self._lookups), ("hits", self._hits)):
            if figure:
                writer.carry_out(database.COUNT, (name, figure))

    def _tidy_up(self, connection: sqlite3.Connection) -> None:
        """Keep the limits. What another process or a full disk prevents now is left to the next day."""
        if self._failure is not None:
            return
        with suppress(sqlite3.Error):
            if dropped := enforce(connection, self._limits, time.time()):
                self._notice(
                    f"the answer cache `{self.path}` was over its limits: {dropped:,} of its answers were dropped, "
                    "the oldest and the least recently used"
                )

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
