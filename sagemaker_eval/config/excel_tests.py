"""Tests from Excel workbooks: a sheet with a header row, then one test per row."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO
from zipfile import BadZipFile

from sagemaker_eval.config.explaining import listed
from sagemaker_eval.config.streamed_tests import Entries, Read
from sagemaker_eval.config.test_columns import TableOptions, TestColumns
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.text.templating.javascript_values import to_text


def excel_reader(sheet: str | None, options: TableOptions) -> Read:
    """What reads a sheet of an `.xlsx` file: by its name or its number from 1; the first without either.

    Cells become text as promptfoo has it (`5`, `0.5`, `true`, no blanks at the ends), dates become ISO 8601, formulas
    the results that were saved with them. Rows without any content do not count.
    """

    def entries(file: str, path: str) -> Entries:
        with open(file, "rb") as content:
            yield from _entries(_sheet(_opened(content, path), sheet, path), path, options)

    return entries


def _opened(content: BinaryIO, path: str) -> Any:
    import openpyxl  # only who has workbooks waits for it

    try:
        with warnings.catch_warnings(action="ignore"):
            return openpyxl.load_workbook(content, read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError) as error:
        hint = "save it as `.xlsx` or `.csv` from a spreadsheet program"
        raise ConfigError.of(f"this is not an Excel workbook: {error}", Place(path), hint) from None


def _sheet(workbook: Any, wanted: str | None, path: str) -> Any:
    names: list[str] = list(workbook.sheetnames)
    if wanted is None:
        wanted = "1"
    if wanted in names:
        return workbook[wanted]
    if wanted.strip().isdecimal() and 1 <= int(wanted) <= len(names):
        return workbook[names[int(wanted) - 1]]
    nearest = nearest_name(wanted, names)
    suggestion = f"did you mean `{nearest}`? " if nearest else ""
    raise ConfigError.of(f"there is no sheet `{wanted}`", Place(path), f"{suggestion}sheets: {listed(tuple(names))}")


def _entries(sheet: Any, path: str, options: TableOptions) -> Entries:
    rows = _rows(sheet)
    line, header = next(rows, (1, []))
    columns = TestColumns(header, Place(path, line), options)
    width = len(columns)
    for number, (line, row) in enumerate(rows, start=1):
        if len(row) > width:
            raise ConfigError.of(
                f"the row has {len(row)} columns, the header has {width}", Place(path, line), "name every column"
            )
        yield columns.entry(row + [""] * (width - len(row)), number, line)


def _rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    """The rows with any content, as text without empty cells at their ends, each with its number."""
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()  # what the file tells of its size is often wrong
    for number, cells in enumerate(_quietly(sheet.iter_rows(values_only=True)), start=1):
        row = [_text(cell) for cell in cells]
        while row and not row[-1].strip():
            row.pop()
        if row:
            yield number, row


def _quietly(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The rows, without openpyxl's warnings of styles and validations, which mean nothing here."""
    while True:
        with warnings.catch_warnings(action="ignore"):
            row = next(rows, None)
        if row is None:
            return
        yield row


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case bool() | int() | float():
            return to_text(value)
        case _:
            return str(value)
