"""What stdout shows of a finished run: the comparison table and the summary."""

from __future__ import annotations

from rich.console import Console

from sagemaker_eval.model import RunSummary
from sagemaker_eval.reporting.base import JournalReader
from sagemaker_eval.reporting.summary_view import render_summary
from sagemaker_eval.reporting.table import TableSettings, render_table
from sagemaker_eval.running.run_record import RunRecord


def show_results(
    record: RunRecord,
    journal: JournalReader,
    summary: RunSummary,
    console: Console,
    table: TableSettings | None = TableSettings(),
) -> None:
    """Print the table, unless `table` is None, and the summary below it."""
    if table is not None:
        render_table(record, journal, table, console)
        console.print()
    render_summary(record, journal, summary, console)
