"""What `sageval eval` does: prepare, run, report, decide the exit code."""

from __future__ import annotations

import asyncio
import gc
import logging
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from sagemaker_eval.calling.clock import Sleep
from sagemaker_eval.cli.cassettes import Tape, in_order
from sagemaker_eval.cli.dry_run import dry_run
from sagemaker_eval.cli.economics import with_endpoints
from sagemaker_eval.cli.ending import refuse_unwritable, report, say_error
from sagemaker_eval.cli.exit_codes import BELOW_PASS_RATE, BROKEN, FINE, INTERRUPTED, exit_code
from sagemaker_eval.cli.guests import Guests
from sagemaker_eval.cli.interrupts import Interrupts
from sagemaker_eval.cli.journaling import Recorded, noting_use, recorded, recorded_end
from sagemaker_eval.cli.logs import logging_to
from sagemaker_eval.cli.preparing import Prepared, prepared
from sagemaker_eval.cli.requests import EvalRequest, is_set, number_from
from sagemaker_eval.cli.resumption import Resumption, resumed
from sagemaker_eval.cli.streams import stderr
from sagemaker_eval.cli.time_limits import time_limits
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.events import Notice, RunFinished
from sagemaker_eval.reporting.progress import Progress
from sagemaker_eval.running.deadlines import TimeLimits
from sagemaker_eval.running.earlier_answers import REGRADED_FROM
from sagemaker_eval.running.engine import Bench, Engine
from sagemaker_eval.running.recalling import Recalled, RecallingAnswers
from sagemaker_eval.running.regrading import EarlierRenderer
from sagemaker_eval.running.resuming import Wanted
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
        kept = stack.enter_context(recorded(run, resumption))
        journal, folder = kept.journal, kept.journal.folder
        run_id = journal.record.run_id
        if run.services.store is not None:
            run.services.store.run_id = run_id
        stack.enter_context(logging_to(folder / "log.txt", _is_verbose(run), run.scrubber.text, run.settings.write))
        interrupts = stack.enter_context(Interrupts(lambda: run.notices(_WRITING)))
        tape = Tape(run.services.cassette, run.request.record, journal.record, is_new=resumption is None)
        log.info("run %s: %d cases, %d columns", run_id, run.plan.total, len(run.plan.columns))
        spare_collector()
        with guests.at_work():
            finished, bug = asyncio.run(_listen(run, kept, interrupts, limits))
        finished = tape.as_recorded(finished)
        unwritten = [error for error in (recorded_end(run, journal, finished), tape.save(finished)) if error]
        all_written = report(run, journal.record, journal, finished, folder) and not (unwritten or tape.missed)
        for error in unwritten if finished.stopped_by is None else ():
            say_error(run, error)
        if bug is not None:
            raise bug
    if interrupts.deferred:
        return INTERRUPTED
    code = exit_code(finished, fail_under if run.plan.total else 0.0, run.suite.max_error_rate, failed_code)
    return code if all_written or code not in (FINE, failed_code) else BROKEN


def _bench(run: Prepared, kept: Recorded, limits: TimeLimits) -> Bench:
    """What the engine works with: for a run that is gone on with, answers on record come before asking."""
    tools, renderer, answering = run.bench, run.bench.renderer, run.bench.answering
    if kept.wanted is not None and Wanted.JUDGING in kept.wanted:
        assert run.services.templates is not None
        recalled = Recalled(kept.journal, kept.wanted)
        renderer = EarlierRenderer(run.services.templates, recalled)
        answering = RecallingAnswers(tools.pool, run.services, recalled)
    return Bench(
        in_order(run.plan, run.services.cassette),
        tools.pool,
        renderer,
        answering,
        tools.judge,
        kept.journal,
        run.scrubber.bytes,
        wanted=kept.wanted,
        before_ms=kept.before_ms,
        limits=limits,
        notice=run.notices,
        waiting_for=run.services.waiting_for,
    )


async def _listen(
    run: Prepared, kept: Recorded, interrupts: Interrupts, limits: TimeLimits
) -> tuple[RunFinished, Exception | None]:
    """Drive the engine and pass its events on. A bug is handed back, so that what was finished is reported first."""
    engine = Engine(_bench(run, kept, limits), kept.journal.record.run_id)
    loop = asyncio.get_running_loop()
    interrupts.react = partial(loop.call_soon_threadsafe, _stop, engine, run)
    finished, bug = None, None
    with Progress(stderr(), enabled=run.settings.progress_bar) as progress:
        run.notices.sink = lambda message: progress.on_event(Notice(message))
        try:
            async with noting_use(run, kept):
                async for event in engine.run():
                    progress.on_event(event)
                    if isinstance(event, RunFinished):
                        finished = event
        except Exception as error:
            bug = error
        else:
            if finished is not None:
                finished = replace(finished, summary=await with_endpoints(run, finished, kept.earlier_uses))
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
