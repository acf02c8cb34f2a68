"""Values as JSON has them, places in the user's files, and what a case may come to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

Json: TypeAlias = Any
"""A decoded JSON value: None, bool, int, float, str, a list of Json or a dict from str to Json."""

EMPTY: Mapping[str, Any] = MappingProxyType({})


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def compact_json(value: Json) -> str:
    """`value` as JavaScript's JSON.stringify writes it: no spaces, non-ASCII kept, no sorting."""
    return _COMPACT.encode(value)


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a file of the user. `pointer` leads to the value inside the document; lines count from 1.

    `line` and `column` may be unknown until somebody asks (`config.locating.locate` finds them from `pointer`).
    """

    path: str
    line: int | None = None
    column: int | None = None
    pointer: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part is not None)


@dataclass(frozen=True, slots=True)
class UserCode:
    """Code of the user as the configuration has it, not yet compiled (`text.code.compile_code` does that).

    `source` is inline JavaScript, inline Python after `python:`, or `file://script.js[:fn]` / `file://script.py[:fn]`
    relative to `base_path`.
    """

    source: str
    base_path: str = "."
    where: Place | None = field(default=None, compare=False)


class Outcome(StrEnum):
    """PASSED and FAILED: the model answered. ERRORED: nothing was learned. SKIPPED: planned and never sent."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"


class Operation(StrEnum):
    """How an endpoint is asked. The values are AWS's names; `OPENAI` is the endpoint's own path for chat clients."""

    INVOKE = "InvokeEndpoint"
    STREAM = "InvokeEndpointWithResponseStream"
    ASYNC = "InvokeEndpointAsync"
    OPENAI = "chat/completions"


def whole_numbers(value: Json) -> Json:
    """`value` with whole numbers as JavaScript prints them: `5`, where Python has `5.0`."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 1e21 else value
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: whole_numbers(item) for key, item in value.items()}
    return value
