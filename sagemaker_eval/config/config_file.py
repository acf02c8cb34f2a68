"""The configuration file: finding it, and reading it as a document."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sagemaker_eval.config.explaining import describe
from sagemaker_eval.config.references import expand_glob
from sagemaker_eval.config.yaml_loader import parse_json, parse_yaml, read_text
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json, Place

DEFAULT_NAMES = tuple(
    f"{stem}.{ending}" for stem in ("sageval", "promptfooconfig") for ending in ("yaml", "yml", "json")
)

_SCRIPTS = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".py")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """A configuration as written. Without a file `document` and `text` are empty and paths count from here."""

    path: str = ""
    text: str = ""
    document: Mapping[str, Json] = field(default_factory=dict)

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


def read_config(paths: Sequence[str]) -> ConfigFile:
    """The one file that the paths mean (file, folder or glob), that of the working folder where there are none.

    An empty one where the working folder has none either. Raises `ConfigError`.
    """
    if not paths:
        default = find_default(".")
        if default is None:
            return ConfigFile()
        paths = [default]
    files = [file for path in paths for file in _files(path)]
    if len(files) > 1:
        message = f"several configuration files are not yet supported: {', '.join(f'`{file}`' for file in files)}"
        raise ConfigError.of(message, None, "give one `--config`")
    path = files[0]
    text = _text(path)
    document = parse_json(text, path) if path.lower().endswith(".json") else parse_yaml(text, path)
    if document is None:
        raise ConfigError.of("the configuration is empty", Place(path), "it needs at least `providers`")
    if not isinstance(document, Mapping):
        message = f"the configuration must be a map with keys such as `providers`, not {describe(document)}"
        raise ConfigError.of(message, Place(path))
    if "$ref" in text:
        _refuse_references(document, Place(path))
    return ConfigFile(path, text, document)


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


def _refuse_references(document: Json, where: Place) -> None:
    places = list(_references(document, where))
    if places:
        raise ConfigError(
            Problem("`$ref` is not yet supported", place, "write the value out, or use a YAML anchor")
            for place in places
        )


def _references(value: Json, where: Place) -> Iterator[Place]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        place = Place(where.path, pointer=(*where.pointer, step))
        if step == "$ref":
            yield place
        else:
            yield from _references(inner, place)
