"""`file://` names inside documents that files hold: the content of those files in their place."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import expand_glob, is_reference, resolve, split_function
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_KEPT = "vars"
"""Under this key `file://` names stay as they are: a variable is read where it is used."""


def with_files(document: Json, base_path: str, where: Place) -> Json:
    """`document` with files in place of `file://` names, which are relative to `base_path`.

    JSON and YAML are parsed, CSV is its rows (as maps, or as values where there is one column), anything else is text
    as it stands; a glob is one list of all that its files hold. What a file holds is not searched again. Raises
    `ConfigError` for files that are missing or broken, and for functions of scripts.
    """
    if isinstance(document, dict):
        return {
            key: value if key == _KEPT else with_files(value, base_path, within(where, key))
            for key, value in document.items()
        }
    if isinstance(document, list):
        return [with_files(value, base_path, within(where, index)) for index, value in enumerate(document)]
    return _content(document, base_path, where) if is_reference(document) else document


def _content(reference: str, base_path: str, where: Place) -> Json:
    if split_function(reference)[1] is not None:
        raise ConfigError.of(f"`{reference}`: a function cannot be called here", where, _FUNCTION_HINT)
    paths = expand_glob(reference, base_path)
    if not paths:
        raise no_file(reference, base_path, where)
    if paths == [Path(resolve(reference, base_path)).as_posix()]:
        return _parsed(paths[0])
    parts = [_parsed(path) for path in paths]
    return [item for part in parts for item in (part if isinstance(part, list) else [part])]


_FUNCTION_HINT = "name the script without a function to have its text here"


def _parsed(path: str) -> Json:
    text = read_text(path)
    match Path(path).suffix.lower():
        case ".json":
            return parse_json(text, path)
        case ".yaml" | ".yml":
            return parse_yaml(text, path)
        case ".csv":
            return _rows(text, path)
        case _:
            return text


def _rows(text: str, path: str) -> Json:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        records = [record for record in reader if record]
    except csv.Error as error:
        raise ConfigError.of(f"the row that ends here cannot be read: {error}", Place(path, reader.line_num)) from None
    header, rows = (records[0], records[1:]) if records else ([], [])
    if uneven := next((row for row in rows if len(row) != len(header)), None):
        message = f"a row has {len(uneven)} columns, the header has {len(header)}"
        raise ConfigError.of(message, Place(path), "put values that contain the delimiter in double quotes")
    if len(header) == 1:
        return [value for (value,) in rows]
    return [dict(zip(header, row, strict=True)) for row in rows]
