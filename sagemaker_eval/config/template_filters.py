"""`nunjucksFilters` and `filters`: the user's own template filters, in JavaScript and in Python."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from sagemaker_eval.config.explaining import KeyProblem, describe, misshapen
from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import PREFIX, expand_glob, is_glob, is_reference, split_function
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, UserCode

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_INLINE_PYTHON = "python:"

_Written = tuple[str, Json, Place]
"""A filter's name, what stands there, and where."""


def build_filters(document: Mapping[str, Json], where: Place, base_path: str) -> dict[str, UserCode]:
    """The filters of a document, by name. Raises `ConfigError`, also where both maps have a name."""
    problems = Problems()
    scripts = _entries(document, "nunjucksFilters", where, problems)
    own = _entries(document, "filters", where, problems)
    found = problems.attempt_each(scripts, lambda entry: (entry[0], _javascript(entry, base_path)))
    found += problems.attempt_each(own, lambda entry: (entry[0], _python(entry, base_path)))
    for name, _, place in own:
        if any(name == other for other, _, _ in scripts):
            hint = "keep one of them: both are filters of templates"
            problems.keep(KeyProblem(f"`{name}` stands under `nunjucksFilters` too", place, hint))
    problems.check()
    return dict(found)


def _entries(document: Mapping[str, Json], key: str, where: Place, problems: Problems) -> list[_Written]:
    """The filters under `key` that have a name by which templates can call them."""
    raw, place = document.get(key), within(where, key)
    if not isinstance(raw, Mapping | None):
        problems.add(f"`{key}` must be a map of names to files, not {describe(raw)}", place)
        return []
    entries = []
    for name, source in (raw or {}).items():
        if _NAME.fullmatch(name):
            entries.append((name, source, within(place, name)))
        else:
            hint = "a name has letters, digits and `_`, and begins with no digit"
            problems.keep(KeyProblem(f"`{name}` cannot be called as a filter", within(place, name), hint))
    return entries


def _javascript(entry: _Written, base_path: str) -> UserCode:
    """A file, with or without `file://`; of a glob the last match. It may end in `:function`."""
    _, source, where = entry
    if not isinstance(source, str) or not source.strip():
        raise misshapen("the path of a JavaScript file", source, where)
    path, function = split_function(source.strip().removeprefix(PREFIX))
    if path.endswith(".py") or source.startswith(_INLINE_PYTHON):
        raise ConfigError.of("a filter in Python stands under `nunjucksFilters`", where, "write it under `filters`")
    return UserCode(_file(path, function, base_path, where), base_path, where)


def _python(entry: _Written, base_path: str) -> UserCode:
    """`file://x.py[:fn]`, or code after `python:`."""
    _, source, where = entry
    if isinstance(source, str) and source.startswith(_INLINE_PYTHON):
        return UserCode(source, base_path, where)
    path, function = split_function(source.removeprefix(PREFIX)) if is_reference(source) else ("", None)
    if not path.endswith(".py"):
        hint = "a filter in JavaScript stands under `nunjucksFilters`"
        raise misshapen("`file://x.py[:function]`, or code after `python:`", source, where, hint)
    return UserCode(_file(path, function, base_path, where), base_path, where)


def _file(path: str, function: str | None, base_path: str, where: Place) -> str:
    """The reference to the file that a path or pattern means."""
    matches = expand_glob(path, base_path)
    if not matches:
        raise no_file(PREFIX + path, base_path, where)
    relative = os.path.relpath(matches[-1], base_path) if is_glob(path) else path
    return PREFIX + relative + (f":{function}" if function else "")
