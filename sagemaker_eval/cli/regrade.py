"""`sageval regrade`: the options, and nothing else; `cli/regrading.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    context: typer.Context,
    run: str | None = typer.Argument(
        None, metavar="RUN", help="A run: its id, latest, or a .json or .jsonl result file."
    ),
    given: str | None = typer.Option(
        None, "--outputs", metavar="FILE", help="Judge answers produced elsewhere: .jsonl, .csv or .json."
    ),
    config: list[str] = typer.Option(
        [], "-c", "--config", metavar="PATH", help="Config file, glob or folder; repeat [default: that of the run]."
    ),
    graders: bool = typer.Option(
        True, "--graders/--no-graders", help="Ask the models that judge; --no-graders leaves their assertions out."
    ),
    grader: str | None = typer.Option(
        None, "--grader", metavar="ID", help="Who judges graded assertions that name nobody."
    ),
    filter_providers: str | None = typer.Option(None, metavar="REGEX", help="Providers whose id or label matches."),
    filter_prompts: str | None = typer.Option(None, metavar="REGEX", help="Prompts whose id or label matches."),
    outputs: list[str] = typer.Option(
        [], "-o", "--output", metavar="PATH", help="Write the results: .json, .jsonl, .yaml, .csv; repeat for several."
    ),
    max_concurrency: int | None = typer.Option(
        None, "-j", "--max-concurrency", min=1, metavar="N", help="Cases judged at once for each provider [default: 4]."
    ),
    cache: bool | None = typer.Option(
        None, "--cache/--no-cache", help="Use stored answers of graders; --no-cache neither reads nor writes any."
    ),
    env_files: list[str] = typer.Option(
        [], "--env-file", "--env-path", metavar="PATH", help="Read environment variables from a file."
    ),
    description: str | None = typer.Option(None, "--description", metavar="TEXT", help="Describe the new run."),
    table: bool | None = typer.Option(None, "--table/--no-table", help="Show the table [default: table]."),
    table_cell_max_length: int | None = typer.Option(
        None, min=10, metavar="N", help="Characters of an answer that the table shows [default: 250]."
    ),
    progress_bar: bool | None = typer.Option(
        None, "--progress-bar/--no-progress-bar", help="Show progress on stderr [default: progress-bar]."
    ),
    as_json: bool = typer.Option(False, "--json", help="Print the result document on stdout and nothing else."),
    write: bool | None = typer.Option(
        None, "--write/--no-write", help="Keep a record under .sageval/runs [default: write]."
    ),
    verbose: bool | None = typer.Option(None, "-v", "--verbose", help="Debug log on stderr."),
    sandbox: bool = typer.Option(False, "--sandbox", help="Have the built-in SageMaker stand-in answer for graders."),
    fail_under: float | None = typer.Option(
        None, min=0, max=100, metavar="PERCENT", help="Pass rate below which the run fails [default: 100]."
    ),
    failed_exit_code: int | None = typer.Option(
        None, min=0, max=255, metavar="N", help="Exit code for too low a pass rate [default: 1]."
    ),
) -> None:
    """Judge answers again with the assertions of the configuration as it is now; no endpoint is asked for an answer.

    Exit codes: 0 fine, 1 pass rate below --fail-under, 2 could not start, 3 too many errors, or cases without an
    answer, 4 a bug in sageval, 130 interrupted.
    """
    from sagemaker_eval.cli.regrading import RegradeRequest, regrade
    from sagemaker_eval.cli.requests import EvalRequest, refuse_stray
    from sagemaker_eval.running.selection import Filters

    refuse_stray(context.args)
    options = EvalRequest(
        config=tuple(config),
        outputs=tuple(outputs),
        max_concurrency=max_concurrency,
        cache=cache,
        env_files=tuple(env_files),
        description=description,
        grader=grader,
        filters=Filters(providers=filter_providers, prompts=filter_prompts),
        table=table,
        table_cell_max_length=table_cell_max_length,
        progress_bar=progress_bar,
        as_json=as_json,
        write=write,
        verbose=verbose,
        sandbox=sandbox,
        fail_under=fail_under,
        failed_exit_code=failed_exit_code,
        process=dict(os.environ),
    )
    raise typer.Exit(regrade(RegradeRequest(options, run, given, graders)))
