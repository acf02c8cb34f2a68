"""`file://` values of variables and assertions: the content of files in place of their names."""

from __future__ import annotations

import os
from pathlib import Path

from sagemaker_eval.config.media_values import MEDIA, media_value
from sagemaker_eval.config.references import (
    PREFIX,
    display_path,
    expand_glob,
    is_glob,
    is_reference,
    resolve,
    split_function,
)
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, UserCode, compact_json

FUNCTIONS = frozenset({".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py"})
"""Endings of files that hold functions."""

MOST_BYTES = 64 * 2**20
"""Of one file. An endpoint takes 25 MB at most, and each test holds its own values."""

_UNREADABLE = {
    ".pdf": "save its text as a `.txt` or `.md` file",
    ".docx": "save its text as a `.txt` or `.md` file",
    ".xlsx": "save the sheet as a `.csv` file",
    ".xls": "save the sheet as a `.csv` file",
    ".zip": "unpack it and name a file of it",
    ".gz": "unpack it and name the file",
    ".rb": "write the function in Python or JavaScript",
}
"""Endings that cannot become a text, with what to do."""

_YAML = frozenset({".yaml", ".yml"})


def variable_value(value: Json, base_path: str, where: Place) -> Json:
    """A variable with files in place of `file://` names, alone or in a list.

    Text is trimmed, YAML becomes compact JSON, an image a data URL, sound and video base64, a script a `UserCode` that
    makes the value for each case. A glob becomes the list of its files' values, sorted by name; within a list it
    becomes several elements. Raises `ConfigError`.
    """
    if isinstance(value, str):
        return _files_value(value, base_path, where) if is_reference(value) else value
    if not isinstance(value, list) or not any(map(is_reference, value)):
        return value
    values: list[Json] = []
    for part in value:
        found = _files_value(part, base_path, where) if is_reference(part) else part
        if isinstance(found, list) and is_reference(part):
            values += found
        else:
            values.append(found)
    return values


def assertion_value(value: Json, base_path: str, where: Place) -> Json:
    """An assertion's value with the file in place of a `file://` name: text trimmed, JSON and YAML parsed.

    A script becomes a `UserCode`: the check itself, or what makes the value for each case.
    """
    if not is_reference(value):
        return value
    file = split_function(value)[0]
    path = resolve(file, base_path)
    if not os.path.isfile(path):
        raise no_file(file, base_path, where)
    match Path(path).suffix.lower():
        case ".txt":
            return read_text(path).strip()
        case ".json":
            return parse_json(read_text(path), path)
        case ".yaml" | ".yml":
            return parse_yaml(read_text(path), path)
        case ending if ending in FUNCTIONS:
            return UserCode(value, base_path, where)
        case ending:
            message = f"`{value}`: files that end in `{ending}` cannot be the value of an assertion"
            raise ConfigError.of(message, where, _UNREADABLE.get(ending, "give it as .txt, .json, .yaml, .js or .py"))


def no_file(reference: str, base_path: str, where: Place) -> ConfigError:
    """The error of a path or pattern that no file has; the hint says where it was looked for."""
    if is_glob(reference.removeprefix(PREFIX)):
        return ConfigError.of(f"no file matches `{reference}`", where, f"it was looked for in `{base_path}`")
    path = display_path(resolve(reference, base_path))
    return ConfigError.of(f"the file of `{reference}` does not exist", where, f"it was looked for at `{path}`")


def _files_value(reference: str, base_path: str, where: Place) -> Json:
    file, function = split_function(reference)
    paths = expand_glob(file, base_path)
    if not paths:
        raise no_file(file, base_path, where)
    if paths == [resolve(file, base_path)]:
        return _value(paths[0], reference, base_path, where)
    values = []
    for path in paths:
        name = f":{function}" if function else ""
        values.append(_value(path, f"{PREFIX}{os.path.abspath(path)}{name}", base_path, where))
    return values


def _value(path: str, reference: str, base_path: str, where: Place) -> Json:
    ending = Path(path).suffix.lower()
    if ending in FUNCTIONS:
        return UserCode(reference, base_path, where)
    if ending in _UNREADABLE:
        message = f"`{display_path(path)}`: files that end in `{ending}` cannot be a value"
        raise ConfigError.of(message, where, _UNREADABLE[ending])
    _check_size(path, where)
    if ending in MEDIA:
        return _media(path, where)
    if ending in _YAML:
        return compact_json(parse_yaml(read_text(path), path))
    return read_text(path).strip()


def _media(path: str, where: Place) -> str:
    try:
        return media_value(path)
    except OSError as error:
        raise ConfigError.of(f"the file `{display_path(path)}` cannot be read: {error.strerror}", where) from None


def _check_size(path: str, where: Place) -> None:
    size = os.path.getsize(path)
    if size > MOST_BYTES:
        message = f"`{display_path(path)}` has {size / 2**20:,.0f} MiB, and a value may have {MOST_BYTES // 2**20}"
        raise ConfigError.of(message, where, "a SageMaker endpoint takes at most 25 MB")
