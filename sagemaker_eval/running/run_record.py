"""The record of a run itself: what was run, from what, and how it ended. `docs/runs.md` describes the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from sagemaker_eval.model import Column, EndpointUse, Json
from sagemaker_eval.running.plan import Plan

FORMAT = 1
"""The version of the files of a run. A reader refuses a higher one."""

REPLAYED = "replayOf"
"""The option of a replay that says when the run was recorded which it replays: its documents have no other times."""


@dataclass(frozen=True, slots=True)
class ColumnRecord:
    """A column as reports show it. `provider` numbers the providers of the run, `planned` counts its cases."""

    provider_id: str
    provider_label: str | None
    prompt_id: str
    prompt_raw: str
    prompt_label: str
    provider: int = 0
    planned: int = 0

    @property
    def provider_name(self) -> str:
        return self.provider_label or self.provider_id

    @classmethod
    def of(cls, column: Column, provider: int = 0, planned: int = 0) -> ColumnRecord:
        spec, prompt = column.provider, column.prompt
        return cls(spec.id, spec.label, prompt.id, prompt.raw, prompt.label, provider, planned)

    def as_json(self) -> dict[str, Json]:
        return {
            "provider": {"id": self.provider_id, "label": self.provider_label, "index": self.provider},
            "prompt": {"id": self.prompt_id, "raw": self.prompt_raw, "label": self.prompt_label},
            "planned": self.planned,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        provider, prompt = told["provider"], told["prompt"]
        named = (provider["id"], provider["label"], prompt["id"], prompt["raw"], prompt["label"])
        return cls(*named, provider["index"], told["planned"])


def columns_of(plan: Plan) -> tuple[ColumnRecord, ...]:
    """The columns of a plan, their providers numbered in the order of the suite."""
    numbers = {id(spec): number for number, spec in enumerate(plan.suite.providers)}
    return tuple(
        ColumnRecord.of(column, numbers[id(column.provider)], plan.column_totals[column.index])
        for column in plan.columns
    )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """What was run: the content of `run.json`. `started_at` is ISO 8601 in UTC with milliseconds."""

    run_id: str
    started_at: str
    description: str | None
    columns: tuple[ColumnRecord, ...]
    var_names: tuple[str, ...]
    total: int
    config: Mapping[str, Json] = field(default_factory=dict)
    options: Mapping[str, Json] = field(default_factory=dict)
    slots: int = 0
    """How many cells the table has, empty ones included."""
    command: Mapping[str, Json] = field(default_factory=dict)
    """The options of the command, by their names in `cli.requests.EvalRequest`, for going on with the run."""
    files: Mapping[str, str] = field(default_factory=dict)
    """What the run was made from: the SHA-256, in hex, of each file by its path."""

    def as_json(self) -> dict[str, Json]:
        """The record as `run.json` holds it."""
        return {
            "format": FORMAT,
            "runId": self.run_id,
            "startedAt": self.started_at,
            "description": self.description,
            "columns": [column.as_json() for column in self.columns],
            "vars": list(self.var_names),
            "total": self.total,
            "slots": self.slots,
            "config": dict(self.config),
            "options": dict(self.options),
            "command": dict(self.command),
            "files": dict(self.files),
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """The record in `run.json`. Raises KeyError, TypeError and ValueError for what is none."""
        if told["format"] > FORMAT:
            raise ValueError(f"format {told['format']} of a later version of sageval")
        return cls(
            run_id=told["runId"],
            started_at=told["startedAt"],
            description=told["description"],
            columns=tuple(ColumnRecord.from_json(column) for column in told["columns"]),
            var_names=tuple(told["vars"]),
            total=told["total"],
            config=told["config"],
            options=told["options"],
            slots=told["slots"],
            command=told["command"],
            files=told["files"],
        )


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run ended, as far as its journal does not tell: the content of `end.json`.

    `derived` are the derived metrics of each column. A run without this file was killed, or is still going on.
    """

    finished_at: str
    duration_ms: float
    stopped_by: str | None = None
    interrupted: bool = False
    derived: tuple[Mapping[str, float], ...] = ()
    endpoints: tuple[EndpointUse, ...] = ()

    def as_json(self) -> dict[str, Json]:
        return {
            "finishedAt": self.finished_at,
            "durationMs": self.duration_ms,
            "stoppedBy": self.stopped_by,
            "interrupted": self.interrupted,
            "derivedMetrics": [dict(derived) for derived in self.derived],
            "endpoints": [asdict(use) for use in self.endpoints],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Raises KeyError and TypeError for what is no such file."""
        known = {each.name for each in fields(EndpointUse)}
        return cls(
            finished_at=told["finishedAt"],
            duration_ms=told["durationMs"],
            stopped_by=told["stoppedBy"],
            interrupted=told["interrupted"],
            derived=tuple(told["derivedMetrics"]),
            endpoints=tuple(
                EndpointUse(**{name: use[name] for name in known if name in use}) for use in told["endpoints"]
            ),
        )
