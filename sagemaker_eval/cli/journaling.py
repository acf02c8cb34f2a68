"""The journal of a run while it goes on: of a new run, or of one that is gone on with; and what the run used so far."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sagemaker_eval.cli.cassettes import as_replayed, began, free_name
from sagemaker_eval.cli.economics import uses_so_far
from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.cli.resumption import Resumption, file_digests, stored_command
from sagemaker_eval.cli.scrubbing import Scrubber
from sagemaker_eval.errors import SagevalError
from sagemaker_eval.events import RunFinished
from sagemaker_eval.model import EndpointUse, compact_json
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.running.earlier_answers import REGRADED_FROM
from sagemaker_eval.running.folders import run_folder, run_id_at
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.resuming import count_wanted
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord, columns_of
from sagemaker_eval.running.sharding import refuse_other_split, shard_options

_NOTED_EVERY = 5.0
"""Seconds of use that a run may forget when it is killed."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The journal of the run, open; `wanted` and `so_far` are there where it is an earlier run's."""

    journal: Journal
    wanted: bytearray | None = None
    so_far: RunEnd | None = None

    @property
    def before_ms(self) -> float:
        """How long the run took so far."""
        return 0.0 if self.so_far is None else self.so_far.duration_ms

    @property
    def earlier_uses(self) -> tuple[EndpointUse, ...]:
        """What the run used of its endpoints so far."""
        return () if self.so_far is None else self.so_far.endpoints


@contextmanager
def recorded(run: Prepared, resumption: Resumption | None) -> Iterator[Recorded]:
    """The journal of a new run, or of the one that is gone on with."""
    cassette = run.services.cassette
    now = began(cassette)
    if resumption is not None:
        record = _record(run, resumption.record.run_id, now)
        if not resumption.allow_changes:
            refuse_other_split(resumption.record.options, run.plan)
        journal, wanted = resumption.journal(record, run.plan, record.files)
        with journal:
            left = count_wanted(wanted)
            run.notices(f"going on with run {record.run_id}: {left:,} of {counted(run.plan.total, 'case')} to do")
            yield Recorded(journal, wanted, resumption.so_far)
        return
    record = as_replayed(_record(run, run_id_at(now), now), cassette)
    with (
        run_folder(free_name(record, run.suite.env), run.suite.env, keep=run.settings.write) as folder,
        Journal.create(folder, record) as journal,
    ):
        yield Recorded(journal)


@asynccontextmanager
async def noting_use(run: Prepared, kept: Recorded) -> AsyncIterator[None]:
    """Write down every few seconds what the run has used: one that is killed and gone on with tells all of it."""
    task = asyncio.create_task(_note_use(run, kept))
    try:
        yield
    finally:
        task.cancel()


async def _note_use(run: Prepared, kept: Recorded) -> None:
    began = time.perf_counter()
    while True:
        await asyncio.sleep(_NOTED_EVERY)
        duration = kept.before_ms + (time.perf_counter() - began) * 1000
        uses = await uses_so_far(run, kept.earlier_uses)
        kept.journal.note_so_far(RunEnd(_timestamp(datetime.now(UTC)), duration, interrupted=True, endpoints=uses))


def recorded_end(run: Prepared, journal: Journal, finished: RunFinished) -> SagevalError | None:
    """Write down how the run ended; why that could not be done."""
    try:
        journal.finish(_end(run, finished))
    except SagevalError as error:
        return error
    return None


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
