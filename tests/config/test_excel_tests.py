from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from sagemaker_eval.config.excel_tests import excel_reader
from sagemaker_eval.config.streamed_tests import Entry
from sagemaker_eval.config.test_columns import TableOptions
from sagemaker_eval.errors import ConfigError

Sheets = dict[str, list[list[Any]]]


def saved(folder: Path, sheets: Sheets) -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = folder / "t.xlsx"
    workbook.save(path)
    return path


def read(path: Path, sheet: str | None = None) -> list[Entry]:
    return list(excel_reader(sheet, TableOptions())(str(path), "t.xlsx"))


def refused(path: Path, sheet: str | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, sheet)
    return str(caught.value)


def test_rows_become_entries(tmp_path: Path) -> None:
    path = saved(tmp_path, {"A": [["q", " __expected "], ["one", "contains: x"], [None, None], ["two", None]]})
    assert read(path) == [
        Entry(
            2,
            {"vars": {"q": "one"}, "description": "Row #1", "assert": [{"type": "contains", "value": "x"}]},
            ("__expected",),
        ),
        Entry(4, {"vars": {"q": "two"}, "description": "Row #2"}),
    ]


def test_cells_become_text(tmp_path: Path) -> None:
    values: list[Any] = [5, 5.0, 0.1, True, None, " x ", datetime.date(2024, 1, 5), datetime.datetime(2024, 1, 5, 6, 7)]
    path = saved(tmp_path, {"A": [[f"v{index}" for index in range(len(values))], values]})
    (entry,) = read(path)
    texts = ["5", "5", "0.1", "true", "", "x", "2024-01-05", "2024-01-05T06:07:00"]
    assert list(entry.raw["vars"].values()) == texts


@pytest.mark.parametrize(("sheet", "expected"), [(None, "1"), ("First", "1"), ("Second", "2"), ("2", "2"), ("7", "3")])
def test_a_sheet_goes_by_name_or_number(tmp_path: Path, sheet: str | None, expected: str) -> None:
    path = saved(tmp_path, {"First": [["n"], [1]], "Second": [["n"], [2]], "7": [["n"], [3]]})
    assert [entry.raw["vars"]["n"] for entry in read(path, sheet)] == [expected]


def test_what_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, {"First": [["a", None, "b"], [1, 2, 3]], "Wide": [["a"], [1, 2]], "Empty": []})
    assert refused(path, "Frist") == "t.xlsx: there is no sheet `Frist`"
    assert refused(path, "4") == "t.xlsx: there is no sheet `4`"
    assert refused(path) == "t.xlsx:1: column 2 has no name"
    assert refused(path, "Wide") == "t.xlsx:2: the row has 2 columns, the header has 1"
    assert refused(path, "Empty") == "t.xlsx:1: the file has no header row"
    path.write_text("a,b\n")
    assert refused(path) == "t.xlsx: this is not an Excel workbook: File is not a zip file"
