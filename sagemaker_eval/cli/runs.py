"""`sageval list` and `sageval delete`: which runs are recorded, and how to be rid of them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagemaker_eval.cli.streams import stderr, stdout, writing_to_stdout
from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.reporting.figures import counted, percent
from sagemaker_eval.reporting.messages import print_notice
from sagemaker_eval.reporting.terminal import one_line
from sagemaker_eval.running.folders import runs_folder
from sagemaker_eval.running.overview import RunOverview, State, is_running, overviews
from sagemaker_eval.running.reading import find_run
from sagemaker_eval.running.run_files import RUN

_HEADINGS = ("id", "started", "cases", "pass rate", "errors", "state", "description")
_NUMBERS = frozenset({"cases", "pass rate", "errors"})
_LONGEST_DESCRIPTION = 60
_STYLES = {State.FINISHED: "", State.RUNNING: "cyan"}
_AGE = re.compile(r"([0-9]+)\s*([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_NAMED = 5


def list_runs(environ: Mapping[str, str], as_json: bool, limit: int | None) -> None:
    """Print the recorded runs, newest first."""
    found = overviews(environ)
    shown = found.runs[:limit]
    with writing_to_stdout():
        if as_json:
            typer.echo(json.dumps([run.as_json() for run in shown], indent=2, ensure_ascii=False))
        elif shown:
            _print_table(shown, stdout())
    if not shown and not as_json:
        print_notice(stderr(), f"there is no run in {runs_folder(environ)}")
    for folder in found.unreadable:
        print_notice(stderr(), f"the run in {folder} cannot be read")


def _print_table(runs: Sequence[RunOverview], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in _HEADINGS:
        fold = "fold" if heading == "description" else "ellipsis"
        justify = "right" if heading in _NUMBERS else "left"
        table.add_column(heading, justify=justify, no_wrap=heading != "description", overflow=fold)  # type: ignore[arg-type]
    for run in runs:
        table.add_row(
            run.run_id,
            _moment(run.started_at),
            f"{run.done:,}/{run.planned:,}",
            percent(run.passed, run.passed + run.failed),
            Text(f"{run.errored:,}", style="yellow" if run.errored else ""),
            Text(run.state.value, style=_STYLES.get(run.state, "yellow")),
            one_line(run.description or "", _LONGEST_DESCRIPTION, console),
        )
    console.print(table)


def _moment(iso: str) -> str:
    return f"{iso[:10]} {iso[11:19]} UTC"


@dataclass(frozen=True, slots=True)
class DeleteRequest:
    """The options of one `sageval delete`."""

    names: tuple[str, ...] = ()
    older_than: str | None = None
    keep: int | None = None
    yes: bool = False
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def delete_runs(request: DeleteRequest) -> None:
    """Delete the runs that are named, or that are old. Raises `ConfigError` where one is still going on."""
    folders = _named(request) if request.names else _old(request)
    if not folders:
        print_notice(stderr(), "there is no run to delete")
        return
    if not (request.yes or _agreed(folders)):
        print_notice(stderr(), "nothing was deleted")
        return
    for folder in folders:
        remove(folder)
    print_notice(stderr(), f"deleted {counted(len(folders), 'run')}")


def _named(request: DeleteRequest) -> list[Path]:
    if request.older_than is not None or request.keep is not None:
        raise ConfigError.of("runs by name and --older-than or --keep exclude each other", hint="use one of them")
    folders = list(dict.fromkeys(find_run(name, request.process) for name in request.names))
    for folder in folders:
        if is_running(folder):
            raise ConfigError.of(f"run {folder.name} is still going on", hint="end it with Ctrl-C first")
    return folders


def _old(request: DeleteRequest) -> list[Path]:
    """The runs that are older than asked, without the newest ones that are to be kept, and without those going on."""
    if request.older_than is None and request.keep is None:
        raise ConfigError.of("no run is named", hint="name them, or give --older-than 30d or --keep 10")
    runs: Sequence[RunOverview] = overviews(request.process).runs[request.keep or 0 :]
    if request.older_than is not None:
        limit = datetime.now(UTC) - _age(request.older_than)
        runs = [run for run in runs if datetime.fromisoformat(run.started_at) < limit]
    return [run.folder for run in runs if not is_running(run.folder)]


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text.strip())
    if not match:
        raise ConfigError.of(
            f"--older-than takes a number with `m`, `h`, `d` or `w`, not `{text}`", hint="for example `30d`"
        )
    try:
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    except OverflowError:
        return timedelta.max


def _agreed(folders: Sequence[Path]) -> bool:
    """Ask at a terminal. Raises `ConfigError` where nobody can be asked."""
    if not (sys.stdin is not None and sys.stdin.isatty()):
        raise ConfigError.of("whether to delete can only be asked at a terminal", hint="give --yes")
    ids = ", ".join(folder.name for folder in folders[:_NAMED])
    more = f" and {len(folders) - _NAMED} more" if len(folders) > _NAMED else ""
    return typer.confirm(f"Delete {counted(len(folders), 'run')} ({ids}{more})?", err=True)


def remove(folder: Path) -> None:
    """Delete a run's folder; what names it a run goes last, so that a half deleted one can be deleted again."""
    import shutil

    try:
        if folder.is_symlink():
            folder.unlink()
            return
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name != RUN:
                path.unlink()
        (folder / RUN).unlink(missing_ok=True)
        folder.rmdir()
    except OSError as error:
        raise SagevalError(
            f"cannot delete `{folder}`: {(error.strerror or str(error)).lower()}", "check the folder's permissions"
        ) from error
