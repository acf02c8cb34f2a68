"""What the engine tells while it runs. Consumers plug in without the engine knowing that they exist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sagemaker_eval.errors import SagevalError
from sagemaker_eval.model import CaseResult, Column, RunSummary


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The plan stands; nothing has been sent. `total` counts the cases."""

    run_id: str
    columns: tuple[Column, ...]
    total: int


@dataclass(frozen=True, slots=True)
class CaseFinished:
    """One case is in the journal. Cases finish in any order; `result.case.index` is the plan's order."""

    result: CaseResult


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know once: a fallback, an ambiguity, a setting that has no effect."""

    message: str


@dataclass(frozen=True, slots=True)
class RunFinished:
    """No more events follow. `stopped_by` is why the run ended early: a `SetupError`; `interrupted`: by the user."""

    summary: RunSummary
    stopped_by: SagevalError | None = None
    interrupted: bool = False
    derived: tuple[Mapping[str, float], ...] = ()
    """The derived metrics of each column, which are among the named scores of its summary."""


Event = RunStarted | CaseFinished | Notice | RunFinished
