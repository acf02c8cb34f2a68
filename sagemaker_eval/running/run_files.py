"""The files that a run's folder holds, and how they are written: by their owner alone, in one step."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Json
from sagemaker_eval.running.run_record import RunEnd, RunRecord

JOURNAL = "journal.jsonl"
RUN = "run.json"
END = "end.json"
SO_FAR = "so_far.json"
"""What a run used up to some seconds ago, in the shape of `end.json`: for one that is killed."""

PENDING = "pending"
"""Set in a row whose case has its answer and waits to be compared with others: it has not finished."""


def read_record(folder: Path) -> RunRecord:
    """The record of the run in a folder. Raises `ConfigError` where there is none, or none that can be read."""
    path = folder / RUN
    try:
        return RunRecord.from_json(json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigError.of(
            f"there is no run in `{folder}`", hint="`sageval list` shows those that there are"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError.of(f"`{path}` is no record of a run that this version can read ({error})") from error


def read_end(folder: Path) -> RunEnd | None:
    """How the run in a folder ended; None where it was killed or is still going on."""
    return _end_in(folder / END)


def read_so_far(folder: Path) -> RunEnd | None:
    """What a run used until it ended, or until shortly before it was killed; None where nothing was written down."""
    return read_end(folder) or _end_in(folder / SO_FAR)


def _end_in(path: Path) -> RunEnd | None:
    try:
        return RunEnd.from_json(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_end(path: Path, end: RunEnd) -> None:
    """Raises OSError."""
    write_privately(path, json.dumps(end.as_json(), ensure_ascii=False, indent=2) + "\n")


def write_record(folder: Path, record: RunRecord) -> None:
    """Raises OSError."""
    write_privately(folder / RUN, json.dumps(record.as_json(), ensure_ascii=False, indent=2) + "\n")


def write_privately(path: Path, text: str) -> None:
    """Write a file that its owner alone may read, in one step: a reader finds the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(draft, path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise


def written_rows(path: Path) -> Iterator[dict[str, Json]]:
    """The final rows of a journal, or of a .jsonl result file, in the order of the file.

    A last line without its end is dropped: the process that wrote it was killed. Raises ValueError for anything else
    that is no JSON, and OSError.
    """
    with path.open("rb") as file:
        for line in file:
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                if line.endswith(b"\n"):
                    raise
                return
            if not row.get(PENDING):
                yield row
