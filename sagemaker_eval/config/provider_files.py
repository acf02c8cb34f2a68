"""Files of providers (`file://providers.yaml`), and files that stand for values in the `config` of one.

All paths are relative to the folder of the configuration, in provider files as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from sagemaker_eval.config.file_values import no_file
from sagemaker_eval.config.folder_tree import rendered_within
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.nested_files import with_files
from sagemaker_eval.config.places import within
from sagemaker_eval.config.provider_ids import FILE_ENDINGS
from sagemaker_eval.config.references import expand_glob, is_glob, is_reference, split_function
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place
from sagemaker_eval.text.scripts import JAVASCRIPT

Item: TypeAlias = tuple[Json, Place]
"""A provider as written, and where it stands."""


@dataclass(frozen=True, slots=True)
class FileContext:
    """What files are read with: the folder they are relative to, the environment of templates, and the problems."""

    base_path: str
    env: Mapping[str, str]
    problems: Problems


def names_provider_file(raw: Json) -> bool:
    """Whether an element of `providers` stands for the providers of one or more files."""
    if not is_reference(raw):
        return False
    return raw.lower().endswith(FILE_ENDINGS) or (is_glob(raw) and not _is_script(raw))


def providers_of_files(reference: str, where: Place, context: FileContext, trail: tuple[str, ...] = ()) -> list[Item]:
    """The providers of a file, or of all files that a pattern matches, sorted by name.

    A file holds a provider or a list of them, and may name further files. `trail` are the files that led here. What
    is wrong is added to `context.problems`.
    """
    problems = context.problems
    items: list[Item] = []
    for path in problems.attempt(lambda: _matches(reference, where, context.base_path)) or ():
        if path in trail:
            problems.add(f"`{reference}` leads back to the file that it stands in", where)
            continue
        for raw, place in problems.attempt(partial(_items, path, context.env, context.base_path)) or ():
            if names_provider_file(raw):
                items += providers_of_files(raw, place, context, (*trail, path))
            else:
                items.append((raw, place))
    return items


def config_with_files(value: Json, where: Place, base_path: str, *, scripts: bool) -> Json:
    """A `config` with the content of files in place of `file://` names: JSON and YAML parsed, CSV as its rows.

    Any other file is its text, and a pattern the list of all that its files hold. `scripts` says whether the names of
    scripts mean something to whoever gets the value: they stay, else they are refused. Raises `ConfigError`.
    """
    if isinstance(value, Mapping):
        return {
            key: config_with_files(inner, within(where, key), base_path, scripts=scripts)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [config_with_files(inner, within(where, i), base_path, scripts=scripts) for i, inner in enumerate(value)]
    if not is_reference(value):
        return value
    if not _is_script(value):
        return with_files(value, base_path, where)
    if scripts:
        return value
    hint = "load it in the provider itself: its path is relative to the configuration"
    raise ConfigError.of(f"`{value}`: scripts are not run in the `config` of a provider", where, hint)


def _items(path: str, env: Mapping[str, str], base_path: str) -> list[Item]:
    if not path.lower().endswith(FILE_ENDINGS):
        raise ConfigError.of("a file of providers ends in `.yaml`, `.yml` or `.json`", Place(path))
    document = rendered_within(_parsed(path), env, base_path, path)
    if not document:
        raise ConfigError.of("the file holds no providers", Place(path))
    if not isinstance(document, list):
        return [(document, Place(path))]
    return [(raw, Place(path, pointer=(index,))) for index, raw in enumerate(document)]


def _matches(reference: str, where: Place, base_path: str) -> list[str]:
    paths = expand_glob(reference, base_path)
    if not paths:
        raise no_file(reference, base_path, where)
    return paths


def _parsed(path: str) -> Json:
    text = read_text(path)
    return parse_json(text, path) if path.lower().endswith(".json") else parse_yaml(text, path)


def _is_script(reference: str) -> bool:
    return Path(split_function(reference)[0]).suffix.lower() in JAVASCRIPT | {".py"}
