"""`sageval cache`: the options, and nothing else; `cli/caching.py` and `cli/explaining.py` carry the commands out."""

from __future__ import annotations

import os

import typer

app = typer.Typer(name="cache", help="Look into the answer cache, and tidy it up.", no_args_is_help=True)


@app.command("stats")
def stats(as_json: bool = typer.Option(False, "--json", help="Print one JSON object.")) -> None:
    """Show where the cache is, how much it holds of which endpoint, and how often it had the answer."""
    from sagemaker_eval.cli.caching import show_stats

    show_stats(dict(os.environ), as_json=as_json)


@app.command("clear")
def clear(
    endpoint: str | None = typer.Option(
        None, "--endpoint", metavar="NAME", help="Only the answers of this endpoint, as `cache stats` names it."
    ),
    yes: bool = typer.Option(False, "-y", "--yes", help="Do not ask."),
) -> None:
    """Drop all stored answers, or those of one endpoint. They would have to be paid for again."""
    from sagemaker_eval.cli.caching import clear_cache

    clear_cache(dict(os.environ), endpoint, sure=yes)


@app.command("prune")
def prune(
    older_than: str | None = typer.Option(
        None, "--older-than", metavar="TIME", help="Drop answers stored before: `30d`, `12h`, `90m`."
    ),
    max_size: str | None = typer.Option(
        None, "--max-size", metavar="SIZE", help="Drop the least recently used beyond: `500MB`, `2GB`."
    ),
) -> None:
    """Drop what is too old or too much; without an option, what SAGEVAL_CACHE_MAX_AGE and _MAX_SIZE say."""
    from sagemaker_eval.cli.caching import prune_cache

    prune_cache(dict(os.environ), older_than, max_size)


@app.command("explain", context_settings={"allow_extra_args": True})
def explain(
    context: typer.Context,
    config: list[str] = typer.Option(
        [], "-c", "--config", metavar="PATH", help="Config file, glob or folder [default: sageval.yaml]."
    ),
    first: int = typer.Option(10, "--first", min=1, metavar="N", help="Look at the first N cases."),
    prompts: list[str] = typer.Option([], "-p", "--prompts", metavar="PATH", help="Replace the config's prompts."),
    providers: list[str] = typer.Option(
        [], "-r", "--providers", metavar="ID", help="Pick configured providers by id or label, or add one."
    ),
    tests: str | None = typer.Option(None, "-t", "--tests", metavar="PATH", help="Replace the config's tests."),
    repeat: int | None = typer.Option(None, "--repeat", min=1, metavar="N", help="Run every test N times."),
    variables: list[str] = typer.Option([], "--var", metavar="K=V", help="Set a variable in every test."),
    env_files: list[str] = typer.Option(
        [], "--env-file", "--env-path", metavar="PATH", help="Read environment variables from a file."
    ),
    sandbox: bool = typer.Option(False, "--sandbox", help="As whom `eval --sandbox` asks."),
    sandbox_script: str | None = typer.Option(
        None, metavar="FILE", help="As whom `eval --sandbox-script` asks (implies --sandbox)."
    ),
) -> None:
    """Say of the first cases of a configuration whether the cache has their answers, and why not. Invokes nothing."""
    from sagemaker_eval.cli.explaining import explain_cache
    from sagemaker_eval.cli.requests import EvalRequest, pairs_of, refuse_stray

    refuse_stray(context.args)
    request = EvalRequest(
        config=tuple(config),
        prompts=tuple(prompts),
        providers=tuple(providers),
        tests=tests,
        repeat=repeat,
        variables=dict(pairs_of("--var", variables)),
        env_files=tuple(env_files),
        sandbox=sandbox or sandbox_script is not None,
        sandbox_script=sandbox_script,
        dry_run=True,
        process=dict(os.environ),
    )
    explain_cache(request, first)
