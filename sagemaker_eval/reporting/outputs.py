"""Documents of a run: which endings there are, and writing a file so that it is whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import RunSummary
from sagemaker_eval.reporting.base import OUTPUTS, JournalReader
from sagemaker_eval.running.run_record import RunRecord

__all__ = ["OUTPUTS", "output_ending", "output_endings", "write_output"]


def output_endings() -> tuple[str, ...]:
    """The endings of files that can be written, longest first."""
    return tuple(sorted(OUTPUTS, key=lambda ending: (-len(ending), ending)))


def output_ending(path: str) -> str | None:
    """The ending that decides how `path` is written, or None where nothing can write it."""
    name = Path(path).name.lower()
    return next((ending for ending in output_endings() if name.endswith(ending)), None)


def write_output(path: str, record: RunRecord, journal: JournalReader, summary: RunSummary) -> None:
    """Write the document that the ending of `path` names, replacing the file only once it is complete.

    Missing parent folders are created. Raises `SagevalError` where the ending is unknown or the file cannot be written.
    """
    ending = output_ending(path)
    if ending is None:
        raise SagevalError(
            f"cannot write `{path}`: its ending names no kind of document",
            f"use one of {', '.join(f'`{ending}`' for ending in output_endings())}",
        )
    try:
        with _replacing(Path(os.path.realpath(path))) as stream:
            OUTPUTS.get(ending)(stream, record, journal, summary)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SagevalError(
            f"cannot write `{path}`: {reason}",
            "check the permissions of its folder and the free space, or choose another path",
        ) from error


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A stream whose content becomes `target` if all goes well, and nothing otherwise."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        if target.exists():
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise
