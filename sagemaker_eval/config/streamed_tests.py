"""Tests of a file: kept once they were read where they are few, read again by every pass where they are many."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from sagemaker_eval.config.explaining import MAX_SHOWN
from sagemaker_eval.config.yaml_loader import read_text
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place, TestCase

Build = Callable[[Mapping[str, Json], Place], TestCase]
"""Makes a test of an entry as written. Raises `ConfigError`."""


class Entry(NamedTuple):
    """A test as written, and the line of the file (the row of a sheet) that it begins on.

    `assertion_columns` names the column that each assertion of `raw` was read from, in a table.
    """

    line: int
    raw: Mapping[str, Json]
    assertion_columns: tuple[str, ...] = ()


Entries = Iterator[Entry]

Read = Callable[[str, str], Entries]
"""The entries of a file: its path, and what messages call it. Raises `ConfigError`."""


MOST_KEPT = 10_000
"""Tests of one file that are kept in memory; with more, memory would grow with the file."""


class StreamedTests:
    """The tests of one file of entries. `path` is what messages call it; large files are opened anew by each pass.

    A pass raises `ConfigError` at the first entry that cannot be read; for entries that are no tests, at the first of
    them with the problems of those that follow; and where the file is no longer the one that the tests were opened on.
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
        entries = self._entries()
        for entry in entries:
            try:
                test = self._built(entry)
            except ConfigError as error:
                raise self._with_problems_of(entries, error) from None
            yield test
            count += 1
            if count <= MOST_KEPT:
                kept.append(test)
        self._count = count
        self._kept = kept if count <= MOST_KEPT else None

    def _built(self, entry: Entry) -> TestCase:
        try:
            return self._build(entry.raw, Place(self._path, entry.line))
        except ConfigError as error:
            raise ConfigError(_with_column(problem, entry.assertion_columns) for problem in error.problems) from None

    def _with_problems_of(self, entries: Entries, error: ConfigError) -> ConfigError:
        """`error`, and the problems of further entries, as many as are ever shown."""
        found = list(error.problems)
        try:
            for entry in entries:
                if len(found) > MAX_SHOWN:
                    break
                try:
                    self._built(entry)
                except ConfigError as further:
                    found += further.problems
        except ConfigError as unreadable:
            found += unreadable.problems
        return ConfigError(found)

    def _entries(self) -> Entries:
        self._check_unchanged()
        yield from self._read(self._file, self._path)
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


def of_lines(read: Callable[[Iterable[str], str], Entries]) -> Read:
    """What reads a UTF-8 file by its lines, which keep their ends, with or without a byte order mark."""

    def entries(file: str, path: str) -> Entries:
        try:
            with open(file, encoding="utf-8-sig", newline="") as lines:
                yield from read(lines, path)
        except UnicodeDecodeError:
            read_text(path)  # raises the error that names the line
            raise

    return entries


def _with_column(problem: Problem, columns: tuple[str, ...]) -> Problem:
    """A problem of an assertion that was read from a table, with the name of its column."""
    match problem.where.pointer if problem.where else ():
        case ("assert", int(index), *_) if index < len(columns):
            return replace(problem, message=f"column `{columns[index]}`: {problem.message}")
    return problem
