"""Replaying: calls answered from a cassette, which stays on disk: of each line 16 bytes are in memory."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from sagemaker_eval.calling.cassette import VERSION, Asked, Entry, Head, decoded, key_of
from sagemaker_eval.calling.cassette_nearest import Nearest, NotRecorded
from sagemaker_eval.calling.cassette_takes import outcome_of
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Answer, Response

_LINE = re.compile(rb'\{"key":"([0-9a-f]{32})",.*\}\s*$', re.DOTALL)
_PREFIX = 16
"""Hex digits of a key that lines are sorted by in memory."""

_ANEW = "record it anew with `--record`"


class Player:
    """Answers the calls that a cassette has. `scrub` takes out secrets, as it was done for the recording.

    Calls that are equal are answered in the order in which they were, the last answer standing for all further ones.
    """

    def __init__(self, path: str, scrub: Callable[[bytes], bytes] = bytes) -> None:
        """Raises `ConfigError` for a file that cannot be read or is no cassette."""
        self.path = path
        self.scrub = scrub
        self.missed = 0
        """How many calls were asked for that are not in it."""
        try:
            self._file = Path(path).open("rb")  # noqa: SIM115 - `close` gives it back
        except OSError as error:
            raise ConfigError.of(
                f"cannot read the cassette `{path}`: {error.strerror}",
                hint=f"`sageval eval --record {path}` records one",
            ) from error
        self._keys, self._offsets = array("Q"), array("q")
        self._turns: dict[str, int] = {}
        self._nearest = Nearest(self.entries)
        try:
            self.head = self._read_head()
            self.digest = self._indexed()
        except BaseException:
            self.close()
            raise

    def outcome(self, asked: Asked) -> Answer | Response:
        """What came of a call. Raises the error that it ended with, and `NotRecorded`."""
        key = key_of(asked, self.scrub)
        entry = self._entry(key)
        if entry is None:
            self.missed += 1
            raise NotRecorded(self.path, self._nearest.differences(asked))
        turn = 0
        if len(entry.takes) > 1:
            turn = self._turns.get(key, 0)
            self._turns[key] = turn + 1
        return outcome_of(entry.takes, turn)

    def entries(self) -> Iterator[Entry]:
        """All calls, by their keys."""
        for offset in self._offsets:
            yield self._read(offset)

    def close(self) -> None:
        """Give back the file."""
        self._file.close()

    def __enter__(self) -> Player:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _read_head(self) -> Head:
        try:
            head = decoded(self._file.readline(), Head)
        except (OSError, ValueError) as error:
            raise ConfigError.of(f"`{self.path}` is no cassette of sageval: {error}", hint=_ANEW) from error
        if head.cassette != VERSION:
            raise ConfigError.of(
                f"the cassette `{self.path}` has format {head.cassette}; this version of sageval reads {VERSION}",
                hint=_ANEW,
            )
        return head

    def _indexed(self) -> str:
        """Note where each line begins, in the order of keys, which merging may have upset; the digest of the file."""
        self._file.seek(0)
        digest = hashlib.sha256(line := self._file.readline())
        offset = len(line)
        for number, line in enumerate(self._file, 2):
            if line.strip():
                found = _LINE.match(line)
                if found is None:
                    raise self._damaged(number, "is no call")
                self._keys.append(int(found[1][:_PREFIX], 16))
                self._offsets.append(offset)
            digest.update(line)
            offset += len(line)
        if any(one >= other for one, other in pairwise(self._keys)):
            self._sort()
        return digest.hexdigest()

    def _sort(self) -> None:
        order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
        self._keys = array("Q", [self._keys[place] for place in order])
        self._offsets = array("q", [self._offsets[place] for place in order])
        for place, (one, other) in enumerate(pairwise(self._keys), 1):
            if one == other and self._read(self._offsets[place - 1]).key == self._read(self._offsets[place]).key:
                raise self._damaged(self._number(self._offsets[place]), "has a call that stands on another line too")

    def _entry(self, key: str) -> Entry | None:
        wanted = int(key[:_PREFIX], 16)
        place = bisect_left(self._keys, wanted)
        while place < len(self._keys) and self._keys[place] == wanted:
            entry = self._read(self._offsets[place])
            if entry.key == key:
                return entry
            place += 1
        return None

    def _read(self, offset: int) -> Entry:
        self._file.seek(offset)
        try:
            entry = decoded(self._file.readline(), Entry)
        except (OSError, ValueError) as error:
            raise self._damaged(self._number(offset), f"cannot be read ({error})") from error
        if not entry.takes:
            raise self._damaged(self._number(offset), "says nothing of what came of its call")
        return entry

    def _number(self, offset: int) -> int:
        """The number of the line that begins at `offset`."""
        self._file.seek(0)
        return self._file.read(offset).count(b"\n") + 1

    def _damaged(self, number: int, what: str) -> ConfigError:
        return ConfigError.of(f"line {number} of the cassette `{self.path}` {what}", hint=_ANEW)
