"""Text files that a command writes beside the results of a run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sagemaker_eval.errors import ConfigError


def write_files(texts: Mapping[Path, str]) -> None:
    """Write each text to its path in UTF-8; folders are made where they are missing. Raises `ConfigError`."""
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ConfigError.of(f"cannot write `{path}`: {reason}", hint="choose another path") from error
