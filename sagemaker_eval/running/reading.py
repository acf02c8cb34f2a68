"""Runs as they were recorded: found by their names, read back with the summary that they had."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import DerivedMetric, RunSummary, UserCode
from sagemaker_eval.running.derived_metrics import DerivedMetrics
from sagemaker_eval.running.folders import LATEST, recorded_run, runs_folder
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.run_files import JOURNAL, RUN, read_end
from sagemaker_eval.running.run_record import RunEnd, RunRecord
from sagemaker_eval.running.summary import Derive, Totals

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run read back. `end` is None where it was killed, or is still going on."""

    folder: Path
    record: RunRecord
    journal: Journal
    summary: RunSummary
    end: RunEnd | None = None


def is_run(folder: Path) -> bool:
    """Whether a folder holds a run."""
    return (folder / RUN).is_file()


def run_folders(environ: Mapping[str, str]) -> list[Path]:
    """The folders of all recorded runs, in no order."""
    runs = runs_folder(environ)
    return [path for path in runs.iterdir() if is_run(path)] if runs.is_dir() else []


def find_run(name: str, environ: Mapping[str, str]) -> Path:
    """The folder of a run, from its id, from what only its id begins with, or from `latest`.

    Raises `ConfigError` where there is none, or more than one.
    """
    if name == LATEST:
        folder = recorded_run(name, environ)
        if is_run(folder):
            return folder
    folders = run_folders(environ)
    found = [path for path in folders if path.name == name]
    found = found or sorted(path for path in folders if name and path.name.startswith(name))
    if len(found) == 1:
        return found[0]
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        ids = ", ".join(f"`{path.name}`" for path in found[:_SHOWN])
        raise ConfigError.of(f"`{name}` begins several runs: {ids}{more}", hint="give more of the id")
    raise ConfigError.of(f"no run is called `{name}`", hint="`sageval list` shows those that there are")


def find_run_or_folder(name: str, environ: Mapping[str, str]) -> Path:
    """The same, for a path of a run's folder too, such as one that was copied from another machine."""
    path = Path(name)
    return path if is_run(path) else find_run(name, environ)


def recorded(folder: Path) -> RecordedRun:
    """The run in a folder, with the summary that it ended with. Raises `ConfigError` where it cannot be read.

    What was never written down of a run that was killed is made up for: its duration lasts until its last row, and
    its derived metrics are computed anew.
    """
    journal, end = Journal.read(folder), read_end(folder)
    totals = Totals(journal.record.columns, _derive(journal.record, end))
    try:
        for row in decoded_rows(journal):
            totals.add(row)
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError.of(
            f"the journal `{journal.path}` cannot be read: {error}", hint="it was changed since it was written"
        ) from error
    duration = _until_last_row(journal) if end is None else end.duration_ms
    summary = totals.summary(duration)
    if end is not None:
        summary = replace(summary, endpoints=end.endpoints)
    return RecordedRun(folder, journal.record, journal, summary, end)


def decoded_rows(journal: Journal) -> Iterator[dict[str, Any]]:
    """The rows of a journal, in plan order. The fast decoder refuses lone surrogates."""
    for line in journal.lines():
        try:
            yield msgspec.json.decode(line)
        except msgspec.DecodeError:
            yield json.loads(line)


def _derive(record: RunRecord, end: RunEnd | None) -> Derive:
    if end is None:
        return derivation(record)[0]
    written = end.derived
    return lambda index, _: written[index] if index < len(written) else {}


def derivation(record: RunRecord) -> tuple[Derive, tuple[str, ...]]:
    """How the derived metrics of a recorded run are computed, and the names of those that can no longer be."""
    config = record.command.get("config") or ["."]
    base = Path(str(record.command.get("folder") or "."), str(config[0]))
    base = base.parent if base.suffix else base
    metrics, lost = [], []
    for entry in record.config.get("derivedMetrics") or ():
        metric = DerivedMetric(entry["name"], UserCode(str(entry["value"]), str(base)))
        try:
            DerivedMetrics([metric])
        except ConfigError:
            lost.append(metric.name)
        else:
            metrics.append(metric)
    compiled = DerivedMetrics(metrics)
    return (lambda _, column: compiled.of(column.named_scores, column.finished)), tuple(lost)


def _until_last_row(journal: Journal) -> float:
    """ms from the start of a run to the last row of its journal."""
    with suppress(OSError, ValueError):
        began = datetime.fromisoformat(journal.record.started_at).timestamp()
        return max((journal.folder / JOURNAL).stat().st_mtime - began, 0.0) * 1000
    return 0.0
