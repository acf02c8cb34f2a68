"""Tests that are read from their file by every pass, so that memory does not grow with them."""

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


class StreamedTests:
    """The tests of one CSV or JSONL file. `path` is what messages call it; it is opened anew by each pass.

    A pass raises `ConfigError` at the first entry that cannot be read, and where the file is no longer the one that
    the tests were opened on.
    """

    def __init__(self, path: str, read: Read, build: Build) -> None:
        self._path = path
        self._file = os.path.abspath(path)
        self._read = read
        self._build = build
        self._count: int | None = None
        self._version = self._current_version()

    def __len__(self) -> int:
        if self._count is None:
            self._count = sum(1 for _ in self._entries())
        return self._count

    def __iter__(self) -> Iterator[TestCase]:
        count = 0
        for line, entry in self._entries():
            yield self._build(entry, Place(self._path, line))
            count += 1
        self._count = count

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
