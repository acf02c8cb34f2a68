"""What `sageval eval` does: prepare, run, report, decide the exit code."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.cli.exit_codes import BELOW_PASS_RATE, FINE, exit_code
from sagemaker_eval.cli.logs import logging_to
from sagemaker_eval.cli.preparing import Prepared, prepared
from sagemaker_eval.cli.requests import EvalRequest, is_set, number_from
from sagemaker_eval.cli.streams import stderr, stdout
from sagemaker_eval.errors import CaseError, ConfigError, Problem
from sagemaker_eval.events import Notice, RunFinished
from sagemaker_eval.model import Call, Case, Request, compact_json
from sagemaker_eval.reporting.console import show_results
from sagemaker_eval.reporting.document_json import write_json_document
from sagemaker_eval.reporting.messages import print_error, print_notice
from sagemaker_eval.reporting.outputs import write_output
from sagemaker_eval.reporting.progress import Progress
from sagemaker_eval.reporting.table import TableSettings
from sagemaker_eval.running.engine import Bench, Engine
from sagemaker_eval.running.folders import run_folder, run_id_at
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.records import ColumnRecord, RunRecord

log = logging.getLogger("sagemaker_eval")

_SHOWN_REQUESTS = 3
_SHOWN_PROBLEMS = 20


def evaluate(request: EvalRequest, sleep: Sleep = asyncio.sleep) -> int:
    """Carry out one `sageval eval` and return its exit code. Raises `ConfigError` and `SetupError` before any call."""
    with prepared(request, sleep) as run:
        return dry_run(run) if request.dry_run else carry_out(run)


def carry_out(run: Prepared) -> int:
    """Run the plan, write and show the results."""
    fail_under, failed_code = _thresholds(run)
    now = datetime.now(UTC)
    run_id = run_id_at(now)
    record = _record(run, run_id, now)
    with (
        run_folder(run_id, run.suite.env, keep=run.request.write) as folder,
        logging_to(folder / "log.txt", _is_verbose(run), run.scrubber.text),
        Journal(folder, record) as journal,
    ):
        log.info("run %s: %d cases, %d columns", run_id, run.plan.total, len(run.plan.columns))
        finished, bug = asyncio.run(_listen(run, journal, run_id))
        _report(run, record, journal, finished, folder)
        if bug is not None:
            raise bug
    return exit_code(finished, fail_under, run.suite.max_error_rate, failed_code)


async def _listen(run: Prepared, journal: Journal, run_id: str) -> tuple[RunFinished, Exception | None]:
    """Drive the engine and pass its events on. A bug is handed back, so that what was finished is reported first."""
    bench = Bench(run.plan, run.providers, run.templates, run.judge, journal, run.scrubber.bytes)
    engine = Engine(bench, run_id)
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows' event loop has no signal handlers
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _stop, engine, run)
    finished, bug = None, None
    with Progress(stderr(), enabled=run.request.progress_bar) as progress:
        run.notices.sink = lambda message: progress.on_event(Notice(message))
        try:
            async for event in engine.run():
                progress.on_event(event)
                if isinstance(event, RunFinished):
                    finished = event
        except Exception as error:
            bug = error
        finally:
            run.notices.sink = None
            await run.services.pool.close()
    if finished is None:
        raise bug or RuntimeError("the engine ended without a word")
    return finished, bug


def _stop(engine: Engine, run: Prepared) -> None:
    engine.stop()
    run.notices("stopping: calls in flight may finish for 5 seconds; press Ctrl-C again to drop them")


def _report(run: Prepared, record: RunRecord, journal: Journal, finished: RunFinished, folder: Path) -> None:
    """Write every output, then show what happened."""
    request, summary = run.request, finished.summary
    for path in run.suite.output_paths:
        write_output(path, record, journal, summary)
    if request.as_json:
        write_json_document(sys.stdout.buffer, record, journal, summary)
        sys.stdout.buffer.flush()
    elif summary.total.finished or finished.stopped_by is None:
        settings = TableSettings(max_cell=request.table_cell_max_length) if request.table else None
        show_results(record, journal, summary, stdout(), settings)
    _say_how_it_ended(run, finished, folder)


def _say_how_it_ended(run: Prepared, finished: RunFinished, folder: Path) -> None:
    console = stderr()
    if finished.stopped_by is not None:
        error = finished.stopped_by
        log.error("stopped: %s", error.message)
        print_error(console, run.scrubber.text(error.message), run.scrubber.text(error.hint or "") or None)
        if done := finished.summary.total.finished:
            print_notice(console, f"the run had to stop after {done} of {run.plan.total} cases; these are kept")
    if finished.interrupted:
        done = finished.summary.total.finished
        again = "run the same command again: what was answered comes from the cache"
        print_notice(console, f"interrupted after {done} of {run.plan.total} cases; {again}")
    for path in run.suite.output_paths:
        print_notice(console, f"results written to {path}")
    if run.request.write:
        print_notice(console, f"run recorded in {folder}")


def dry_run(run: Prepared) -> int:
    """Render every case and print the first requests; send nothing. Raises `ConfigError` for cases that cannot be."""
    problems: list[Problem] = []
    shown = 0
    for case in run.plan.cases():
        try:
            call = _call(run, case)
            request = _request(run, case, call)
        except CaseError as error:
            problems.append(Problem(error.message, case.row.test.where, error.hint))
            if len(problems) >= _SHOWN_PROBLEMS:
                break
            continue
        if shown < _SHOWN_REQUESTS:
            shown += 1
            sys.stdout.write(run.scrubber.text(_shown_request(run, case, call, request)))
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    rest = run.plan.total - shown
    sys.stdout.write(f"{run.plan.total} cases planned, nothing sent{f'; {rest} more not shown' if rest else ''}\n")
    return FINE


def _call(run: Prepared, case: Case) -> Call:
    variables = run.templates.expand(case.row.vars)
    return Call(run.templates.prompt(case.column.prompt.raw).render(variables), variables, case.row.repeat)


def _request(run: Prepared, case: Case, call: Call) -> Request | None:
    position = run.suite.providers.index(case.column.provider)
    return run.providers[position].request(call)


def _shown_request(run: Prepared, case: Case, call: Call, request: Request | None) -> str:
    title = f"test {case.row.index}, {case.column.provider.name}, prompt {case.column.prompt.label!r:.80}"
    if request is None:
        return f"{title}: no request\n{call.prompt}\n\n"
    target = run.services.target(case.column.provider.options.aws)
    try:
        body = json.dumps(json.loads(request.body), ensure_ascii=False, indent=2)
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    return (
        f"{title}\nPOST {target.url}/endpoints/{request.endpoint}/invocations\n"
        f"Content-Type: {request.content_type}\nAccept: {request.accept}\n\n{body}\n\n"
    )


def _record(run: Prepared, run_id: str, now: datetime) -> RunRecord:
    suite = run.suite
    return RunRecord(
        run_id=run_id,
        started_at=now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        description=suite.description,
        columns=tuple(ColumnRecord.of(column) for column in run.plan.columns),
        var_names=run.plan.var_names,
        total=run.plan.total,
        config=json.loads(run.scrubber.text(compact_json(suite.document))),
        options={
            "repeat": suite.repeat,
            "maxConcurrency": suite.max_concurrency,
            "cache": suite.cache,
            "sandbox": run.request.sandbox,
        },
    )


def _thresholds(run: Prepared) -> tuple[float, int]:
    """(pass rate in percent below which the run fails, exit code for that): the flags, else promptfoo's variables."""
    rate = run.request.fail_under
    code: float | None = run.request.failed_exit_code
    if rate is None:
        rate = number_from(run.suite.env, "PROMPTFOO_PASS_RATE_THRESHOLD", 0, 100)
    if code is None:
        code = number_from(run.suite.env, "PROMPTFOO_FAILED_TEST_EXIT_CODE", 0, 255)
    return (100.0 if rate is None else rate, BELOW_PASS_RATE if code is None else int(code))


def _is_verbose(run: Prepared) -> bool:
    return run.request.verbose or is_set(run.suite.env, "DEBUG")
