"""Tests from CSV (RFC 4180): a header row of column names, then one test per row."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from sagemaker_eval.config.streamed_tests import Entries
from sagemaker_eval.config.test_columns import TableOptions, TestColumns
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

_MAX_FIELD = 2**26
"""Characters of one value. The default of the csv module, 2^17, is less than a long document."""

_OTHER_DELIMITERS = (";", "\t")

_DEFAULTS = TableOptions()

_Record = tuple[int, list[str]]


def csv_delimiter(text: str, where: Place | None = None) -> str:
    """The delimiter that `text` means, `\\t` being a tab. Raises `ConfigError` for what cannot delimit."""
    delimiter = "\t" if text == "\\t" else text
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise ConfigError.of(f"`{text}` cannot delimit the columns of CSV", where, "give a single character, or `\\t`")
    return delimiter


def read_csv(lines: Iterable[str], path: str, options: TableOptions = _DEFAULTS) -> Entries:
    """The rows as entries, `Row #1` the first. Lines keep their ends.

    Names are trimmed, values are text as it stands, blank lines do not count. Raises `ConfigError` with the line for
    a row with more or fewer columns than the header, broken quotes, another delimiter, and what `TestColumns` refuses.
    """
    records = _records(lines, path, options.delimiter)
    line, header = next(records, (1, []))
    _check_delimiter(header, options.delimiter, Place(path, line))
    columns = TestColumns(header, Place(path, line), options)
    width = len(columns)
    for number, (line, row) in enumerate(records, start=1):
        if len(row) != width:
            raise _ragged(width, row, Place(path, line))
        yield columns.entry(row, number, line)


def _records(lines: Iterable[str], path: str, delimiter: str) -> Iterator[_Record]:
    """The records that are not blank, with the lines they begin on."""
    csv.field_size_limit(_MAX_FIELD)  # the csv module has one limit for the process
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise _broken(error, Place(path, begins)) from None
        if record is None:
            return
        if record and not (len(record) == 1 and record[0].isspace()):
            yield begins, record
        begins = reader.line_num + 1


def _check_delimiter(header: list[str], delimiter: str, where: Place) -> None:
    """Spreadsheet programs write `;` in half of the world: the whole header would be the name of one variable."""
    other = next((mark for mark in _OTHER_DELIMITERS if len(header) == 1 and mark in header[0].strip()), None)
    if other is not None and other != delimiter:
        written = other.replace("\t", "\\t")
        message = f"the header is a single column with `{written}` in its name, and the delimiter is `{delimiter}`"
        raise ConfigError.of(message, where, f"set the environment variable PROMPTFOO_CSV_DELIMITER to `{written}`")


def _ragged(width: int, row: list[str], where: Place) -> ConfigError:
    message = f"the row has {len(row)} column{'s' if len(row) != 1 else ''}, the header has {width}"
    return ConfigError.of(message, where, "put values that contain the delimiter in double quotes")


def _broken(error: csv.Error, where: Place) -> ConfigError:
    reason = str(error)
    doubled = 'inside double quotes, a quote is written `""`'
    if "unexpected end of data" in reason:
        return ConfigError.of("a double quote of the row that begins here is never closed", where, doubled)
    if "expected after" in reason:
        return ConfigError.of("text follows a closing quote in the row that begins here", where, doubled)
    if "field larger" in reason:
        message = f"a value is longer than {_MAX_FIELD:,} characters"
        return ConfigError.of(message, where, "look for a double quote that is never closed")
    return ConfigError.of(f"the row that begins here cannot be read: {reason}", where)
