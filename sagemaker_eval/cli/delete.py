"""`sageval delete`: the options, and nothing else; `cli/runs.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    runs: list[str] = typer.Argument(None, metavar="RUN...", help="Ids, unique beginnings of ids, or latest."),
    older_than: str | None = typer.Option(
        None, "--older-than", metavar="AGE", help="All runs that were started longer ago: 30d, 12h, 2w."
    ),
    keep: int | None = typer.Option(None, "--keep", min=0, metavar="N", help="All runs but the newest N."),
    yes: bool = typer.Option(False, "-y", "--yes", help="Do not ask."),
) -> None:
    """Delete the records of runs. A run that is still going on is left alone.

    --older-than and --keep together delete what is older and not among the newest.
    """
    from sagemaker_eval.cli.runs import DeleteRequest, delete_runs

    delete_runs(DeleteRequest(tuple(runs or ()), older_than, keep, yes, dict(os.environ)))
