"""Why a case failed, from its row."""

from __future__ import annotations

from collections.abc import Iterator

from sagemaker_eval.model import Json


def reasons_of(row: dict[str, Json]) -> Iterator[str]:
    """Why a case failed: every failed assertion, or the aggregate where a threshold of the test decides."""
    grading = row.get("gradingResult") or {}
    overall = str(grading.get("reason") or row.get("error") or "")
    failed = [str(part["reason"]) for part in grading.get("componentResults") or () if not part["pass"]]
    if not failed or (row.get("testCase") or {}).get("threshold") is not None:
        failed = [overall]
    yield from (reason for reason in dict.fromkeys(failed) if reason)
