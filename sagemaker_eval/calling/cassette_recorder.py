"""Recording: what a run asks and is answered, collected while it goes on and written in one step at its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from sagemaker_eval.calling.cassette import Asked, Entry, Head, Take, decoded, encoded, key_of, line_of
from sagemaker_eval.calling.cassette_takes import is_good, lengthened, shortened
from sagemaker_eval.errors import SagevalError

_Mark: TypeAlias = tuple[str, int, int]
"""Of a line that was noted: the key of its call, which call of the run it was, and where it stands."""


class Recorder:
    """Collects calls in a temporary file of its own. `scrub` takes out the secrets that are known by then."""

    def __init__(self, scrub: Callable[[bytes], bytes]) -> None:
        self.scrub = scrub
        self._asked = 0
        self._earlier = 0
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - `close` gives it back

    def begin(self) -> int:
        """Tell that a call begins; its number, since of equal calls the order of asking counts."""
        self._asked += 1
        return self._asked

    def end(self, number: int, asked: Asked, take: Take) -> None:
        """Tell what came of a call. Raises `SagevalError` where there is no room for it."""
        try:
            self._spool.write(encoded((number, asked, take)) + b"\n")
        except OSError as error:
            raise SagevalError(
                f"cannot record a call in `{tempfile.gettempdir()}`: {error.strerror}",
                "make room, or point TMPDIR to another folder",
            ) from error

    def take_over(self, entries: Iterable[Entry]) -> None:
        """Begin with the calls of an earlier part of the run. What failed then counts only if it is not asked again."""
        for entry in entries:
            for take in lengthened(entry.takes):
                self.end(self.begin(), entry.asked, take)
        self._earlier = self._asked

    def write(self, path: str, head: Head) -> None:
        """Write the cassette in the place of any other. Raises `SagevalError`."""
        target = Path(os.path.realpath(path))
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                file.write(encoded(head) + b"\n")
                file.writelines(self._lines())
            os.replace(draft, target)
        except OSError as error:
            with suppress(OSError):
                draft.unlink()
            raise SagevalError(
                f"cannot write the cassette `{path}`: {error.strerror}", "choose another path for `--record`"
            ) from error

    def close(self) -> None:
        """Give back the temporary file."""
        self._spool.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _lines(self) -> Iterator[bytes]:
        marks = sorted(self._marks())
        for key, equal in groupby(marks, key=lambda mark: mark[0]):
            calls = [self._noted(offset) for _, _, offset in equal]
            asked = calls[0][1]
            if calls[-1][0] > self._earlier:
                calls = [call for call in calls if call[0] > self._earlier or is_good(call[2])]
            yield line_of(key, asked, shortened([take for _, _, take in calls]))

    def _marks(self) -> Iterator[_Mark]:
        self._spool.seek(0)
        offset = 0
        for line in self._spool:
            number, asked, _ = self._read(line)
            yield key_of(asked), number, offset
            offset += len(line)

    def _noted(self, offset: int) -> tuple[int, Asked, Take]:
        self._spool.seek(offset)
        return self._read(self._spool.readline())

    def _read(self, line: bytes) -> tuple[int, Asked, Take]:
        """A line that was noted, without the secrets that are known by now."""
        return decoded(self.scrub(line), tuple[int, Asked, Take])
