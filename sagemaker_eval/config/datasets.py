"""Where tests come from: YAML and JSON files, which are read whole, CSV and JSONL files, which are streamed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sagemaker_eval.config.csv_tests import csv_delimiter, read_csv
from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.references import (
    PREFIX,
    display_path,
    expand_glob,
    is_glob,
    is_reference,
    resolve,
    split_function,
)
from sagemaker_eval.config.streamed_tests import Build, Entries, StreamedTests
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, TestCase, Tests

_SUPPORTED = "give tests as .yaml, .yml, .json, .jsonl or .csv"
_REMOTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


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


def open_tests(source: str, base_path: str, build: Build, where: Place | None = None, *, delimiter: str = ",") -> Tests:
    """The tests of the file or files that `source`, a path or glob with or without `file://`, names.

    YAML and JSON files are read here: a list of tests, or one test. CSV and JSONL files are read by each pass over the
    result, so that theirs are the problems that the first pass raises. `where` is where `source` is written.
    Raises `ConfigError` where nothing matches, where an ending is not supported, and for what `build` refuses.
    """
    if _REMOTE.match(source) and not is_reference(source):
        raise ConfigError.of(f"tests from `{source}` are not yet supported", where, _SUPPORTED)
    problems = Problems()
    files = _files(source, base_path, where)
    parts = problems.attempt_each(files, lambda path: _open(path, build, where, delimiter))
    problems.check()
    return parts[0] if len(parts) == 1 else ConcatenatedTests(parts)


def _files(source: str, base_path: str, where: Place | None) -> list[str]:
    files = expand_glob(source, base_path)
    if files:
        return files
    if is_glob(source):
        message = f"no file matches `{source.removeprefix(PREFIX)}`"
        raise ConfigError.of(message, where, f"the pattern starts at the folder `{display_path(base_path)}`")
    return [resolve(source, base_path)]


def _open(path: str, build: Build, where: Place | None, delimiter: str) -> Tests:
    ending = _ending(path)
    if ending not in (".yaml", ".yml", ".json", ".jsonl", ".csv"):
        what = f"`{ending}` files" if ending else "files without an ending"
        raise ConfigError.of(f"tests from {what} are not yet supported: `{display_path(path)}`", where, _SUPPORTED)
    if not os.path.isfile(path):
        what = "is a folder, not a file" if os.path.isdir(path) else "does not exist"
        raise ConfigError.of(f"the file of tests `{display_path(path)}` {what}", where)
    shown = display_path(path)
    if ending == ".csv":
        one = csv_delimiter(delimiter, where)
        return StreamedTests(shown, lambda lines, path: read_csv(lines, path, one), build)
    if ending == ".jsonl":
        return StreamedTests(shown, read_jsonl, build)
    return _listed(shown, ending, build)


def _ending(path: str) -> str:
    if not os.path.isfile(path):  # `x.py:function` or `x.xlsx#Sheet`, to be refused by their ending
        path = split_function(path)[0].partition("#")[0]
    return os.path.splitext(path)[1].lower()


def _listed(path: str, ending: str, build: Build) -> Tests:
    text = read_text(path)
    document = parse_json(text, path) if ending == ".json" else parse_yaml(text, path)
    if document is None:
        return ListedTests(())
    if isinstance(document, list):
        entries = [(Place(path, pointer=(index,)), entry) for index, entry in enumerate(document)]
    else:
        entries = [(Place(path), document)]
    problems = Problems()
    tests = problems.attempt_each(entries, lambda placed: build(_test_object(placed[1], placed[0]), placed[0]))
    problems.check()
    return ListedTests(tuple(tests))


def _test_object(entry: Json, place: Place) -> Mapping[str, Json]:
    if not isinstance(entry, dict):
        hint = "the keys of a test are `vars`, `assert` and the like"
        raise ConfigError.of(f"a test must be a map, not {describe(entry)}", place, hint)
    return entry


def read_jsonl(lines: Iterable[str], path: str) -> Entries:
    """The objects of a JSON Lines file; blank lines do not count. Raises `ConfigError` for any other line."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield number, _test_object(parse_json(line, path, number), Place(path, number))
