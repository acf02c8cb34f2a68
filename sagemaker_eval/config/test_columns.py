"""The columns of a table of tests: variables, and those with a meaning of their own, such as `__expected`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sagemaker_eval.config.expected_column import check_limit, parse_expected, parse_number
from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.streamed_tests import Entry
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place

_PLAIN = frozenset({"__prefix", "__suffix", "__description", "__providerOutput", "__metric", "__threshold"})
_MEANINGS = ("config", "description", "expected", "metadata", "metric", "prefix", "providerOutput", "suffix")
_LOOK_ALIKE = re.compile(rf"_({'|'.join(_MEANINGS)}|threshold)")
_UNESCAPED_COMMA = re.compile(r"(?<!\\),")
_EXPECTED_NUMBER = re.compile(r"__expected(\d*)", re.ASCII)


def ignore(_: str) -> None:
    """A notice that nobody hears."""


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How tables of tests are read. `assertion_types` are those there are; `notice` hears of doubtful columns."""

    delimiter: str = ","
    assertion_types: tuple[str, ...] = ()
    notice: Callable[[str], None] = ignore


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    name: str


@dataclass(frozen=True, slots=True)
class _Metadata(_Column):
    key: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class _Threshold(_Column):
    """The threshold of the assertion in the column `target`."""

    target: int


class TestColumns:
    """A header. Raises `ConfigError` at `where` for names that are missing, repeated or malformed."""

    __test__ = False

    def __init__(self, header: Sequence[str], where: Place, options: TableOptions) -> None:
        self._path = where.path
        self._known = options.assertion_types
        names = [name.strip() for name in header]
        _check_names(names, where)
        columns = [_Column(index, name) for index, name in enumerate(names)]
        self._plain = {column.name: column for column in columns if column.name in _PLAIN}
        self._expected = [column for column in columns if column.name.startswith("__expected")]
        self._metadata = [_metadata(column, where) for column in columns if column.name.startswith("__metadata:")]
        thresholds = [column for column in columns if column.name.startswith("__config:")]
        self._thresholds = [_threshold(column, self._expected, where) for column in thresholds]
        special = {*self._plain.values(), *self._expected, *thresholds}
        special |= {column for column in columns if column.name.startswith("__metadata:")}
        self._variables = [(column.index, column.name) for column in columns if column not in special]
        self._only_variables = not special
        self._names = names
        for _, name in self._variables:
            _tell_of_look_alike(name, where, options.notice)

    def __len__(self) -> int:
        return len(self._names)

    def entry(self, cells: Sequence[str], number: int, line: int) -> Entry:
        """The test of a row, the `number`th of its table, which begins on `line`. Raises `ConfigError` there."""
        if self._only_variables:
            raw: dict[str, Json] = {"vars": dict(zip(self._names, cells, strict=True)), "description": f"Row #{number}"}
            return Entry(line, raw)
        place = Place(self._path, line)
        raw = {
            "vars": {name: cells[index] for index, name in self._variables},
            "description": self._cell("__description", cells) or f"Row #{number}",
        }
        raw |= dict(self._settings(cells, place))
        filled = [column for column in self._expected if cells[column.index].strip()]
        thresholds = dict(self._thresholds_of(cells, place, filled))
        metadata = dict(self._metadata_of(cells))
        for threshold in thresholds.values():
            metadata["threshold"] = threshold
        if filled:
            raw["assert"] = self._assertions(cells, place, filled, thresholds)
        if metadata:
            raw["metadata"] = metadata
        return Entry(line, raw, tuple(column.name for column in filled))

    def _settings(self, cells: Sequence[str], place: Place) -> Iterator[tuple[str, Json]]:
        options = {name: cell for name in ("prefix", "suffix") if (cell := self._cell(f"__{name}", cells))}
        if options:
            yield "options", options
        if output := self._cell("__providerOutput", cells):
            yield "providerOutput", output
        if self._cell("__threshold", cells).strip():
            yield "threshold", _number(self._plain["__threshold"], cells, place)

    def _assertions(
        self, cells: Sequence[str], place: Place, filled: list[_Column], thresholds: dict[int, float]
    ) -> list[dict[str, Json]]:
        """The assertion of each filled column; `thresholds` are by the column's index."""
        metric = self._cell("__metric", cells).strip()
        return [
            self._assertion(cells[column.index], column, place, thresholds.get(column.index), metric)
            for column in filled
        ]

    def _assertion(
        self, cell: str, column: _Column, place: Place, threshold: float | None, metric: str
    ) -> dict[str, Json]:
        try:
            assertion = parse_expected(cell, self._known)
            if threshold is not None:
                assertion["threshold"] = threshold
            check_limit(assertion)
        except ConfigError as error:
            raise ConfigError(_in_column(problem, column, place) for problem in error.problems) from None
        return assertion | ({"metric": metric} if metric else {})

    def _thresholds_of(self, cells: Sequence[str], place: Place, filled: list[_Column]) -> Iterator[tuple[int, float]]:
        """The values of `__config` columns, each with the index of the filled column that it is about."""
        indexes = {column.index for column in filled}
        for column in self._thresholds:
            if column.target in indexes and cells[column.index].strip():
                yield column.target, _number(column, cells, place)

    def _metadata_of(self, cells: Sequence[str]) -> Iterator[tuple[str, Json]]:
        for column in self._metadata:
            cell = cells[column.index]
            if not cell.strip():
                continue
            if column.is_list:
                yield column.key, [part.strip().replace("\\,", ",") for part in _UNESCAPED_COMMA.split(cell)]
            else:
                yield column.key, cell

    def _cell(self, name: str, cells: Sequence[str]) -> str:
        """The cell of a column, empty where there is no such column."""
        column = self._plain.get(name)
        return cells[column.index] if column else ""


def _check_names(names: list[str], where: Place) -> None:
    if not names:
        raise ConfigError.of("the file has no header row", where, "name the variables in its first line")
    empty = [str(position) for position, name in enumerate(names, start=1) if not name]
    if empty:
        raise ConfigError.of(f"column {', '.join(empty)} has no name", where, "every column is a variable: name it")
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        quoted = ", ".join(f"`{name}`" for name in repeated)
        raise ConfigError.of(
            f"column{'s' if len(repeated) > 1 else ''} {quoted} more than once", where, "rename one of them"
        )


def _metadata(column: _Column, where: Place) -> _Metadata:
    key = column.name.removeprefix("__metadata:")
    name = key.removesuffix("[]")
    if not name:
        raise ConfigError.of(f"column `{column.name}` names no key", where, "for example `__metadata:category`")
    return _Metadata(column.index, column.name, name, key.endswith("[]"))


def _threshold(column: _Column, expected: list[_Column], where: Place) -> _Threshold:
    """The column that a `__config` column is about: the one of that name, else the one at that position from 1."""
    target, _, setting = column.name.removeprefix("__config:").rpartition(":")
    match = _EXPECTED_NUMBER.fullmatch(target)
    if match is None or match[1].strip("0") == "" != match[1] or setting != "threshold":
        hint = "for example `__config:__expected:threshold` or `__config:__expected2:threshold`"
        raise ConfigError.of(f"column `{column.name}` is not a setting of an assertion", where, hint)
    by_name = [other for other in expected if other.name == target]
    position = int(match[1] or 1)
    found = by_name or expected[position - 1 : position]
    if not found:
        raise ConfigError.of(f"column `{column.name}` is about a column that is not there", where)
    return _Threshold(column.index, column.name, found[0].index)


def _tell_of_look_alike(name: str, where: Place, notice: Callable[[str], None]) -> None:
    if _LOOK_ALIKE.match(name):
        notice(f"{where.path}: the column `{name}` is an ordinary variable; did you mean `_{name}`?")
    elif name == "__metadata":
        notice(f"{where.path}: the column `__metadata` is an ordinary variable; did you mean `__metadata:key`?")
    elif name.startswith("__"):
        notice(f"{where.path}: the column `{name}` is an ordinary variable: it has no meaning of its own")


def _number(column: _Column, cells: Sequence[str], place: Place) -> float:
    cell = cells[column.index]
    number = parse_number(cell)
    if number is None:
        raise ConfigError.of(f"column `{column.name}`: must be a number, not {describe(cell)}", place)
    return number


def _in_column(problem: Problem, column: _Column, place: Place) -> Problem:
    return Problem(f"column `{column.name}`: {problem.message}", place, problem.hint)
