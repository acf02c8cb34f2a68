"""What `sageval eval` does: prepare, run, report, decide the exit code."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.cli.cassettes import Tape, as_replayed, began, free_name, in_order
from sagemaker_eval.cli.dry_run import dry_run
from sagemaker_eval.cli.economics import with_endpoints
from sagemaker_eval.cli.ending import refuse_unwritable, report, say_error
from sagemaker_eval.cli.exit_codes import BELOW_PASS_RATE, BROKEN, FINE, INTERRUPTED, exit_code
from sagemaker_eval.cli.guests import Guests
from sagemaker_eval.cli.interrupts import Interrupts
from sagemaker_eval.cli.logs import logging_to
from sagemaker_eval.cli.preparing import Prepared, prepared
from sagemaker_eval.cli.requests import EvalRequest, is_set, number_from
from sagemaker_eval.cli.resumption import Resumption, file_digests, resumed, stored_command
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.cli.streams import stderr
from sagemaker_eval.cli.time_limits import time_limits
from sagemaker_eval.errors import ConfigError, SagevalError
from sagemaker_eval.events import Notice, RunFinished
from sagemaker_eval.model import compact_json
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.progress import Progress
from sagemaker_eval.running.deadlines import TimeLimits
from sagemaker_eval.running.earlier_answers import REGRADED_FROM
from sagemaker_eval.running.engine import Bench, Engine
from sagemaker_eval.running.folders import run_folder, run_id_at
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord, columns_of
from sagemaker_eval.running.sharding import refuse_other_split, shard_options
from sagemaker_eval.text.files_read import note_written

_YOUNG_OBJECTS = 10_000
log = logging.getLogger("sagemaker_eval")

_STOPPING = "stopping: calls in flight may finish for 5 seconds; press Ctrl-C again to drop them"
_WRITING = "the results are being written; press Ctrl-C again to leave without them"


def evaluate(request: EvalRequest, sleep: Sleep = asyncio.sleep) -> int:
    """Carry out one `sageval eval` and return its exit code. Raises `ConfigError` and `SetupError` before any call."""
    request, resumption = resumed(request)
    if resumption is not None and (source := resumption.record.options.get(REGRADED_FROM)):
        raise ConfigError.of(
            f"run {resumption.record.run_id} judged the answers of {source} again; there is nothing to go on with",
            hint="judge them once more with `sageval regrade`",
        )
    guests = Guests(quiet=request.as_json)
    with ExitStack() as stack:
        with guests.at_work():
            run = stack.enter_context(prepared(request, sleep))
        return dry_run(run) if request.dry_run else carry_out(run, guests, resumption)


def carry_out(run: Prepared, guests: Guests, resumption: Resumption | None = None) -> int:
    """Run the plan, or what is left of it, write and show the results."""
    fail_under, failed_code = _thresholds(run)
    limits = time_limits(run.request, run.suite)
    refuse_unwritable((*run.suite.output_paths, *filter(None, [run.request.record])))
    note_written(run.suite.output_paths)
    run.bench.pool.prepare()
    with ExitStack() as stack:
        recorded = stack.enter_context(_recorded(run, resumption))
        journal, folder = recorded.journal, recorded.journal.folder
        run_id = journal.record.run_id
        if run.services.store is not None:
            run.services.store.run_id = run_id
        stack.enter_context(logging_to(folder / "log.txt", _is_verbose(run), run.scrubber.text, run.settings.write))
        interrupts = stack.enter_context(Interrupts(lambda: run.notices(_WRITING)))
        tape = Tape(run.services.cassette, run.request.record, journal.record, is_new=resumption is None)
        log.info("run %s: %d cases, %d columns", run_id, run.plan.total, len(run.plan.columns))
        spare_collector()
        with guests.at_work():
            finished, bug = asyncio.run(_listen(run, recorded, interrupts, limits))
        finished = tape.as_recorded(finished)
        unwritten = [error for error in (_recorded_end(run, journal, finished), tape.save(finished)) if error]
        all_written = report(run, journal.record, journal, finished, folder) and not (unwritten or tape.missed)
        for error in unwritten if finished.stopped_by is None else ():
            say_error(run, error)
        if bug is not None:
            raise bug
    if interrupts.deferred:
        return INTERRUPTED
    code = exit_code(finished, fail_under if run.plan.total else 0.0, run.suite.max_error_rate, failed_code)
    return code if all_written or code not in (FINE, failed_code) else BROKEN


def _recorded_end(run: Prepared, journal: Journal, finished: RunFinished) -> SagevalError | None:
    """Write down how the run ended; why that could not be done."""
    try:
        journal.finish(_end(run, finished))
    except SagevalError as error:
        return error
    return None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The journal of the run, open; `wanted` says which cases are left where it is an earlier run's."""

    journal: Journal
    wanted: bytearray | None = None
    before_ms: float = 0.0


@contextmanager
def _recorded(run: Prepared, resumption: Resumption | None) -> Iterator[Recorded]:
    """The journal of a new run, or of the one that is gone on with."""
    cassette = run.services.cassette
    now = began(cassette)
    if resumption is not None:
        record = _record(run, resumption.record.run_id, now)
        if not resumption.allow_changes:
            refuse_other_split(resumption.record.options, run.plan)
        journal, wanted = resumption.journal(record, run.plan, record.files)
        with journal:
            left = sum(wanted)
            run.notices(f"going on with run {record.run_id}: {left:,} of {counted(run.plan.total, 'case')} to do")
            yield Recorded(journal, wanted, resumption.before_ms)
        return
    record = as_replayed(_record(run, run_id_at(now), now), cassette)
    with (
        run_folder(free_name(record, run.suite.env), run.suite.env, keep=run.settings.write) as folder,
        Journal.create(folder, record) as journal,
    ):
        yield Recorded(journal)


def _end(run: Prepared, finished: RunFinished) -> RunEnd:
    summary = finished.summary
    stopped = finished.stopped_by
    return RunEnd(
        finished_at=_timestamp(datetime.now(UTC)),
        duration_ms=summary.duration_ms,
        stopped_by=None if stopped is None else run.scrubber.text(stopped.message),
        interrupted=finished.interrupted,
        derived=finished.derived,
        endpoints=tuple(summary.endpoints),
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _listen(
    run: Prepared, recorded: Recorded, interrupts: Interrupts, limits: TimeLimits
) -> tuple[RunFinished, Exception | None]:
    """Drive the engine and pass its events on. A bug is handed back, so that what was finished is reported first."""
    tools = run.bench
    bench = Bench(
        in_order(run.plan, run.services.cassette),
        tools.pool,
        tools.renderer,
        tools.answering,
        tools.judge,
        recorded.journal,
        run.scrubber.bytes,
        wanted=recorded.wanted,
        before_ms=recorded.before_ms,
        limits=limits,
        notice=run.notices,
        waiting_for=run.services.waiting_for,
    )
    engine = Engine(bench, recorded.journal.record.run_id)
    loop = asyncio.get_running_loop()
    interrupts.react = partial(loop.call_soon_threadsafe, _stop, engine, run)
    finished, bug = None, None
    with Progress(stderr(), enabled=run.settings.progress_bar) as progress:
        run.notices.sink = lambda message: progress.on_event(Notice(message))
        try:
            async for event in engine.run():
                progress.on_event(event)
                if isinstance(event, RunFinished):
                    finished = event
        except Exception as error:
            bug = error
        else:
            if finished is not None:
                finished = replace(finished, summary=await with_endpoints(run, finished))
        finally:
            run.notices.sink = None
            interrupts.react = None
            await run.services.pool.close()
    if finished is None:
        raise bug or RuntimeError("the engine ended without a word")
    return finished, bug


def _stop(engine: Engine, run: Prepared) -> None:
    engine.stop()
    run.notices(_STOPPING)


def _record(run: Prepared, run_id: str, now: datetime) -> RunRecord:
    suite, scrub = run.suite, run.scrubber.text
    return RunRecord(
        run_id=run_id,
        started_at=_timestamp(now),
        description=suite.description and scrub(suite.description),
        columns=tuple(_scrubbed(column, scrub) for column in columns_of(run.plan)),
        var_names=run.plan.var_names,
        total=run.plan.total,
        slots=run.plan.slots,
        config=json.loads(scrub(compact_json(suite.document))),
        options={
            "repeat": suite.repeat,
            "maxConcurrency": suite.max_concurrency,
            "cache": suite.cache,
            "sandbox": run.request.sandbox,
            **shard_options(run.plan),
            **({REGRADED_FROM: run.request.regraded} if run.request.regraded else {}),
        },
        command=stored_command(run.request, scrub),
        files=file_digests(run.files, Scrubber(suite.secrets).bytes),
    )


def _scrubbed(column: ColumnRecord, scrub: Callable[[str], str]) -> ColumnRecord:
    """A prompt or a provider's label may hold a secret: `{{env.NAME}}` is rendered where it is written."""
    return replace(
        column,
        provider_id=scrub(column.provider_id),
        provider_label=column.provider_label and scrub(column.provider_label),
        prompt_raw=scrub(column.prompt_raw),
        prompt_label=scrub(column.prompt_label),
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
    return run.settings.verbose or is_set(run.suite.env, "DEBUG")


def spare_collector() -> None:
    """Let the cycle collector pass over what the start has made, and look less often: cases leave no cycles behind."""
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 20)
