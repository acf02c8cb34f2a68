"""The journal: one line per finished case, appended before the case is counted, read back in plan order.

Of several rows of one case the last counts: a case that is run again replaces its row by writing the new one. A row
that is marked as pending holds the answer of a case that waits to be compared with others; for whoever reads the run,
the case has not finished. The index in memory is one offset and one outcome byte per planned case, whatever the size of
the rows.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import msgspec

from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.running.run_files import (
    END,
    JOURNAL,
    SO_FAR,
    read_record,
    write_end,
    write_record,
)
from sagemaker_eval.running.run_record import RunEnd, RunRecord

_ABSENT = -1
_OUTCOMES = tuple(Outcome)
_CODES = {outcome: code for code, outcome in enumerate(_OUTCOMES)}


class _Head(msgspec.Struct):
    """What of a row tells which case it is of, and whether it is the last word on it."""

    testIdx: int
    promptIdx: int
    outcome: str
    pending: bool = False


_HEADS = msgspec.json.Decoder(_Head)


class Journal:
    """The durable record of one run, in `folder`, which `create` and `reopen` make ready to be written.

    Raises `SagevalError` where it cannot be written; what was written before stays readable.
    """

    def __init__(self, folder: Path, record: RunRecord) -> None:
        self.folder = folder
        self.path = folder / JOURNAL
        self.record = record
        self._width = len(record.columns)
        self._offsets = array("q", [_ABSENT]) * record.slots
        self._outcomes = bytearray(record.slots)
        self._pending: dict[int, int] = {}
        self._end = 0
        self._file = -1

    @classmethod
    def create(cls, folder: Path, record: RunRecord) -> Journal:
        """The journal of a new run."""
        journal = cls(folder, record)
        try:
            write_record(folder, record)
            journal._file = os.open(journal.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            _lock(journal._file, folder)
        except ConfigError:
            journal.close()
            raise
        except OSError as error:
            raise _unwritable(journal.path, error) from error
        return journal

    @classmethod
    def reopen(cls, folder: Path) -> Journal:
        """The journal of an earlier run, to go on with; a last line that was cut by a kill is dropped.

        Raises `ConfigError` where it cannot be read, or where another process is writing it.
        """
        journal = cls(folder, read_record(folder))
        try:
            journal._file = os.open(journal.path, os.O_RDWR | os.O_CREAT, 0o600)
            _lock(journal._file, folder)
            journal._index()
            os.ftruncate(journal._file, journal._end)
            os.lseek(journal._file, journal._end, os.SEEK_SET)
            with suppress(FileNotFoundError):
                os.replace(folder / END, folder / SO_FAR)
        except ConfigError:
            journal.close()
            raise
        except OSError as error:
            journal.close()
            raise _unwritable(journal.path, error) from error
        return journal

    @classmethod
    def read(cls, folder: Path) -> Journal:
        """The journal of an earlier run, for reading alone. Raises `ConfigError` where it cannot be read."""
        journal = cls(folder, read_record(folder))
        journal._index()
        return journal

    def _index(self) -> None:
        """Find the last row of each case. Raises `ConfigError`."""
        try:
            self._find_rows()
        except (OSError, ValueError, msgspec.ValidationError) as error:
            raise ConfigError.of(
                f"the journal `{self.path}` cannot be read: {error}", hint="it was changed since it was written"
            ) from error

    def _find_rows(self) -> None:
        """What follows the last line break was cut by a kill, and so was a run that has no journal yet."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    return
                head = _head(line)
                slot = self._slot(head)
                if head.pending:
                    self._pending[slot] = self._end
                else:
                    self._note(slot, Outcome(head.outcome))
                self._end += len(line)

    def _note(self, slot: int, outcome: Outcome) -> None:
        """The row at the end of the journal is the last of a case."""
        self._offsets[slot] = self._end
        self._outcomes[slot] = _CODES[outcome]
        self._pending.pop(slot, None)

    def _slot(self, head: _Head) -> int:
        slot = head.testIdx * self._width + head.promptIdx
        if not (head.testIdx >= 0 and 0 <= head.promptIdx < self._width and slot < len(self._offsets)):
            raise ValueError(f"the run has no case of test {head.testIdx} and prompt {head.promptIdx}")
        return slot

    def append(self, slot: int, outcome: Outcome, row: bytes) -> None:
        """Write the row of the case whose plan index is `slot`. It survives the process once this returns."""
        written = self._write(row)
        self._note(slot, outcome)
        self._end += written

    def hold(self, slot: int, row: bytes) -> None:
        """Write the row of a case that is yet to be compared with others. It survives the process as well."""
        written = self._write(row)
        self._pending[slot] = self._end
        self._end += written

    def _write(self, row: bytes) -> int:
        """Put a row at the end; its length in bytes."""
        line = row + b"\n"
        try:
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            self._take_back()
            raise _unwritable(self.path, error) from error
        return len(line)

    def _take_back(self) -> None:
        """Drop the part of a row that found no room, so that the next one does not stand on its line."""
        with suppress(OSError):
            os.ftruncate(self._file, self._end)
            os.lseek(self._file, self._end, os.SEEK_SET)

    def replace(self, record: RunRecord, rows: Iterable[bytes]) -> None:
        """Put `rows` in the place of all rows, and `record` in that of the record. No row may follow."""
        draft = self.path.with_name(f".{JOURNAL}.{os.getpid()}")
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.writelines(row + b"\n" for row in rows)
            write_record(self.folder, record)
            if os.name == "nt":  # where a file that is open cannot be replaced, and there is no lock to keep
                self.close()
            os.replace(draft, self.path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise _unwritable(self.path, error) from error

    def finish(self, end: RunEnd) -> None:
        """Write down how the run ended. Raises `SagevalError`."""
        try:
            write_end(self.folder / END, end)
        except OSError as error:
            raise _unwritable(self.folder / END, error) from error
        with suppress(OSError):
            (self.folder / SO_FAR).unlink()

    def note_so_far(self, end: RunEnd) -> None:
        """Write down what the run used until now, for the case that it is killed, as far as that can be done."""
        with suppress(OSError):
            write_end(self.folder / SO_FAR, end)

    def has(self, slot: int) -> bool:
        """Whether a case has finished."""
        return self._offsets[slot] != _ABSENT

    def outcome(self, slot: int) -> Outcome | None:
        """What became of a case; None where it has not finished."""
        return _OUTCOMES[self._outcomes[slot]] if self._offsets[slot] != _ABSENT else None

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """(slot, outcome) of the finished cases in plan order; slot = testIdx * number of columns + promptIdx."""
        for slot, offset in enumerate(self._offsets):
            if offset != _ABSENT:
                yield slot, _OUTCOMES[self._outcomes[slot]]

    def lines(self) -> Iterator[bytes]:
        """The rows of the finished cases as JSON text, in plan order."""
        if not self._end:
            return
        with self.path.open("rb") as file:
            position = 0
            for offset in self._offsets:
                if offset == _ABSENT:
                    continue
                if offset != position:
                    file.seek(offset)
                line = file.readline()
                position = offset + len(line)
                yield line[:-1]

    def rows(self) -> Iterator[dict[str, Json]]:
        """The rows of the finished cases, in plan order."""
        for line in self.lines():
            yield json.loads(line)

    def row(self, slot: int) -> dict[str, Json]:
        """The row of one finished case. Raises KeyError where the case has not finished."""
        offset = self._offsets[slot]
        if offset == _ABSENT:
            raise KeyError(slot)
        return self._row_at(offset)

    def latest(self, slot: int) -> dict[str, Json] | None:
        """The last row of a case, even where it has not finished: one that waits to be compared has its answer."""
        offset = self._pending.get(slot, self._offsets[slot])
        return None if offset == _ABSENT else self._row_at(offset)

    def written(self, slot: int) -> Iterator[dict[str, Json]]:
        """What counts of a case: its final row, and that of a newer answer which waits to be compared."""
        for offset in (self._offsets[slot], self._pending.get(slot, _ABSENT)):
            if offset != _ABSENT:
                yield self._row_at(offset)

    def pending(self) -> Iterator[int]:
        """The slots of the cases whose last row waits to be compared."""
        return iter(tuple(self._pending))

    def _row_at(self, offset: int) -> dict[str, Json]:
        with self.path.open("rb") as file:
            file.seek(offset)
            row: dict[str, Json] = json.loads(file.readline())
        return row

    def close(self) -> None:
        """No more rows follow; reading stays possible."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _head(line: bytes) -> _Head:
    """What a row is of. The fast decoder refuses lone surrogates."""
    try:
        return _HEADS.decode(line)
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(line), _Head)


def _lock(file: int, folder: Path) -> None:
    """Keep other processes from writing the same journal. Raises `ConfigError` where one does."""
    try:
        import fcntl
    except ImportError:
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise ConfigError.of(
            f"the run in `{folder}` is being carried out by another process", hint="wait until it has ended"
        ) from error


def _unwritable(path: Path, error: OSError) -> SagevalError:
    return SagevalError(
        f"cannot write the run's journal `{path}`: {error.strerror}",
        "free some space or permissions, point SAGEVAL_RUNS_PATH to another folder, or run with --no-write",
    )
