"""Several runs of one configuration, such as its shards, as one run: the union of their cells."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EndpointUse, Json, Outcome
from sagemaker_eval.running.identity import row_case_id
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.merge_parts import Cell, Part
from sagemaker_eval.running.reading import decoded_rows, derivation
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord
from sagemaker_eval.running.summary import Derive, Totals

_VOLATILE = ("timings", "latencyMs", "attempts", "tokenUsage")
"""Members of a row that differ although two runs agree about a case."""

_WHOLE: Mapping[str, Json] = {"shard": None, "shard_by": None, "shard_from": None, "outputs": []}
"""Options of the command of a shard as the whole run would have them."""


def merged_record(parts: Sequence[Part], run_id: str) -> RunRecord:
    """The record of the union, as the run of the whole would have it. `total` is 0 where no part knows the plan."""
    knowing = [part for part in parts if part.knows] or list(parts)
    first = knowing[0]
    planned = first.planned if first.knows else (0,) * len(first.record.columns)
    started = [part.record.started_at for part in parts if part.record.started_at]
    return replace(
        first.record,
        run_id=run_id,
        started_at=min(started, default="") or _timestamp(datetime.now(UTC)),
        columns=tuple(replace(_best(index, knowing), planned=count) for index, count in enumerate(planned)),
        total=sum(planned),
        slots=max(part.record.slots for part in parts),
        options={name: value for name, value in first.record.options.items() if name != "shard"},
        command={**first.record.command, **_WHOLE} if first.record.command else {},
        files={path: digest for part in parts for path, digest in part.record.files.items()},
    )


def _best(index: int, parts: Sequence[Part]) -> ColumnRecord:
    """A column as the part tells that knows it best: a document without a row in it has the provider's name alone."""
    columns = [part.record.columns[index] for part in parts]
    return next((column for column in columns if column.provider_id != column.provider_name), columns[0])


def union(parts: Sequence[Part]) -> Iterator[Cell]:
    """The cells of all parts in plan order. Raises `ConfigError` where two parts have different results of a case."""
    named = [_numbered(number, part) for number, part in enumerate(parts)]
    for slot, same in groupby(heapq.merge(*named, key=itemgetter(0, 1)), key=itemgetter(0)):
        (_, first, outcome, row), *others = same
        for _, other, _, theirs in others:
            _refuse_disagreement(row, theirs, (parts[first].name, parts[other].name))
        yield slot, outcome, row


def _numbered(number: int, part: Part) -> Iterator[tuple[int, int, Outcome, bytes]]:
    return ((slot, number, outcome, row) for slot, outcome, row in part.cells())


def _refuse_disagreement(row: bytes, other: bytes, names: tuple[str, str]) -> None:
    if row == other:
        return
    mine, theirs = json.loads(row), json.loads(other)
    if row_case_id(mine) == row_case_id(theirs) and _settled(mine) == _settled(theirs):
        return
    raise ConfigError.of(
        f"`{names[0]}` and `{names[1]}` have different results of the same case (test {mine['testIdx']}, prompt "
        f"{mine['promptIdx']}: {mine['outcome']} and {theirs['outcome']})",
        hint="leave out one of the two",
    )


def _settled(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row says what became of the case: without times, request ids, and whether the cache answered."""
    response = row["response"]
    kept = {name: value for name, value in row.items() if name not in _VOLATILE}
    return {**kept, "response": response and response["output"]}


def write_union(parts: Sequence[Part], folder: Path, record: RunRecord) -> tuple[str, ...]:
    """Write the run that the parts make together into its folder.

    The names of the derived metrics that cannot be computed any more, and are left out. Raises `ConfigError` where
    parts disagree, and `SagevalError` where the folder cannot be written.
    """
    if not record.total:
        record = _counted(record, parts)
    derive, lost = derivation(record)
    with Journal.create(folder, record) as journal:
        for slot, outcome, row in union(parts):
            journal.append(slot, outcome, row)
        journal.finish(_end(parts, _derived(journal, derive)))
    return lost


def _derived(journal: Journal, derive: Derive) -> tuple[Mapping[str, float], ...]:
    """The derived metrics of each column; the rows are read only where there are any."""
    if not journal.record.config.get("derivedMetrics"):
        return ()
    totals = Totals(journal.record.columns)
    for row in decoded_rows(journal):
        totals.add(row)
    return tuple(derive(index, column) for index, column in enumerate(totals.summary(0.0).columns))


def _counted(record: RunRecord, parts: Sequence[Part]) -> RunRecord:
    """The record of rows without a plan: what there is, is all that was planned."""
    planned = [0] * len(record.columns)
    for slot in {slot for part in parts for slot in part.slots()}:
        planned[slot % len(planned)] += 1
    columns = tuple(replace(column, planned=count) for column, count in zip(record.columns, planned, strict=True))
    return replace(record, columns=columns, total=sum(planned))


def _end(parts: Sequence[Part], derived: tuple[Mapping[str, float], ...]) -> RunEnd:
    ends = [part.end for part in parts if part.end is not None]
    covered = _covered_ms(parts)
    return RunEnd(
        finished_at=max((end.finished_at for end in ends), default=_timestamp(datetime.now(UTC))),
        duration_ms=min(sum(end.duration_ms for end in ends), covered),
        derived=derived,
        endpoints=_together([use for end in ends for use in end.endpoints], covered / 1000),
    )


def _covered_ms(parts: Sequence[Part]) -> float:
    """ms during which at least one part was going on: parts of one moment do not count twice."""
    spans = sorted(
        (datetime.fromisoformat(part.record.started_at), datetime.fromisoformat(part.end.finished_at))
        for part in parts
        if part.end is not None
    )
    covered, until = 0.0, None
    for began, ended in spans:
        since = began if until is None else max(began, until)
        covered += max((ended - since).total_seconds(), 0.0)
        until = ended if until is None else max(ended, until)
    return covered * 1000


def _together(uses: Sequence[EndpointUse], covered: float) -> tuple[EndpointUse, ...]:
    """The uses of each endpoint as one. Its instances are paid once for parts that used them at the same time.

    What a passed case cost is known only where every part knows.
    """
    by_name: dict[str, list[EndpointUse]] = {}
    for use in uses:
        by_name.setdefault(use.endpoint, []).append(use)
    return tuple(
        replace(
            same[0],
            calls=sum(use.calls for use in same),
            seconds=min(sum(use.seconds for use in same), max(covered, *(use.seconds for use in same))),
            cases=sum(use.cases for use in same),
            passed=sum(use.passed for use in same) if all(use.passed or not use.cases for use in same) else 0,
        )
        for same in by_name.values()
    )


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
