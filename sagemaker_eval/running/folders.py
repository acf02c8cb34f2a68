"""Where runs live: `.sageval/runs/<id>/`, or a temporary folder for a run that keeps no record."""

from __future__ import annotations

import random
import shutil
import string
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.running.journal import Journal

_RANDOM = random.SystemRandom()
"""A seed that a script of the user's sets must not give two runs one id."""

LATEST = "latest"
"""Stands for the newest run."""

_REPLAYS = "replay-"

DEFAULT_RUNS = Path(".sageval") / "runs"


def run_id_at(moment: datetime) -> str:
    """A fresh run id: `eval-`, three random characters, the time in UTC. Sorts by time within a day's prefix.

    promptfoo's ids have colons in the time; these have none, since they name folders.
    """
    characters = "".join(_RANDOM.choices(string.ascii_lowercase + string.digits, k=3))
    return f"eval-{characters}-{moment:%Y-%m-%dT%H-%M-%S}"


def runs_folder(environ: Mapping[str, str]) -> Path:
    """The folder of all runs: SAGEVAL_RUNS_PATH, else `.sageval/runs` in the working folder."""
    return Path(environ["SAGEVAL_RUNS_PATH"]) if environ.get("SAGEVAL_RUNS_PATH") else DEFAULT_RUNS


def recorded_run(name: str, environ: Mapping[str, str], *, unfinished: bool = False) -> Path:
    """The folder of the run with this id, or of the newest one where `name` is `latest`; it need not exist.

    With `unfinished`, `latest` is the newest run with cases that have not finished.
    """
    runs = runs_folder(environ)
    if name != LATEST or not runs.is_dir():
        return runs / name
    for path in sorted((path for path in runs.iterdir() if path.is_dir()), key=_started, reverse=True):
        if not unfinished or is_unfinished(path):
            return path
    return runs / name


def is_unfinished(run: Path) -> bool:
    """Whether a run has cases without a result. Folders that hold no readable run are none."""
    try:
        journal = Journal.read(run)
    except SagevalError:
        return False
    return sum(1 for _ in journal.outcomes()) < journal.record.total


def _started(run: Path) -> tuple[str, float]:
    """When a run was started: the time in its id, in seconds, then what the file system says.

    The id of a replay has no time, for it is the same each time.
    """
    changed = run.stat().st_mtime
    if run.name.startswith(_REPLAYS):
        return f"{datetime.fromtimestamp(changed, UTC):%Y-%m-%dT%H-%M-%S}", changed
    return run.name[len("eval-xxx-") :], changed


@contextmanager
def run_folder(run_id: str, environ: Mapping[str, str], keep: bool) -> Iterator[Path]:
    """The folder of a new run, made; removed again at the end unless `keep`. Raises `SagevalError`."""
    if not keep:
        temporary = Path(tempfile.mkdtemp(prefix="sageval-"))
        try:
            yield temporary
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return
    runs = runs_folder(environ)
    try:
        runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        (runs / run_id).mkdir(mode=0o700)
        if runs == DEFAULT_RUNS:
            (runs.parent / ".gitignore").write_text("*\n")
    except OSError as error:
        raise SagevalError(
            f"cannot make the run's folder `{runs / run_id}`: {error.strerror}",
            "point SAGEVAL_RUNS_PATH to a folder that can be written, or run with --no-write",
        ) from error
    yield runs / run_id
