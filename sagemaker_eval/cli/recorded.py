"""What `sageval show` and `sageval export` do: the reports of a run, once more, from its journal."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from sagemaker_eval import reporting
from sagemaker_eval.cli.ending import refuse_unwritable
from sagemaker_eval.cli.streams import stderr, stdout, writing_to_stdout
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Json
from sagemaker_eval.reporting.console import show_results
from sagemaker_eval.reporting.document_json import write_json_document
from sagemaker_eval.reporting.messages import print_notice
from sagemaker_eval.reporting.outputs import output_ending, output_endings, write_output
from sagemaker_eval.reporting.table import TableSettings
from sagemaker_eval.running.overview import is_running
from sagemaker_eval.running.reading import RecordedRun, find_run_or_folder, recorded
from sagemaker_eval.running.run_record import RunRecord

REGISTERED = reporting
"""Importing this package files the writers of documents."""

T = TypeVar("T")
_CELL = 250


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """The options of one `sageval show`."""

    name: str
    table: bool | None = None
    table_cell_max_length: int | None = None
    as_json: bool = False
    process: Mapping[str, str] = field(default_factory=dict, repr=False)


def show_run(request: ShowRequest) -> None:
    """Print what the run printed. Raises `ConfigError` where there is no such run."""
    run = recorded(find_run_or_folder(request.name, request.process))
    show(run, request.table, request.table_cell_max_length, request.as_json)
    if not request.as_json:
        say_what_is_missing(run)


def show(run: RecordedRun, table: bool | None, cell: int | None, as_json: bool) -> None:
    """The result document, or table and summary as the options say, else as the run was shown."""
    with writing_to_stdout():
        if as_json:
            write_json_document(sys.stdout.buffer, run.record, run.journal, run.summary)
            sys.stdout.buffer.flush()
            return
        length = _setting(cell, run.record, "table_cell_max_length", "tableCellMaxLength", _CELL)
        wanted = _setting(table, run.record, "table", "table", True)
        settings = TableSettings(max_cell=length) if wanted else None
        show_results(run.record, run.journal, run.summary, stdout(), settings)


def _setting(given: T | None, record: RunRecord, option: str, configured: str, default: T) -> T:
    """What the option says, else the run's command, else its configuration."""
    options: Json = record.config.get("commandLineOptions")
    told = (given, record.command.get(option), options.get(configured) if isinstance(options, Mapping) else None)
    return next((value for value in told if isinstance(value, type(default))), default)


def say_what_is_missing(run: RecordedRun) -> None:
    """A note where cases have no result, with how to go on."""
    missing = run.summary.total.skipped
    share = f"{run.record.total - missing:,} of {run.record.total:,} cases"
    if missing and is_running(run.folder):
        print_notice(stderr(), f"the run is still going on: {share} are done")
    elif missing:
        why = f": {run.end.stopped_by}" if run.end is not None and run.end.stopped_by else ""
        print_notice(stderr(), f"the run ended after {share}{why}")
        if run.record.command:
            print_notice(stderr(), f"go on with `sageval eval --resume {run.record.run_id}`")


def export_run(name: str, outputs: Sequence[str], process: Mapping[str, str]) -> None:
    """Write documents of a run. Raises `ConfigError` before anything is written where that cannot be done."""
    if not outputs:
        raise ConfigError.of("no output is named", hint="give -o PATH, for example `-o results.csv`")
    refuse_outputs(outputs)
    run = recorded(find_run_or_folder(name, process))
    write_outputs(run, outputs)


def refuse_outputs(outputs: Sequence[str]) -> None:
    """Raises `ConfigError` for paths whose ending nothing can write, or that cannot be written."""
    endings = ", ".join(f"`{ending}`" for ending in output_endings())
    problems = [
        Problem(f"cannot write `{path}`: its ending names no kind of document", hint=f"use one of {endings}")
        for path in outputs
        if output_ending(path) is None
    ]
    if problems:
        raise ConfigError(problems)
    refuse_unwritable(outputs)


def write_outputs(run: RecordedRun, outputs: Sequence[str]) -> None:
    """Write each document and say so. Raises `SagevalError`."""
    for path in outputs:
        write_output(path, run.record, run.journal, run.summary)
        print_notice(stderr(), f"results written to {path}")
