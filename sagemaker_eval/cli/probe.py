"""`sageval probe`: the options, and nothing else; `cli/probing.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    selector: str = typer.Argument(
        metavar="ENDPOINT", help="sagemaker:my-endpoint, or container:http://127.0.0.1:8080; a type in it is kept to."
    ),
    prompt: str | None = typer.Option(
        None, "--prompt", metavar="TEXT", help="What to ask [default: a short question]."
    ),
    region: str | None = typer.Option(
        None, "--region", metavar="REGION", help="Where the endpoint is [default: AWS_REGION, the profile's]."
    ),
    profile: str | None = typer.Option(None, "--profile", metavar="NAME", help="Profile of ~/.aws/config."),
    component: str | None = typer.Option(
        None, "--inference-component", metavar="NAME", help="Which inference component of the endpoint to ask."
    ),
    settings: list[str] = typer.Option(
        [], "--set", metavar="KEY=VALUE", help="A further key of the provider's config; repeat for several."
    ),
    stream: bool = typer.Option(False, "--stream", help="Ask once more, for a stream, in the format that works best."),
    sandbox: bool = typer.Option(False, "--sandbox", help="Ask the built-in stand-in; no account needed."),
    sandbox_script: str | None = typer.Option(
        None, "--sandbox-script", metavar="FILE", help="YAML script of its answers; implies --sandbox."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON document instead of the report."),
    yes: bool = typer.Option(False, "--yes", "-y", help="Send the requests without asking first."),
) -> None:
    """Find out how an endpoint wants to be asked, and print the provider to put into a configuration.

    Describes the endpoint, then sends one small request in each format that is plausible: real calls. Ends with 0
    where a format works, with 3 where none does, and with 2 where the endpoint cannot be called at all.
    """
    from sagemaker_eval.cli.probing import ProbeRequest, probe

    raise typer.Exit(
        probe(
            ProbeRequest(
                selector=selector,
                prompt=prompt,
                region=region,
                profile=profile,
                component=component,
                settings=tuple(settings),
                stream=stream,
                sandbox=sandbox or sandbox_script is not None,
                sandbox_script=sandbox_script,
                as_json=as_json,
                yes=yes,
                process=dict(os.environ),
            )
        )
    )
