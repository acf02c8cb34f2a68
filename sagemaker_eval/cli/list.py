"""`sageval list`: what there is to choose from."""

from __future__ import annotations

import typer

app = typer.Typer(name="list", help="Show what there is to choose from.", no_args_is_help=True)


@app.command("assertions")
def assertions() -> None:
    """Show every assertion type with a line of what it passes."""
    from sagemaker_eval.cli.listing import list_assertions

    list_assertions()
