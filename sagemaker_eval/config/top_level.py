"""The top level of the document: which of its keys count, and the plain settings among them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TypeVar

from sagemaker_eval.config.anchors import anchored_keys
from sagemaker_eval.config.config_file import ConfigFile
from sagemaker_eval.config.explaining import check, listed, misshapen
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.keys import OUT_OF_SCOPE
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import CommandLineOptions, ConfigEntry, EvaluateOptions
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

T = TypeVar("T")


def read_top_level(document: Mapping[str, Json], written: ConfigFile, notice: Callable[[str], None]) -> ConfigEntry:
    """The document as an entry, without the keys that are the user's own or out of scope. Raises `ConfigError`."""
    free = {key for key in document if key.startswith("x-") or key == "$schema"}
    for key in sorted(OUT_OF_SCOPE.intersection(document)):
        notice(f"`{key}` is out of scope for sageval: it has no effect")
    known = {*ConfigEntry.known_keys(), *ConfigEntry.later, *OUT_OF_SCOPE}
    if not known.union(free).issuperset(document):
        free |= anchored_keys(written.text) - known
    kept = {key: value for key, value in document.items() if key not in free and key not in OUT_OF_SCOPE}
    return check(ConfigEntry, kept, written.where)


def named_providers(document: Mapping[str, Json], where: Place) -> tuple[Json, Place]:
    """`providers`, or `targets`, its other name, and where it stands; None for neither. Raises for both."""
    present = [key for key in ("providers", "targets") if document.get(key) is not None]
    if len(present) > 1:
        hint = "keep one of them: `targets` is another name for `providers`"
        raise ConfigError.of("`providers` and `targets` stand side by side", within(where, "targets"), hint)
    key = present[0] if present else "providers"
    return document.get(key), within(where, key)


def output_paths(source: Json, where: Place, overrides: Overrides, names: KnownNames) -> tuple[str, ...]:
    """The files to write: those of the command line, else `outputPath`. Raises `ConfigError` for an unknown ending."""
    problems = Problems()
    if overrides.outputs:
        paths: list[tuple[Json, Place]] = [(path, Place("--output")) for path in overrides.outputs]
    elif isinstance(source, list):
        paths = [(path, within(where, index)) for index, path in enumerate(source)]
    else:
        paths = [] if source is None else [(source, where)]
    checked = problems.attempt_each(paths, lambda item: _output_path(item[0], item[1], names))
    problems.check()
    return tuple(dict.fromkeys(checked))


def _output_path(path: Json, where: Place, names: KnownNames) -> str:
    if not isinstance(path, str):
        raise misshapen("a path", path, where)
    name = os.path.basename(path).lower()
    if not name.endswith(names.outputs):
        ending = os.path.splitext(name)[1]
        what = f"`{path}` has the unknown ending `{ending}`" if ending else f"`{path}` has no ending"
        raise ConfigError.of(what, where, f"the ending picks the format: {listed(names.outputs)}")
    return path


def setting(name: str, override: T | None, entry: ConfigEntry, default: T) -> T:
    """One setting: `override`, else that of `commandLineOptions`, else that of `evaluateOptions`, else `default`."""
    blocks: tuple[CommandLineOptions | EvaluateOptions | None, ...] = (
        entry.command_line_options,
        entry.evaluate_options,
    )
    values = (override, *(getattr(block, name, None) for block in blocks))
    return next((value for value in values if value is not None), default)
