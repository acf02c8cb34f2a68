"""All that a run is configured by, before anything is built from it: the files, the command line, the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sagemaker_eval.config.config_file import ConfigFile
from sagemaker_eval.config.names import KnownNames
from sagemaker_eval.config.overrides import Overrides
from sagemaker_eval.config.places import within
from sagemaker_eval.config.schema import CommandLineOptions, ConfigEntry, EvaluateOptions
from sagemaker_eval.model import Json, Place

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a configuration: as written, with its environment templates rendered, and its plain settings."""

    written: ConfigFile
    document: Mapping[str, Json]
    entry: ConfigEntry

    @property
    def base_path(self) -> str:
        return self.written.base_path

    def value(self, key: str) -> tuple[Json, Place]:
        """What stands under a key of the top level, None where nothing does, and the place of it."""
        return self.document.get(key), within(self.written.where, key)

    def option(self, name: str) -> tuple[Json, Place]:
        """One of the `commandLineOptions`, by the name of its field, None where it is not set, and the place of it."""
        block = self.entry.command_line_options
        key = CommandLineOptions.model_fields[name].alias or name
        return getattr(block, name, None), within(self.written.where, "commandLineOptions", key)


@dataclass(frozen=True, slots=True)
class Configuration:
    """`entry` has the plain settings of all parts; `env` is the environment of the run."""

    parts: tuple[Part, ...]
    entry: ConfigEntry
    env: Mapping[str, str]
    overrides: Overrides
    names: KnownNames
    notice: Callable[[str], None]

    def values(self, key: str) -> Iterator[tuple[Part, Json, Place]]:
        """What each part has under a key of the top level, without the parts that have nothing there."""
        for part in self.parts:
            value, where = part.value(key)
            if value is not None:
                yield part, value, where

    def option(self, name: str) -> tuple[Part, Json, Place] | None:
        """One of the `commandLineOptions` of the last part that sets it."""
        for part in reversed(self.parts):
            value, where = part.option(name)
            if value is not None:
                return part, value, where
        return None

    def setting(self, name: str, override: T | None, default: T) -> T:
        """`override`, else what `commandLineOptions` say, else `evaluateOptions`, else `default`."""
        blocks: tuple[CommandLineOptions | EvaluateOptions | None, ...] = (
            self.entry.command_line_options,
            self.entry.evaluate_options,
        )
        values = (override, *(getattr(block, name, None) for block in blocks))
        return next((value for value in values if value is not None), default)
