"""The journal: one line per finished case, appended before the case is counted, read back in plan order.

The index in memory is one offset and one outcome byte per planned case, whatever the size of the rows.
"""

from __future__ import annotations

import json
import os
from array import array
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import msgspec

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.running.records import RunRecord

_ABSENT = -1
_OUTCOMES = tuple(Outcome)
_CODES = {outcome: code for code, outcome in enumerate(_OUTCOMES)}


class Journal:
    """The durable record of one run, in `folder`. Raises `SagevalError` where it cannot be written.

    `slots` is one more than the largest slot that a case may have; `record.total` where it is None.
    """

    def __init__(self, folder: Path, record: RunRecord, slots: int | None = None) -> None:
        self.folder = folder
        self.path = folder / "journal.jsonl"
        self._width = len(record.columns)
        places = record.total if slots is None else slots
        self._offsets = array("q", [_ABSENT]) * places
        self._outcomes = bytearray(places)
        self._end = 0
        try:
            (folder / "run.json").write_text(json.dumps(record.as_json(), ensure_ascii=False, indent=2) + "\n", "utf-8")
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def append(self, slot: int, outcome: Outcome, row: bytes) -> None:
        """Write the row of the case whose plan index is `slot`. It survives the process once this returns."""
        line = row + b"\n"
        try:
            written = os.write(self._file, line)
            while written < len(line):
                written += os.write(self._file, line[written:])
        except OSError as error:
            raise _unwritable(self.path, error) from error
        self._offsets[slot] = self._end
        self._outcomes[slot] = _CODES[outcome]
        self._end += len(line)

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        """(slot, outcome) of the finished cases in plan order; slot = testIdx * number of columns + promptIdx."""
        for slot, offset in enumerate(self._offsets):
            if offset != _ABSENT:
                yield slot, _OUTCOMES[self._outcomes[slot]]

    def lines(self) -> Iterator[bytes]:
        """The rows of the finished cases as JSON text, in plan order."""
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


def written_rows(path: Path) -> Iterator[dict[str, Json]]:
    """The rows of a journal, or of a .jsonl result file, in the order of the file.

    A last line without its end is dropped: the process that wrote it was killed. Raises ValueError for anything else
    that is no row, and OSError.
    """
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n"):
                try:
                    yield json.loads(line)
                except ValueError:
                    return
            elif line.strip():
                yield json.loads(line)


def encode_row(row: dict[str, Json]) -> bytes:
    """A row as a line of JSON. NaN and infinity, which JSON lacks, become null; lone surrogates stay escaped."""
    try:
        return _FAST.encode(row)
    except (UnicodeEncodeError, OverflowError, TypeError, RecursionError):
        return _encode_with_care(row)


def _encode_with_care(row: dict[str, Json]) -> bytes:
    """What the fast encoder does not take: lone surrogates, integers of more than 64 bits."""
    try:
        return _ENCODER.encode(row).encode()
    except UnicodeEncodeError:
        return _ASCII_ENCODER.encode(row).encode()
    except ValueError:
        return _ASCII_ENCODER.encode(_finite(row)).encode()


_FAST = msgspec.json.Encoder(enc_hook=dict)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=dict)

_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=dict)


def _finite(value: Json) -> Json:
    if isinstance(value, float):
        return value if abs(value) != float("inf") and value == value else None
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if hasattr(value, "items"):
        return {name: _finite(item) for name, item in value.items()}
    return value


def _unwritable(path: Path, error: OSError) -> SagevalError:
    return SagevalError(
        f"cannot write the run's journal `{path}`: {error.strerror}",
        "free some space or permissions, point SAGEVAL_RUNS_PATH to another folder, or run with --no-write",
    )
