"""The distinct errors of a run, counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.reporting.base import JournalReader

_MOST_KINDS = 1000
_REQUEST_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors with the same message, request ids aside: the first one's words and hint, and how many there are."""

    message: str
    hint: str | None
    count: int


def group_errors(journal: JournalReader, limit: int = 10) -> tuple[list[ErrorGroup], int]:
    """The most frequent errors, at most `limit` of them, and how many errors are of other kinds.

    Reads the journal once; beyond the first thousand kinds, further kinds are only counted.
    """
    counts: dict[str, int] = {}
    firsts: dict[str, tuple[str, str | None]] = {}
    total = 0
    for row in _errored_rows(journal):
        total += 1
        message = str(row.get("error") or "unknown error")
        key = _REQUEST_ID.sub("", message)
        if key not in firsts and len(firsts) < _MOST_KINDS:
            firsts[key] = (message, row.get("hint"))
        if key in firsts:
            counts[key] = counts.get(key, 0) + 1
    frequent = sorted(counts, key=counts.__getitem__, reverse=True)[:limit]
    groups = [ErrorGroup(*firsts[key], counts[key]) for key in frequent]
    return groups, total - sum(group.count for group in groups)


def _errored_rows(journal: JournalReader) -> Iterator[dict[str, Json]]:
    for (_, outcome), line in zip(journal.outcomes(), journal.lines(), strict=True):
        if outcome is Outcome.ERRORED:
            yield json.loads(line)
