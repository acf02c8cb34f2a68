"""`sageval export`: the options, and nothing else; `cli/recorded.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    run: str = typer.Argument(..., metavar="RUN", help="Id of a run, a unique beginning of it, or latest."),
    outputs: list[str] = typer.Option(
        [], "-o", "--output", metavar="PATH", help="What to write: .json, .jsonl, .yaml, .csv; repeat for several."
    ),
) -> None:
    """Write the results of a recorded run, as `eval -o` would have at its end."""
    from sagemaker_eval.cli.recorded import export_run

    export_run(run, outputs, dict(os.environ))
