"""`.csv`: a line for each test, in plan order, with promptfoo's columns (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO

from sagemaker_eval.model import Json, Outcome, RunSummary, compact_json
from sagemaker_eval.reporting.base import OUTPUTS, JournalReader
from sagemaker_eval.reporting.reasons import reasons_of
from sagemaker_eval.running.run_record import RunRecord

_STATUS = {Outcome.PASSED: "PASS", Outcome.FAILED: "FAIL", Outcome.ERRORED: "ERROR"}
_SKIPPED = "SKIPPED"
_FORMULA_STARTS = ("=", "+", "-", "@")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@OUTPUTS.register(".csv")
def write_csv(stream: BinaryIO, record: RunRecord, journal: JournalReader, summary: RunSummary) -> None:
    """Header: `Description` where a test has one, variables, then for each column its output, status and scores.

    Errors, which promptfoo leaves out, stand in the output's place and as the reason.
    """
    metrics = sorted(summary.total.named_scores)
    described = _any_description(journal)
    text = io.TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace", newline="")
    writer = csv.writer(text)
    writer.writerow(map(_guarded, _header(record, metrics, described)))
    for _, rows in groupby(journal.rows(), key=lambda row: row["testIdx"]):
        writer.writerow(map(_guarded, _line(record, list(rows), metrics, described)))
    text.flush()
    text.detach()


def _header(record: RunRecord, metrics: Sequence[str], described: bool) -> Iterator[str]:
    if described:
        yield "Description"
    yield from record.var_names
    for column in record.columns:
        yield f"[{column.provider_name}] {column.prompt_label}"
        yield from ("Status", "Score", "Named Scores")
        yield from (f"Metric: {name}" for name in metrics)
        yield from ("Grader Reason", "Comment")


def _line(record: RunRecord, rows: Sequence[dict[str, Json]], metrics: Sequence[str], described: bool) -> Iterator[str]:
    """The line of one test; `rows` are its finished cases."""
    by_column = {row["promptIdx"]: row for row in rows}
    if described:
        yield str(_description(rows[0]) or "")
    values = rows[0].get("vars") or {}
    yield from (_text(values[name]) if name in values else "" for name in record.var_names)
    for index in range(len(record.columns)):
        if index in by_column:
            yield from _case(by_column[index], metrics)
        else:
            yield from ("", _SKIPPED, "", "", *([""] * len(metrics)), "", "")


def _case(row: dict[str, Json], metrics: Sequence[str]) -> Iterator[str]:
    outcome = Outcome(row["outcome"])
    response, grading = row.get("response"), row.get("gradingResult") or {}
    error = str(row.get("error") or "") if outcome is Outcome.ERRORED else ""
    scores = row.get("namedScores") or {}
    yield _text(response["output"]) if response else error
    yield _STATUS[outcome]
    yield _score(row.get("score"))
    yield compact_json(scores)
    yield from (_score(scores.get(name)) for name in metrics)
    yield error or _reason(row, outcome, grading)
    yield str(grading.get("comment") or "")


def _reason(row: dict[str, Json], outcome: Outcome, grading: dict[str, Json]) -> str:
    if outcome is Outcome.FAILED:
        return "\n".join(reasons_of(row))
    return str(grading.get("reason") or "")


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.2f}"


def _text(value: Json) -> str:
    return value if isinstance(value, str) else compact_json(value)


def _guarded(cell: str) -> str:
    """The cell with an apostrophe before it where a spreadsheet would run it as a formula."""
    if cell.startswith(_FORMULA_STARTS) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def _any_description(journal: JournalReader) -> bool:
    return any(b'"description"' in line and _description(json.loads(line)) for line in journal.lines())


def _description(row: dict[str, Json]) -> Json:
    return (row.get("testCase") or {}).get("description")
