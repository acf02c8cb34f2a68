"""`sageval validate`: the options, and nothing else; `cli/validation.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    context: typer.Context,
    config: list[str] = typer.Option(
        [], "-c", "--config", metavar="PATH", help="Config file, glob or folder [default: sageval.yaml]."
    ),
    prompts: list[str] = typer.Option([], "-p", "--prompts", metavar="PATH", help="Replace the config's prompts."),
    providers: list[str] = typer.Option(
        [], "-r", "--providers", metavar="ID", help="Pick configured providers by id or label, or add one."
    ),
    tests: str | None = typer.Option(None, "-t", "--tests", metavar="PATH", help="Replace the config's tests."),
    variables: list[str] = typer.Option([], "--var", metavar="K=V", help="Set a variable in every test."),
    env_files: list[str] = typer.Option(
        [], "--env-file", "--env-path", metavar="PATH", help="Read environment variables from a file."
    ),
    strict: bool = typer.Option(False, "--strict", help="Make an undefined variable in a prompt an error."),
) -> None:
    """Check a configuration and every file it names, as `sageval eval` does before its first call.

    Sends nothing and needs no credentials. Prints all problems with file, line and column.

    Exit codes: 0 everything is right, 2 something is wrong, 4 a bug in sageval.
    """
    from sagemaker_eval.cli.requests import EvalRequest, pairs_of, refuse_stray
    from sagemaker_eval.cli.validation import validate

    refuse_stray(context.args)
    request = EvalRequest(
        config=tuple(config),
        prompts=tuple(prompts),
        providers=tuple(providers),
        tests=tests,
        variables=dict(pairs_of("--var", variables)),
        env_files=tuple(env_files),
        strict=strict,
        check_only=True,
        process=dict(os.environ),
    )
    raise typer.Exit(validate(request))
