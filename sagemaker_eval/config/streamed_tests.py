"""Tests of a file: kept once they were read where they are few, read again by every pass where they are many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from sagemaker_eval.config.yaml_loader import read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase

Build = Callable[[Mapping[str, Json], Place], TestCase]
"""Makes a test of an entry as written. Raises `ConfigError`."""

Entries = Iterator[tuple[int, Mapping[str, Json]]]
"""Test entries as written, each with the line of the file that it begins on."""

Read = Callable[[Iterable[str], str], Entries]
"""The entries that the lines of a file hold; the path is for messages. Raises `ConfigError`."""


MOST_KEPT = 10_000
"""Tests of one file that are kept in memory; with more, memory would grow with the file."""


class StreamedTests:
    """The tests of one CSV or JSONL file. `path` is what messages call it; large files are opened anew by each pass.

    A pass over a file raises `ConfigError` at the first entry that cannot be read, and where the file is no longer the
    one that the tests were opened on.
    """

    def __init__(self, path: str, read: Read, build: Build) -> None:
        self._path = path
        self._file = os.path.abspath(path)
        self._read = read
        self._build = build
        self._count: int | None = None
        self._kept: list[TestCase] | None = None
        self._version = self._current_version()

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self._entries())
        return self._count

    def __iter__(self) -> Iterator[TestCase]:
        if self._kept is not None:
            yield from self._kept
            return
        count, kept = 0, []
        for line, entry in self._entries():
            test = self._build(entry, Place(self._path, line))
            yield test
            count += 1
            if count <= MOST_KEPT:
                kept.append(test)
        self._count = count
        self._kept = kept if count <= MOST_KEPT else None

    def _entries(self) -> Entries:
        self._check_unchanged()
        try:
            with open(self._file, encoding="utf-8-sig", newline="") as lines:
                yield from self._read(lines, self._path)
        except UnicodeDecodeError:
            read_text(self._path)  # raises the error that names the line
            raise
        self._check_unchanged()

    def _check_unchanged(self) -> None:
        if self._current_version() != self._version:
            raise ConfigError.of("the file changed while it was in use", Place(self._path), "run again")

    def _current_version(self) -> tuple[int, int]:
        try:
            status = os.stat(self._file)
        except OSError as error:
            raise ConfigError.of(f"the file cannot be read: {error.strerror}", Place(self._path)) from None
        return status.st_size, status.st_mtime_ns
