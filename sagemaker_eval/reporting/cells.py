"""One case as the table shows it: a verdict, the answer, and what was wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from sagemaker_eval.model import Json, Outcome, compact_json
from sagemaker_eval.reporting.figures import duration
from sagemaker_eval.reporting.reasons import reasons_of
from sagemaker_eval.reporting.terminal import cut, marks_for

_VERDICTS = {
    Outcome.PASSED: ("PASS", "bold green"),
    Outcome.FAILED: ("FAIL", "bold red"),
    Outcome.ERRORED: ("ERROR", "bold yellow"),
}
_MOST_REASONS = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """`verdict` is None where nothing was asserted; `reasons` say what failed, each ready to be shown.

    `times` are the wire time of the call and, of a stream, the time to its first token; empty where nothing was called.
    """

    verdict: tuple[str, str] | None
    body: Text
    reasons: tuple[str, ...] = ()
    times: str = ""

    def text(self) -> Text:
        """Verdict, answer and reasons as one text of several lines."""
        shown = self.body if self.verdict is None else Text.assemble(self.verdict, " ", self.body)
        for reason in self.reasons:
            shown = Text.assemble(shown, "\n", (reason, "red"))
        return Text.assemble(shown, "\n", (self.times, "dim")) if self.times else shown


def cell_of(row: dict[str, Json], max_cell: int, console: Console) -> Cell:
    """What a row of the journal looks like; answers, reasons and errors are cut at `max_cell` characters."""
    outcome = Outcome(row["outcome"])
    if outcome is Outcome.ERRORED:
        return Cell(_VERDICTS[outcome], Text(cut(str(row.get("error") or "unknown error"), max_cell, console)))
    body = _answer(row, max_cell, console)
    if outcome is Outcome.PASSED:
        return Cell(_VERDICTS[outcome] if row.get("asserted", True) else None, body, times=_times(row))
    return Cell(_VERDICTS[outcome], body, tuple(_shown_reasons(row, max_cell, console)), _times(row))


def _times(row: dict[str, Json]) -> str:
    if row.get("latencyMs") is None:
        return ""
    first = (row.get("timings") or {}).get("firstTokenMs")
    return (
        duration(row["latencyMs"]) if first is None else f"{duration(row['latencyMs'])}, first token {duration(first)}"
    )


def value_text(value: Json, max_cell: int, console: Console) -> str:
    """A variable or an answer: strings as they are, anything else as compact JSON."""
    return cut(value if isinstance(value, str) else compact_json(value), max_cell, console)


def _answer(row: dict[str, Json], max_cell: int, console: Console) -> Text:
    output = (row.get("response") or {}).get("output")
    if isinstance(output, str):
        trimmed = output.strip()
        if not trimmed:
            return Text("(blank)" if output else "(empty)", style="dim italic")
        output = trimmed
    return Text(value_text(output, max_cell, console))


def _shown_reasons(row: dict[str, Json], max_cell: int, console: Console) -> Iterator[str]:
    marks = marks_for(console)
    reasons = list(reasons_of(row))
    for reason in reasons[:_MOST_REASONS]:
        yield f"{marks.failure} {cut(reason.strip(), max_cell, console)}"
    if len(reasons) > _MOST_REASONS:
        yield f"{marks.ellipsis} and {len(reasons) - _MOST_REASONS} more"
