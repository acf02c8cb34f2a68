"""Where tests come from: tables and JSON Lines are streamed; YAML, JSON and what scripts make is held in memory."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from sagemaker_eval.config.csv_tests import csv_delimiter, read_csv
from sagemaker_eval.config.excel_tests import excel_reader
from sagemaker_eval.config.external_tests import TestFiles, checked_entry, files_read
from sagemaker_eval.config.file_values import FUNCTIONS
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.generated_tests import Generator
from sagemaker_eval.config.named_files import placed_in_files
from sagemaker_eval.config.references import (
    PREFIX,
    display_path,
    expand_glob,
    is_glob,
    is_reference,
    resolve,
    split_function,
)
from sagemaker_eval.config.streamed_tests import Build, StreamedTests, of_lines
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, Tests, UserCode

_SUPPORTED = "give tests as .yaml, .yml, .json, .jsonl, .csv or .xlsx, or a .py or .js file that makes them"
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SHEET = re.compile(r"(.+\.xlsx?)#(.+)", re.IGNORECASE | re.DOTALL)
_LISTED = frozenset({".yaml", ".yml", ".json"})
_REMOTE_HINTS = {
    "https://docs.google.com/spreadsheets/": "download the sheet as .csv or .xlsx and name the file",
    "huggingface://": "download the data set, and write it as .jsonl or .csv",
}


@dataclass(frozen=True, slots=True)
class ListedTests:
    """Tests held in memory."""

    tests: Sequence[TestCase]

    def __len__(self) -> int:
        return len(self.tests)

    def __iter__(self) -> Iterator[TestCase]:
        return iter(self.tests)


@dataclass(frozen=True, slots=True)
class ConcatenatedTests:
    """The tests of all parts, one part after the other."""

    parts: Sequence[Tests]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __iter__(self) -> Iterator[TestCase]:
        return chain.from_iterable(self.parts)


@dataclass(frozen=True, slots=True)
class Source:
    """Where tests are, as written at `where`, and how its files are read.

    `path` is a path or a glob, with or without `file://`, with `:function` after a script and `#Sheet` after a
    workbook; relative to `base_path`. `config` is what a script's function is called with. `numbered`: tests from JSON
    without a description are called `Row #1` and so on, as those of tables always are.
    """

    path: str
    base_path: str
    where: Place | None = None
    table: TableOptions = field(default_factory=TableOptions)
    config: Json = None
    numbered: bool = False


def open_tests(source: Source, build: Build) -> Tests:
    """The tests of the file or files that a source names; `build` makes each.

    YAML, JSON and scripts are read here. Tables and JSON Lines are counted here and read by each pass over the result,
    so that what is wrong with a single test is raised by the first pass. Raises `ConfigError` where nothing matches,
    where a file holds no tests, where an ending is not supported, and for what `build` refuses.
    """
    path = source.path
    if _REMOTE.match(path) and not is_reference(path):
        hint = next((hint for start, hint in _REMOTE_HINTS.items() if path.startswith(start)), _SUPPORTED)
        raise ConfigError.of(f"tests from `{path}` are not yet supported", source.where, hint)
    pattern, part = _parts(source)
    problems = Problems()
    opened = problems.attempt_each(_files(pattern, source), lambda file: _not_empty(file, part, source, build))
    problems.check()
    return opened[0] if len(opened) == 1 else ConcatenatedTests(opened)


def _parts(source: Source) -> tuple[str, str | None]:
    """The path or pattern, and the function or the sheet after it."""
    if os.path.isfile(resolve(source.path, source.base_path)):
        return source.path, None
    if match := _SHEET.fullmatch(source.path):
        return match[1], match[2]
    return split_function(source.path)


def _files(pattern: str, source: Source) -> list[str]:
    files = expand_glob(pattern, source.base_path)
    if files:
        return files
    if is_glob(pattern):
        message = f"no file matches `{pattern.removeprefix(PREFIX)}`"
        hint = f"the pattern starts at the folder `{display_path(source.base_path)}`"
        raise ConfigError.of(message, source.where, hint)
    return [resolve(pattern, source.base_path)]


def _not_empty(path: str, part: str | None, source: Source, build: Build) -> Tests:
    tests = _open(path, part, source, build)
    if not len(tests):
        raise ConfigError.of(f"there are no tests in `{display_path(path)}`", source.where)
    return tests


def _open(path: str, part: str | None, source: Source, build: Build) -> Tests:
    ending, shown = os.path.splitext(path)[1].lower(), display_path(path)
    _check(path, ending, source)
    files = TestFiles(source.base_path, source.numbered)
    if ending in FUNCTIONS:
        return ListedTests(_generator(path, part, source).tests(shown, build))
    if ending in _LISTED:
        return ListedTests(_built(files, shown, build))
    if ending == ".jsonl":
        return StreamedTests(shown, of_lines(files.lines), build)
    if ending == ".xlsx":
        return StreamedTests(shown, excel_reader(part, source.table), build)
    table = replace(source.table, delimiter=csv_delimiter(source.table.delimiter, source.where))
    return StreamedTests(shown, of_lines(functools.partial(read_csv, options=table)), build)


def _check(path: str, ending: str, source: Source) -> None:
    shown = display_path(path)
    if ending == ".xls":
        hint = "save it as .xlsx or .csv from a spreadsheet program"
        raise ConfigError.of(f"tests from `.xls` files are not supported: `{shown}`", source.where, hint)
    if ending not in {*_LISTED, *FUNCTIONS, ".jsonl", ".csv", ".xlsx"}:
        what = f"`{ending}` files" if ending else "files without an ending"
        raise ConfigError.of(f"tests from {what} are not supported: `{shown}`", source.where, _SUPPORTED)
    if not os.path.isfile(path):
        what = "is a folder, not a file" if os.path.isdir(path) else "does not exist"
        raise ConfigError.of(f"the file of tests `{shown}` {what}", source.where)
    if source.config is not None and ending not in FUNCTIONS:
        hint = "take `config` out: it is what the function of a script is called with"
        raise ConfigError.of(f"`config` has no effect on `{shown}`", source.where, hint)


def _generator(path: str, function: str | None, source: Source) -> Generator:
    where = source.where or Place(display_path(path))
    reference = PREFIX + os.path.abspath(path) + (f":{function}" if function else "")
    config = None if source.config is None else files_read(source.config, source.base_path, where)
    return Generator(UserCode(reference, source.base_path, where), config)


def _built(files: TestFiles, path: str, build: Build) -> tuple[TestCase, ...]:
    problems = Problems()

    def one(placed: tuple[Place, Json]) -> TestCase:
        place, entry = placed
        return placed_in_files(lambda: build(checked_entry(entry, place), place), files.base_path)

    tests = problems.attempt_each(files.listed(path), one)
    problems.check()
    return tuple(tests)
