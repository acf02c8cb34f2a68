"""Files that templates and JavaScript may name: those below the folder of the configuration, and no others.

A path that is written in a configuration may lead anywhere: whoever wrote it knew where. One that is made of the values
of variables may not, or a value could have any file of the user's read and sent to an endpoint.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from sagemaker_eval.config.environment import render_env
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import expand_glob, is_reference, split_function
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place, UserCode
from sagemaker_eval.text.code import is_python

_PATHS = frozenset({"envFile", "envPath", "path", "plugins", "prompts", "raw", "scenarios", "tests", "vars"})
"""Keys whose texts may be paths without `file://`."""

_MAPS_OF_PATHS = frozenset({"filters", "nunjucksFilters"})
_PYTHON = re.compile(r"python:(\S+\.py(?::\w+)?)")
_SHEET = re.compile(r"(\.xlsx?)#.*", re.IGNORECASE | re.DOTALL)


def rendered_within(document: Json, environ: Mapping[str, str], base_path: str, path: str = "") -> Json:
    """`render_env`, which raises `ConfigError` too for each path that it made and that leads out of `base_path`."""
    made = render_env(document, environ, path)
    _check_all(document, made, base_path, Place(path))
    return made


def check_made(value: Json, code: UserCode) -> None:
    """Raise `ConfigError` where JavaScript made names of files outside its folder; Python may do as it likes."""
    if not is_python(code.source):
        _check_all(None, value, code.base_path, code.where or Place(""))


def _check_all(written: Json, made: Json, base_path: str, where: Place) -> None:
    problems = Problems()
    for text, place in _changed(written, made, where):
        problems.attempt(lambda text=text, place=place: _check(text, base_path, place))  # type: ignore[misc]
    problems.check()


def _changed(written: Json, made: Json, where: Place) -> Iterator[tuple[str, Place]]:
    """The texts of `made` that are not those of `written`, with their places."""
    if made is written:
        return
    if isinstance(made, str):
        if made != written:
            yield made, where
    elif isinstance(made, Mapping):
        before = written if isinstance(written, Mapping) else {}
        for key, value in made.items():
            yield from _changed(before.get(key), value, within(where, key))
    elif isinstance(made, list):
        items = written if isinstance(written, list) else []
        for index, value in enumerate(made):
            yield from _changed(items[index] if index < len(items) else None, value, within(where, index))


def _check(text: str, base_path: str, where: Place) -> None:
    script = _PYTHON.fullmatch(text.strip())
    if is_reference(text) or script:
        _refuse_outside(script[1] if script else text, base_path, where)
    elif _may_be_path(where):
        for part in {text, *text.split(",")}:
            if _files(part, base_path):
                _refuse_outside(part, base_path, where)


def _may_be_path(where: Place) -> bool:
    keys = [step for step in where.pointer if isinstance(step, str)]
    return bool(_PATHS.intersection(keys[-1:]) or _MAPS_OF_PATHS.intersection(keys[-2:-1]))


def _refuse_outside(reference: str, base_path: str, where: Place) -> None:
    root = os.path.realpath(base_path)
    named = os.path.join(base_path, os.path.expanduser(_file_of(reference)))
    for path in (named, *_files(reference, base_path)):
        if not Path(os.path.realpath(path)).is_relative_to(root):
            raise ConfigError.of(
                f"`{reference}` is outside the folder of the configuration, and its path was not written there: "
                "it was made from the value of a variable or by code",
                where,
                f"a path that is made has to stay below `{root}`; others have to be written out",
            )


def _files(reference: str, base_path: str) -> list[str]:
    """The existing files that a path or a pattern means."""
    return expand_glob(_file_of(reference), base_path)


def _file_of(reference: str) -> str:
    path = reference.strip().removeprefix("file://")
    return _SHEET.sub(r"\1", split_function(path)[0])
