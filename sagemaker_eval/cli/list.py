"""`sageval list`: what there is to choose from."""

from __future__ import annotations

import os

import typer

app = typer.Typer(name="list", help="Show recorded runs, and what there is to choose from.")

_AS_JSON = typer.Option(False, "--json", help="Print a JSON list instead of a table.")
_LIMIT = typer.Option(None, "-n", "--limit", min=1, metavar="N", help="The newest N runs.")


@app.callback(invoke_without_command=True)
def everything(context: typer.Context, as_json: bool = _AS_JSON, limit: int | None = _LIMIT) -> None:
    """Show recorded runs, newest first; the commands below show what else there is to choose from."""
    if context.invoked_subcommand is None:
        runs(as_json, limit)


@app.command("runs")
def runs(as_json: bool = _AS_JSON, limit: int | None = _LIMIT) -> None:
    """Show recorded runs, newest first: cases done and planned, pass rate, errors, state."""
    from sagemaker_eval.cli.runs import list_runs

    list_runs(os.environ, as_json, limit)


@app.command("assertions")
def assertions() -> None:
    """Show every assertion type with a line of what it passes."""
    from sagemaker_eval.cli.listing import list_assertions

    list_assertions()


@app.command("endpoints")
def endpoints(
    name_contains: str | None = typer.Option(None, "--name-contains", metavar="TEXT", help="Part of the names."),
    region: str | None = typer.Option(
        None, "--region", metavar="REGION", help="Where to look [default: AWS_REGION, the profile's]."
    ),
    profile: str | None = typer.Option(None, "--profile", metavar="NAME", help="Profile of ~/.aws/config."),
    as_json: bool = typer.Option(False, "--json", help="Print a JSON list instead of a table."),
    sandbox_script: str | None = typer.Option(
        None, "--sandbox-script", metavar="FILE", help="List the endpoints of this script; no account needed."
    ),
) -> None:
    """Show the SageMaker endpoints of an account and region: status, kind, variants, instances.

    Needs `sagemaker:ListEndpoints`; with `sagemaker:DescribeEndpoint` and `sagemaker:DescribeEndpointConfig` it shows
    more than names.
    """
    from sagemaker_eval.cli.endpoint_listing import EndpointsRequest, list_endpoints

    list_endpoints(
        EndpointsRequest(
            name_contains=name_contains,
            region=region,
            profile=profile,
            as_json=as_json,
            sandbox_script=sandbox_script,
            process=dict(os.environ),
        )
    )
