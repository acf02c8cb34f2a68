"""Configuration files: finding them, and reading each as a document."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.local_references import expand_references
from sagemaker_eval.config.references import expand_glob
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

DEFAULT_NAMES = tuple(
    f"{stem}.{ending}" for stem in ("sageval", "promptfooconfig") for ending in ("yaml", "yml", "json")
)

_SCRIPTS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration with its references expanded. Without a file `document` is empty and paths count from here."""

    path: str = ""
    text: str = ""
    document: Mapping[str, Json] = field(default_factory=dict)
    shared_keys: frozenset[str] = frozenset()
    """The keys at the top level that a `$ref` leads to."""

    @property
    def base_path(self) -> str:
        """The folder that the paths in the document are relative to."""
        return os.path.dirname(self.path) or "."

    @property
    def where(self) -> Place:
        return Place(self.path)


def find_default(folder: str) -> str | None:
    """The configuration of a folder: `sageval.yaml`, `.yml` or `.json`, else `promptfooconfig.…`; None without one."""
    paths = (os.path.normpath(os.path.join(folder, name)) for name in DEFAULT_NAMES)
    return next((path for path in paths if os.path.isfile(path)), None)


def read_configs(paths: Sequence[str], notice: Callable[[str], None]) -> tuple[ConfigFile, ...]:
    """The files that the paths mean (files, folders or globs, in order), each once; else that of the working folder.

    A single empty one where there are no paths and the working folder has none. Raises `ConfigError` with what is wrong
    with each of them.
    """
    if not paths:
        default = find_default(".")
        if default is None:
            return (ConfigFile(),)
        paths = [default]
    problems = Problems()
    found = [os.path.normpath(file) for files in problems.attempt_each(paths, _files) for file in files]
    for path, count in Counter(found).items():
        if count > 1:
            notice(f"the configuration `{path}` is given more than once: it is read once")
    files = problems.attempt_each(dict.fromkeys(found), _read)
    problems.check()
    return tuple(files)


def _read(path: str) -> ConfigFile:
    text = _text(path)
    document = parse_json(text, path) if path.lower().endswith(".json") else parse_yaml(text, path)
    if document is None:
        raise ConfigError.of("the configuration is empty", Place(path), "it needs at least `providers`")
    if not isinstance(document, dict):
        message = f"the configuration must be a map with keys such as `providers`, not {describe(document)}"
        raise ConfigError.of(message, Place(path))
    expanded = expand_references(document, path, text)
    return ConfigFile(path, text, expanded.document, expanded.shared_keys)


def _files(path: str) -> list[str]:
    if os.path.isdir(path):
        found = find_default(path)
        if found is None:
            raise ConfigError.of("there is no configuration in this folder", Place(path), _names_hint())
        return [found]
    files = expand_glob(path, "") or [path]
    if not os.path.exists(files[0]):
        raise ConfigError.of("the configuration file does not exist", Place(path))
    return [path] if os.path.exists(path) else files


def _text(path: str) -> str:
    if path.lower().endswith(_SCRIPTS):
        raise ConfigError.of("configurations in JavaScript or Python are not yet supported", Place(path))
    if os.path.isfile(path) and not path.lower().endswith((".yaml", ".yml", ".json")):
        raise ConfigError.of("a configuration ends in `.yaml`, `.yml` or `.json`", Place(path))
    return read_text(path)


def _names_hint() -> str:
    return f"names looked for: {', '.join(DEFAULT_NAMES)}"
