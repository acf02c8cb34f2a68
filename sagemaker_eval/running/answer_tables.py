"""Answers in a table: CSV whose header names variables, `output`, and what else an answer may say.

Answers of several providers stand in columns of their own, `output:<provider>`, or in rows with a `provider`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from sagemaker_eval.config.yaml_loader import read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place

OUTPUT = "output"

_OF_PROVIDER = "output:"
_MAX_FIELD = 2**26
"""Characters of one value. The default of the csv module, 2^17, is less than a long document."""
_AS_JSON = frozenset({"tokenUsage", "metadata"})


def csv_entries(path: Path, variables: Collection[str], delimiter: str) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """The answers of a table: one for each row, or one for each row and `output:` column.

    Raises `ConfigError` with the line for broken quotes, a row of another width, and a header without outputs.
    """
    records = _records(path, delimiter)
    line, header = next(records, (1, []))
    names = [name.strip() for name in header]
    place = Place(str(path), line)
    outputs = [name for name in names if name == OUTPUT or name.startswith(_OF_PROVIDER)]
    _check_header(names, outputs, place)
    for line, cells in records:
        place = Place(str(path), line)
        if len(cells) != len(names):
            raise ConfigError.of(
                f"the row has {len(cells)} columns, the header has {len(names)}",
                place,
                "put values that contain the delimiter in double quotes",
            )
        row = dict(zip(names, cells, strict=True))
        said = {name: _value(name, cell, place, variables) for name, cell in row.items() if name not in outputs}
        for name in outputs:
            provider = {} if name == OUTPUT else {"provider": name.removeprefix(_OF_PROVIDER).strip()}
            yield place, {**said, **provider, OUTPUT: row[name]}


def _check_header(names: list[str], outputs: list[str], place: Place) -> None:
    repeated = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if repeated is not None:
        raise ConfigError.of(f"the column `{repeated}` stands twice in the header", place)
    if not outputs:
        raise ConfigError.of(
            "the header has no column `output`",
            place,
            "the columns are the variables of the tests and `output`, or `output:<provider>` for each of several",
        )
    if OUTPUT in outputs and len(outputs) > 1:
        raise ConfigError.of("the header has both `output` and `output:<provider>`", place, "keep one of them")


def _value(name: str, cell: str, place: Place, variables: Collection[str]) -> Any:
    """The cell as text, or what its JSON says where the column holds an object."""
    if name not in _AS_JSON or name in variables or not cell.strip():
        return cell if name not in _AS_JSON or name in variables else None
    try:
        return json.loads(cell)
    except ValueError as error:
        raise ConfigError.of(f"the column `{name}` holds JSON, and this is none: `{cell[:60]}`", place) from error


def _records(path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, with the lines they begin on."""
    csv.field_size_limit(_MAX_FIELD)  # the csv module has one limit for the process
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            hint = 'inside double quotes, a quote is written `""`'
            raise ConfigError.of(f"the row cannot be read: {error}", Place(str(path), begins), hint) from None
        if record is None:
            return
        if any(cell.strip() for cell in record):
            yield begins, record
        begins = reader.line_num + 1
