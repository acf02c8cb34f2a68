"""`sageval merge`: the options, and nothing else; `cli/merged.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    parts: list[str] = typer.Argument(
        ..., metavar="RUN_OR_FILE...", help="Runs (id or folder), or .json and .jsonl files of -o."
    ),
    outputs: list[str] = typer.Option(
        [], "-o", "--output", metavar="PATH", help="Write the results: .json, .jsonl, .yaml, .csv; repeat for several."
    ),
    partial: bool = typer.Option(False, "--partial", help="Merge although shards or cases are missing."),
    table: bool | None = typer.Option(None, "--table/--no-table", help="Show the table [default: as the runs did]."),
    as_json: bool = typer.Option(False, "--json", help="Print the result document on stdout and nothing else."),
    write: bool = typer.Option(True, "--write/--no-write", help="Keep a record under .sageval/runs."),
    fail_under: float | None = typer.Option(
        None, min=0, max=100, metavar="PERCENT", help="Exit code 1 for a lower pass rate of the whole."
    ),
) -> None:
    """Put the shards of a run together: one run with the cases of all of them.

    Exit codes: 0 merged, 1 pass rate below --fail-under, 2 they do not belong together or do not make a whole.
    """
    from sagemaker_eval.cli.merged import MergeRequest, merge

    request = MergeRequest(tuple(parts), tuple(outputs), partial, table, as_json, write, fail_under, dict(os.environ))
    raise typer.Exit(merge(request))
