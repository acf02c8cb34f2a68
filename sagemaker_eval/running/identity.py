"""What names a case for good: the same in every run, whatever else is added to the configuration or moved in it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from sagemaker_eval.model import Case
from sagemaker_eval.running.records import written

_DIGITS = 16


def case_id(case: Case) -> str:
    """16 hex digits over provider, prompt, variables as written, and repetition.

    Cases that agree in all of these share an id.
    """
    provider, prompt, row = case.column.provider, case.column.prompt, case.row
    return _digest([provider.id, provider.label or "", prompt.id, row.repeat, written(row.vars)])


def row_case_id(row: Mapping[str, Any]) -> str:
    """The id of the case that a journal's row is of."""
    provider = row["provider"]
    return _digest([provider["id"], provider["label"], row["promptId"], row["repeat"], row["testCase"]["vars"]])


def _digest(parts: list[Any]) -> str:
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), default=dict)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]
