"""`file://` values of variables and assertions: the content of files in place of their names."""

from __future__ import annotations

from pathlib import Path

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
from sagemaker_eval.model import Json, Place, compact_json

_SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py", ".rb"})
_BINARY = frozenset(
    {".pdf", ".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".svg", ".mp3", ".wav", ".ogg", ".flac", ".m4a"}
    | {".mp4", ".webm", ".mov", ".avi", ".mkv", ".docx", ".xlsx", ".xls", ".zip", ".gz"}
)
_YAML = frozenset({".yaml", ".yml"})


def variable_value(value: Json, base_path: str, where: Place) -> Json:
    """A variable with files in place of `file://` names, alone or in a list: text trimmed, YAML as compact JSON.

    A glob becomes the list of its files' values, sorted by name. Raises `ConfigError`.
    """
    if isinstance(value, str):
        return _files_value(value, base_path, where) if is_reference(value) else value
    if isinstance(value, list):
        return [_files_value(part, base_path, where) if is_reference(part) else part for part in value]
    return value


def assertion_value(value: Json, base_path: str, where: Place) -> Json:
    """An assertion's value with the file in place of a `file://` name: text trimmed, JSON and YAML parsed."""
    if not is_reference(value):
        return value
    path = _existing(value, base_path, where)
    match Path(path).suffix.lower():
        case ".txt":
            return read_text(path).strip()
        case ".json":
            return parse_json(read_text(path), path)
        case ".yaml" | ".yml":
            return parse_yaml(read_text(path), path)
        case ending:
            raise _not_yet(value, ending, where)


def no_file(reference: str, base_path: str, where: Place) -> ConfigError:
    """The error of a path or pattern that no file has; the hint says where it was looked for."""
    if is_glob(reference.removeprefix(PREFIX)):
        return ConfigError.of(f"no file matches `{reference}`", where, f"it was looked for in `{base_path}`")
    path = display_path(resolve(reference, base_path))
    return ConfigError.of(f"the file of `{reference}` does not exist", where, f"it was looked for at `{path}`")


def _files_value(reference: str, base_path: str, where: Place) -> Json:
    paths = expand_glob(reference, base_path)
    if paths == [resolve(reference, base_path)]:
        return _variable_text(paths[0], reference, where)
    if not paths:
        _refuse_scripts(reference, where)
        raise no_file(reference, base_path, where)
    return [_variable_text(path, reference, where) for path in paths]


def _variable_text(path: str, reference: str, where: Place) -> str:
    ending = Path(path).suffix.lower()
    if ending in _SCRIPTS or ending in _BINARY:
        raise _not_yet(reference, ending, where)
    if ending in _YAML:
        return compact_json(parse_yaml(read_text(path), path))
    return read_text(path).strip()


def _existing(reference: str, base_path: str, where: Place) -> str:
    _refuse_scripts(reference, where)
    path = resolve(reference, base_path)
    if not Path(path).is_file():
        raise no_file(reference, base_path, where)
    return path


def _refuse_scripts(reference: str, where: Place) -> None:
    ending = Path(split_function(reference)[0]).suffix.lower()
    if ending in _SCRIPTS:
        raise _not_yet(reference, ending, where)


def _not_yet(reference: str, ending: str, where: Place) -> ConfigError:
    return ConfigError.of(f"`{reference}`: files that end in `{ending}` are not yet supported here", where)
