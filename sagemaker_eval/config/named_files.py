"""Problems of what a `file://` name brings in: told where that file has them, not where its name stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sagemaker_eval.config.json_pointers import step_within, written_at
from sagemaker_eval.config.references import display_path, expand_glob, is_reference
from sagemaker_eval.config.yaml_loader import parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_DOCUMENTS = frozenset({".yaml", ".yml", ".json"})

T = TypeVar("T")


def placed_in_files(build: Callable[[], T], base_path: str) -> T:
    """What `build` makes of values that stand for files; its problems at their places within those files.

    Names are relative to `base_path`. Raises the `ConfigError` of `build`, and no other.
    """
    try:
        return build()
    except ConfigError as error:
        problems = (replace(problem, where=_followed(problem.where, base_path)) for problem in error.problems)
        raise ConfigError(problems, error.usable) from None


def named_document(value: Json, base_path: str) -> str | None:
    """The YAML or JSON file that a value names, as messages call it; None for all else, and for several files."""
    files = expand_glob(value, base_path) if is_reference(value) else []
    return display_path(files[0]) if len(files) == 1 and Path(files[0]).suffix.lower() in _DOCUMENTS else None


def _followed(where: Place | None, base_path: str) -> Place | None:
    if where is None or where.line is not None or Path(where.path).suffix.lower() not in _DOCUMENTS:
        return where
    try:
        value = parse_yaml(read_text(where.path), where.path)
    except ConfigError:
        return where
    pointer = written_at(value, where.pointer)
    for number, step in enumerate(pointer):
        if (file := named_document(value, base_path)) is not None:
            return Place(file, pointer=pointer[number:])
        found = step_within(value, step)
        if found is None:
            return where
        value = value[found]
    return where
