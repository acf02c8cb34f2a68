"""All recorded runs at a glance: what became of each, without reading more than has to be.

Counting the outcomes of a run means reading its journal once. The counts are kept beside the runs, and hold until the
journal changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.running.folders import runs_folder
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.reading import run_folders
from sagemaker_eval.running.run_files import JOURNAL, read_end, read_record, write_privately
from sagemaker_eval.running.run_record import RunEnd

COUNTS = ".counts.json"
"""In the folder of all runs: the counts of each, with the state of the journal that they were taken from."""


class State(StrEnum):
    """How far a run has come. `UNFINISHED`: it was killed, or cases were lost."""

    FINISHED = "finished"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    UNFINISHED = "unfinished"
    RUNNING = "running"


@dataclass(frozen=True, slots=True)
class RunOverview:
    """One run in a list."""

    folder: Path
    started_at: str
    description: str | None
    planned: int
    passed: int
    failed: int
    errored: int
    state: State

    @property
    def run_id(self) -> str:
        return self.folder.name

    @property
    def done(self) -> int:
        return self.passed + self.failed + self.errored

    @property
    def pass_rate(self) -> float | None:
        """Passed among those that were answered, 0 to 1; None where nothing was."""
        answered = self.passed + self.failed
        return self.passed / answered if answered else None

    def as_json(self) -> dict[str, Json]:
        return {
            "id": self.run_id,
            "startedAt": self.started_at,
            "description": self.description,
            "cases": self.done,
            "planned": self.planned,
            "passed": self.passed,
            "failed": self.failed,
            "errors": self.errored,
            "passRate": self.pass_rate,
            "state": self.state.value,
        }


@dataclass(frozen=True, slots=True)
class Overviews:
    """The runs, newest first, and the folders whose record cannot be read."""

    runs: tuple[RunOverview, ...]
    unreadable: tuple[Path, ...] = ()


def overviews(environ: Mapping[str, str]) -> Overviews:
    """Every recorded run at a glance."""
    counts = _Counts(runs_folder(environ) / COUNTS)
    runs: list[RunOverview] = []
    unreadable = []
    for folder in sorted(run_folders(environ), key=_moment, reverse=True):
        try:
            runs.append(_overview(folder, counts))
        except (SagevalError, OSError):
            unreadable.append(folder)
    counts.keep()
    return Overviews(tuple(runs), tuple(sorted(unreadable)))


def _moment(folder: Path) -> tuple[str, float]:
    """When a run was made: the moment in its id, then what the file system says, as `latest` goes by it.

    A merged run was started with its first part, and made later.
    """
    return folder.name[len("eval-xxx-") :], folder.stat().st_mtime


def _overview(folder: Path, counts: _Counts) -> RunOverview:
    record = read_record(folder)
    passed, failed, errored = counts.of(folder)
    state = _state(passed + failed + errored >= record.total, read_end(folder), folder)
    return RunOverview(folder, record.started_at, record.description, record.total, passed, failed, errored, state)


def _state(is_complete: bool, end: RunEnd | None, folder: Path) -> State:
    if end is None:
        if is_running(folder):
            return State.RUNNING
        return State.FINISHED if is_complete else State.UNFINISHED
    if is_complete:
        return State.FINISHED
    if end.interrupted:
        return State.INTERRUPTED
    return State.STOPPED if end.stopped_by is not None else State.UNFINISHED


def is_running(folder: Path) -> bool:
    """Whether a process is writing the journal of a run; False where the system cannot tell."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        with (folder / JOURNAL).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


class _Counts:
    """The outcomes of runs by their ids, as they were last counted: [journal's size, ns of its change, counts...]."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _read(path)
        self._now: dict[str, list[int]] = {}

    def of(self, folder: Path) -> tuple[int, int, int]:
        """(passed, failed, errored) of a run. Raises `ConfigError` and OSError."""
        try:
            state = (folder / JOURNAL).stat()
        except FileNotFoundError:  # killed between its record and its journal
            return 0, 0, 0
        mark = [state.st_size, state.st_mtime_ns]
        known = self._before.get(folder.name)
        if not (isinstance(known, list) and len(known) == 5 and known[:2] == mark):
            known = [*mark, *_counted(folder)]
        self._now[folder.name] = known
        return known[2], known[3], known[4]

    def keep(self) -> None:
        """Write the counts down for the next time, where the folder allows it."""
        if self._now != self._before:
            with suppress(OSError):
                write_privately(self._path, json.dumps(self._now))


def _read(path: Path) -> dict[str, Any]:
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _counted(folder: Path) -> tuple[int, int, int]:
    tally = dict.fromkeys(Outcome, 0)
    for _, outcome in Journal.read(folder).outcomes():
        tally[outcome] += 1
    return tally[Outcome.PASSED], tally[Outcome.FAILED], tally[Outcome.ERRORED]
