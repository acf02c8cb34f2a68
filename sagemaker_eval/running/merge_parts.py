"""What `merge` puts together: recorded runs, and documents that runs were written to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import EndpointUse, Outcome
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.reading import find_run_or_folder
from sagemaker_eval.running.row_encoding import encode_row
from sagemaker_eval.running.run_files import read_end, written_rows
from sagemaker_eval.running.run_record import ColumnRecord, RunEnd, RunRecord

Cell = tuple[int, Outcome, bytes]
"""A finished case: slot, outcome, row."""

_DOCUMENTS = (".json", ".jsonl")


@dataclass(frozen=True, slots=True)
class Part:
    """A run, or a part of one. `name` is what the user calls it; `knows` is False for rows without a document.

    `journal` has the rows of a recorded run, `rows` those of a document by their slots.
    """

    name: str
    record: RunRecord
    end: RunEnd | None
    knows: bool = True
    journal: Journal | None = None
    rows: Mapping[int, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    @property
    def shard(self) -> Mapping[str, Any] | None:
        """What the record says of the shard; None of a run that is none."""
        told = self.record.options.get("shard")
        return told if isinstance(told, Mapping) else None

    @property
    def planned(self) -> tuple[int, ...]:
        """The cases of each column of the whole run."""
        if self.shard is not None:
            return tuple(self.shard["planned"])
        return tuple(column.planned for column in self.record.columns)

    @property
    def finished(self) -> int:
        """How many of its cases have a result."""
        return sum(1 for _ in self.slots())

    def slots(self) -> Iterator[int]:
        """The slots of the cases that have a result."""
        if self.journal is not None:
            return (slot for slot, _ in self.journal.outcomes())
        return iter(self.rows)

    def cells(self) -> Iterator[Cell]:
        """The finished cases in plan order."""
        if self.journal is not None:
            for (slot, outcome), line in zip(self.journal.outcomes(), self.journal.lines(), strict=True):
                yield slot, outcome, line
            return
        for slot, row in sorted(self.rows.items()):
            yield slot, Outcome(row["outcome"]), encode_row(dict(row))


def read_part(name: str, environ: Mapping[str, str]) -> Part:
    """The run with this id, in this folder, or in this .json or .jsonl document. Raises `ConfigError`."""
    path = Path(name)
    if path.suffix in _DOCUMENTS and path.is_file():
        return _of_document(path)
    folder = find_run_or_folder(name, environ)
    journal = Journal.read(folder)
    return Part(name, journal.record, read_end(folder), journal=journal)


def _of_document(path: Path) -> Part:
    try:
        if path.suffix == ".jsonl":
            return _of_rows(path, list(written_rows(path)))
        return _of_results(path, json.loads(path.read_bytes()))
    except OSError as error:
        raise ConfigError.of(f"cannot read `{path}`: {(error.strerror or str(error)).lower()}") from error
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise ConfigError.of(
            f"`{path}` is not a result document of sageval", hint="give runs, or .json and .jsonl files of `-o`"
        ) from error


def _of_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Part:
    """Rows alone: their columns are known as far as rows name them."""
    width = max(row["promptIdx"] for row in rows) + 1
    firsts = {row["promptIdx"]: row for row in reversed(rows)}
    unknown = {"provider": {"id": "", "label": None}, "promptId": "", "prompt": {"label": ""}}
    columns = [firsts.get(index, unknown) for index in range(width)]
    labels = [row["prompt"]["label"] for row in columns]
    prompts = [
        {"id": row["promptId"], "raw": label, "label": label} for row, label in zip(columns, labels, strict=True)
    ]
    names = dict.fromkeys(name for row in rows for name in row["testCase"]["vars"])
    planned = [sum(row["promptIdx"] == index for row in rows) for index in range(width)]
    record = RunRecord(
        run_id=path.stem,
        started_at="",
        description=None,
        columns=_columns(prompts, rows, planned),
        var_names=tuple(names),
        total=len(rows),
        slots=_slots(rows, width),
    )
    return Part(str(path), record, None, knows=False, rows=_by_slot(rows, width))


def _of_results(path: Path, document: Mapping[str, Any]) -> Part:
    """A version 3 document as `-o` writes it."""
    results, options = document["results"], document["runtimeOptions"]
    rows, prompts = results["results"], results["prompts"]
    planned = [_planned(prompt["metrics"]) for prompt in prompts]
    shard = options.get("shard")
    record = RunRecord(
        run_id=document["evalId"],
        started_at=results["timestamp"],
        description=document["config"].get("description"),
        columns=_columns(prompts, rows, planned),
        var_names=tuple(document["vars"]),
        total=sum(planned),
        config=document["config"],
        options=options,
        slots=shard["slots"] if shard else _slots(rows, len(prompts)),
    )
    stats = results["stats"]
    end = RunEnd(
        document["metadata"]["exportedAt"], stats["durationMs"], endpoints=tuple(map(_use, stats["endpoints"]))
    )
    return Part(str(path), record, end, rows=_by_slot(rows, len(prompts)))


def _planned(metrics: Mapping[str, Any]) -> int:
    counts = ("testPassCount", "testFailCount", "testErrorCount", "testSkippedCount")
    return sum(int(metrics[name]) for name in counts)


def _slots(rows: Sequence[Mapping[str, Any]], width: int) -> int:
    return (max((row["testIdx"] for row in rows), default=-1) + 1) * width


def _by_slot(rows: Sequence[Mapping[str, Any]], width: int) -> dict[int, Mapping[str, Any]]:
    return {row["testIdx"] * width + row["promptIdx"]: row for row in rows if Outcome(row["outcome"])}


def _columns(
    prompts: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]], planned: Sequence[int]
) -> tuple[ColumnRecord, ...]:
    """The columns of a document. It names a provider by its label or id; its rows know which of them that is.

    Providers stand in the outer loop: a new one begins where the name changes, or where a prompt comes again.
    """
    providers = {row["promptIdx"]: row["provider"] for row in reversed(rows)}
    columns: list[ColumnRecord] = []
    number, seen = -1, set[str]()
    for index, prompt in enumerate(prompts):
        told = providers.get(index) or {"id": prompt.get("provider", ""), "label": None}
        named = (told["id"], told["label"] or None, prompt["id"], prompt["raw"], prompt["label"])
        column = ColumnRecord(*named, planned=planned[index])
        if prompt["id"] in seen or not columns or column.provider_name != columns[-1].provider_name:
            number, seen = number + 1, set()
        seen.add(prompt["id"])
        columns.append(replace(column, provider=number))
    return tuple(columns)


def _use(told: Mapping[str, Any]) -> EndpointUse:
    """The use of an endpoint: how many cases it had follows from what each of them cost."""
    cost = told["cost"]
    return EndpointUse(
        endpoint=told["endpoint"],
        calls=told["calls"],
        seconds=told["seconds"],
        fleet=told["instances"] or "",
        hourly_usd=told["hourlyUsd"],
        source=told["priceSource"] or "",
        cases=round(cost * 1000 / told["costPer1000Cases"]) if cost and told["costPer1000Cases"] else 0,
        passed=round(cost / told["costPerPassedCase"]) if cost and told["costPerPassedCase"] else 0,
    )
