"""What follows the last case: the outputs are written, the table is shown, and how the run ended is said."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.cli.streams import stderr, stdout, writing_to_stdout
from sagemaker_eval.errors import ConfigError, Problem, SagevalError
from sagemaker_eval.events import RunFinished
from sagemaker_eval.providers.base import Local
from sagemaker_eval.reporting.console import show_results
from sagemaker_eval.reporting.document_json import write_json_document
from sagemaker_eval.reporting.messages import print_error, print_notice
from sagemaker_eval.reporting.outputs import write_output
from sagemaker_eval.reporting.table import TableSettings
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.run_record import RunRecord

log = logging.getLogger("sagemaker_eval")


def refuse_unwritable(paths: Sequence[str]) -> None:
    """Raises `ConfigError` for outputs that could not be written at the end of a run, as far as that shows before."""
    problems = [
        Problem(f"cannot write `{path}`: {obstacle}", hint="choose another path")
        for path in paths
        if (obstacle := _obstacle(os.path.abspath(path)))
    ]
    if problems:
        raise ConfigError(problems)


def _obstacle(path: str) -> str | None:
    if os.path.isdir(path):
        return "it is a folder"
    above = os.path.dirname(path)
    while not os.path.exists(above):
        above = os.path.dirname(above)
    if not os.path.isdir(above):
        return f"`{above}` is not a folder"
    return None if os.access(above, os.W_OK) else f"the folder `{above}` does not allow it"


def report(run: Prepared, record: RunRecord, journal: Journal, finished: RunFinished, folder: Path) -> bool:
    """Write and show everything that can be, and say how the run ended; whether nothing went wrong in that."""
    summary = finished.summary
    written, failures = [], []
    for path in run.suite.output_paths if _has_begun(finished) else ():
        try:
            write_output(path, record, journal, summary)
            written.append(path)
        except SagevalError as error:
            failures.append(error)
    try:
        _show(run, record, journal, finished)
    except SagevalError as error:
        failures.append(error)
    for words in run.services.endpoints.reports():
        print_notice(stderr(), run.scrubber.text(words))
    _say_how_it_ended(run, record, finished)
    for failure in failures:
        say_error(run, failure)
    for path in written:
        print_notice(stderr(), run.scrubber.text(f"results written to {path}"))
    if run.settings.write:
        print_notice(stderr(), run.scrubber.text(f"run recorded in {folder}"))
    return not failures


def _has_begun(finished: RunFinished) -> bool:
    """Whether there is anything to report: results of an earlier run are not replaced by those of none."""
    return bool(finished.summary.total.finished) or finished.stopped_by is None


def _show(run: Prepared, record: RunRecord, journal: Journal, finished: RunFinished) -> None:
    request = run.request
    with writing_to_stdout():
        if request.as_json:
            write_json_document(sys.stdout.buffer, record, journal, finished.summary)
            sys.stdout.buffer.flush()
        elif _has_begun(finished):
            settings = TableSettings(max_cell=run.settings.table_cell_max_length) if run.settings.table else None
            show_results(record, journal, finished.summary, stdout(), settings)


def _say_how_it_ended(run: Prepared, record: RunRecord, finished: RunFinished) -> None:
    done, total = finished.summary.total.finished, run.plan.total
    if finished.stopped_by is not None:
        say_error(run, finished.stopped_by)
        if done:
            again = f"; {_how_to_go_on(run, record)}" if run.settings.write else ""
            print_notice(stderr(), f"the run had to stop after {done} of {total} cases; these are kept{again}")
    if finished.interrupted:
        print_notice(stderr(), f"interrupted after {done} of {total} cases; {_how_to_go_on(run, record)}")


def _how_to_go_on(run: Prepared, record: RunRecord) -> str:
    if run.request.regraded:
        return "judge them again with the same command"
    if run.settings.write:
        return f"go on with `{_resume_command(record)}`"
    if run.services.store is not None and not run.services.refresh and not _asks_only_user_code(run):
        return "run the same command again: what was answered comes from the cache"
    return "without a record and without the cache, the same command asks for everything anew"


def _resume_command(record: RunRecord) -> str:
    return f"sageval eval --resume {record.run_id}"


def _asks_only_user_code(run: Prepared) -> bool:
    """Whether no answer goes through the cache: those of the user's own providers never do."""
    return all(isinstance(run.bench.pool.of(spec), Local) for spec in run.suite.providers)


def say_error(run: Prepared, error: SagevalError) -> None:
    """Tell an error on stderr and in the log."""
    log.error("%s", error.message)
    print_error(stderr(), run.scrubber.text(error.message), run.scrubber.text(error.hint or "") or None)
