"""`sageval show`: the options, and nothing else; `cli/recorded.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    run: str = typer.Argument(..., metavar="RUN", help="Id of a run, a unique beginning of it, or latest."),
    table: bool | None = typer.Option(None, "--table/--no-table", help="Show the table [default: as the run did]."),
    table_cell_max_length: int | None = typer.Option(
        None, min=10, metavar="N", help="Characters of an answer that the table shows [default: as the run did]."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the result document on stdout and nothing else."),
) -> None:
    """Show the table and the summary of a recorded run once more."""
    from sagemaker_eval.cli.recorded import ShowRequest, show_run

    show_run(ShowRequest(run, table, table_cell_max_length, as_json, dict(os.environ)))
