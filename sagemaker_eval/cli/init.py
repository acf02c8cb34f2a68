"""`sageval init`: the options, and nothing else; `cli/initialising.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    folder: str = typer.Argument(".", metavar="FOLDER", help="Where to write; made where it is missing."),
    model_type: str | None = typer.Option(
        None, "--model-type", metavar="TYPE", help="How the endpoint is asked, or embedding [default: openai]."
    ),
    endpoint: str | None = typer.Option(
        None, "--endpoint", metavar="NAME", help="Name of the SageMaker endpoint [default: my-endpoint]."
    ),
    region: str | None = typer.Option(
        None, "--region", metavar="REGION", help="AWS region of the endpoint [default: AWS_REGION, else left open]."
    ),
    force: bool = typer.Option(False, "--force", help="Replace files that are there."),
) -> None:
    """Write a commented starter configuration and two prompts to compare.

    Asks at a terminal for what no option says. The result runs at once: `sageval eval --sandbox`.
    """
    from sagemaker_eval.cli.initialising import InitRequest, initialise

    initialise(InitRequest(folder, model_type, endpoint, region, force, dict(os.environ)))
