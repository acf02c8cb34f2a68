"""The environment that configuration files make: the files that `commandLineOptions.envPath` names, and `env`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from sagemaker_eval.config.config_file import ConfigFile
from sagemaker_eval.config.dotenv import read_env_file
from sagemaker_eval.config.environment import config_env
from sagemaker_eval.config.folder_tree import rendered_within
from sagemaker_eval.config.gathering import Problems
from sagemaker_eval.config.places import within
from sagemaker_eval.config.references import display_path, resolve
from sagemaker_eval.config.top_level import placed_paths
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json, Place

_BLOCK = "commandLineOptions"


def environment_of(files: Sequence[ConfigFile], environ: Mapping[str, str], *, read_env_paths: bool) -> dict[str, str]:
    """`environ` under the files of `envPath`, and those under `env`; of several configurations the later one wins.

    The templates in an `env` and in an `envPath` see what lies under it, and no `env`. `read_env_paths` is False where
    the command line has named the files to read. Raises `ConfigError`.
    """
    problems = Problems()
    lowest = dict(environ)
    if read_env_paths:
        for variables in problems.attempt_each(_env_paths(files, environ), lambda named: _read(*named)):
            lowest |= variables
    env = dict(lowest)
    for variables in problems.attempt_each(files, lambda file: config_env(file.document, lowest, file.path)):
        env |= variables
    problems.check()
    return env


def _env_paths(files: Sequence[ConfigFile], environ: Mapping[str, str]) -> list[tuple[str, Place, str]]:
    """The paths of the last file that has any, with their places and the folder that they are relative to.

    What is no path is left to the check of the whole file.
    """
    for file in reversed(files):
        raw = file.document.get(_BLOCK)
        block: Mapping[str, Json] = raw if isinstance(raw, Mapping) else {}
        for key in ("envPath", "envFile"):
            if block.get(key) is not None:
                made: Any = rendered_within({_BLOCK: {key: block[key]}}, environ, file.base_path, file.path)
                source: Json = made[_BLOCK][key]
                placed = placed_paths(source, within(file.where, _BLOCK, key))
                return [(path, where, file.base_path) for path, where in placed if isinstance(path, str)]
    return []


def _read(entry: str, where: Place, base_path: str) -> dict[str, str]:
    """The variables of the file, or of several with commas between."""
    variables: dict[str, str] = {}
    for part in [entry] if os.path.exists(resolve(entry, base_path)) else entry.split(","):
        path = resolve(part.strip(), base_path)
        if not os.path.isfile(path):
            hint = f"it was looked for at `{display_path(path)}`"
            raise ConfigError.of(f"the file of variables `{part.strip()}` does not exist", where, hint)
        variables |= read_env_file(path)
    return variables
