"""`sageval eval`: the options, and nothing else; `cli/evaluation.py` carries the command out."""

from __future__ import annotations

import os

import typer


def command(
    context: typer.Context,
    config: list[str] = typer.Option(
        [],
        "-c",
        "--config",
        metavar="PATH",
        help="Config file, glob or folder; repeat for several [default: sageval.yaml].",
    ),
    prompts: list[str] = typer.Option([], "-p", "--prompts", metavar="PATH", help="Replace the config's prompts."),
    providers: list[str] = typer.Option(
        [], "-r", "--providers", metavar="ID", help="Pick configured providers by id or label, or add one."
    ),
    tests: str | None = typer.Option(None, "-t", "--tests", metavar="PATH", help="Replace the config's tests."),
    outputs: list[str] = typer.Option(
        [], "-o", "--output", metavar="PATH", help="Write the results: .json, .jsonl, .yaml, .csv; repeat for several."
    ),
    max_concurrency: int | None = typer.Option(
        None, "-j", "--max-concurrency", min=1, metavar="N", help="Cases in flight for each provider [default: 4]."
    ),
    cache: bool | None = typer.Option(
        None, "--cache/--no-cache", help="Use stored answers; --no-cache neither reads nor writes any [default: cache]."
    ),
    delay: int | None = typer.Option(
        None, "--delay", min=0, metavar="MS", help="Time between starts of calls, for providers that set none."
    ),
    repeat: int | None = typer.Option(None, "--repeat", min=1, metavar="N", help="Run every test N times."),
    variables: list[str] = typer.Option([], "--var", metavar="K=V", help="Set a variable in every test."),
    env_files: list[str] = typer.Option(
        [], "--env-file", "--env-path", metavar="PATH", help="Read environment variables from a file."
    ),
    description: str | None = typer.Option(None, "--description", metavar="TEXT", help="Describe this run."),
    tags: list[str] = typer.Option([], "--tag", metavar="K=V", help="Tag this run; repeat for several."),
    grader: str | None = typer.Option(
        None, "--grader", metavar="ID", help="Who judges graded assertions that name nobody."
    ),
    filter_pattern: str | None = typer.Option(None, metavar="REGEX", help="Tests whose description matches."),
    filter_first_n: int | None = typer.Option(
        None, "-n", "--filter-first-n", min=1, metavar="N", help="The first N tests."
    ),
    filter_range: str | None = typer.Option(None, metavar="A:B", help="Tests A up to but without B, from 0."),
    filter_sample: int | None = typer.Option(None, min=1, metavar="N", help="N tests drawn at random."),
    filter_sample_seed: int | None = typer.Option(None, metavar="SEED", help="Draw the same sample every time."),
    filter_providers: str | None = typer.Option(None, metavar="REGEX", help="Providers whose id or label matches."),
    filter_prompts: str | None = typer.Option(None, metavar="REGEX", help="Prompts whose id or label matches."),
    filter_metadata: list[str] = typer.Option(
        [], metavar="K=V", help="Tests whose metadata K contains V; repeat for several."
    ),
    filter_failing: str | None = typer.Option(
        None, metavar="RUN", help="Tests that failed or errored in a run (id or latest) or a result file."
    ),
    filter_errors_only: str | None = typer.Option(
        None, metavar="RUN", help="Tests that errored in a run (id or latest) or a result file."
    ),
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
    sandbox: bool = typer.Option(
        False, "--sandbox", help="Answer from the built-in SageMaker stand-in; no account needed."
    ),
    sandbox_script: str | None = typer.Option(
        None, metavar="FILE", help="Answers and faults of the stand-in (implies --sandbox)."
    ),
    dry_run: bool = typer.Option(
        False, "--dry-run", help="Check and render everything, print the first requests, send nothing."
    ),
    strict: bool = typer.Option(False, "--strict", help="Make an undefined variable in a prompt an error."),
    watch: bool = typer.Option(
        False, "--watch", help="Run again whenever a file of the run changes; Ctrl-C ends it (exit code 0)."
    ),
    resume: str | None = typer.Option(
        None, metavar="RUN", help="Go on with an interrupted run: its id, or latest, the newest unfinished one."
    ),
    retry_errors: str | None = typer.Option(
        None, metavar="RUN", help="Run the errored cases of a run again, and those it never came to."
    ),
    rerun: str | None = typer.Option(
        None, metavar="failed|errors", help="With --resume RUN (or the latest run): run these cases again as well."
    ),
    allow_changes: bool = typer.Option(
        False, "--allow-changes", help="Go on with a run although its configuration was changed since."
    ),
    record: str | None = typer.Option(
        None, metavar="FILE", help="Record every call and its answer, for --replay; see docs/replay.md."
    ),
    replay: str | None = typer.Option(
        None, metavar="FILE", help="Answer from what --record wrote: no account, no network, the same each time."
    ),
    max_calls: int | None = typer.Option(None, min=1, metavar="N", help="Stop before the run makes more calls."),
    max_cost: float | None = typer.Option(
        None, min=0, metavar="USD", help="Stop before the endpoints' instances cost more."
    ),
    max_time: str | None = typer.Option(
        None, metavar="TIME", help="Stop the run after so long: 90s, 15m, 2h, or plain seconds."
    ),
    shard: str | None = typer.Option(
        None, metavar="I/N", help="Run part I of N of the cases; `sageval merge` puts the parts together."
    ),
    shard_by: str | None = typer.Option(
        None, metavar="id|cost", help="Split by the cases' ids, or by the latencies of an earlier run [default: id]."
    ),
    shard_from: str | None = typer.Option(
        None, metavar="RUN", help="That run: its id, latest, or a result file [default: the newest that fits]."
    ),
    fail_under: float | None = typer.Option(
        None, min=0, max=100, metavar="PERCENT", help="Pass rate below which the run fails [default: 100]."
    ),
    failed_exit_code: int | None = typer.Option(
        None, min=0, max=255, metavar="N", help="Exit code for too low a pass rate [default: 1]."
    ),
) -> None:
    """Run prompts x tests x providers, judge the answers, show the comparison.

    Exit codes: 0 fine, 1 pass rate below --fail-under, 2 could not start, 3 too many errors or stopped early,
    4 a bug in sageval, 130 interrupted.
    """
    from sagemaker_eval.cli.evaluation import evaluate
    from sagemaker_eval.cli.requests import EvalRequest, filters_of, one_of, pairs_of, refuse_stray
    from sagemaker_eval.cli.time_limits import seconds_of

    refuse_stray(context.args)
    request = EvalRequest(
        config=tuple(config),
        prompts=tuple(prompts),
        providers=tuple(providers),
        tests=tests,
        outputs=tuple(outputs),
        max_concurrency=max_concurrency,
        cache=cache,
        delay_ms=delay,
        repeat=repeat,
        variables=dict(pairs_of("--var", variables)),
        env_files=tuple(env_files),
        description=description,
        grader=grader,
        tags=dict(pairs_of("--tag", tags)),
        filters=filters_of(
            pattern=filter_pattern,
            first_n=filter_first_n,
            range_=filter_range,
            sample=filter_sample,
            sample_seed=filter_sample_seed,
            providers=filter_providers,
            prompts=filter_prompts,
            metadata=filter_metadata,
        ),
        failing=filter_failing,
        errors_only=filter_errors_only,
        table=table,
        table_cell_max_length=table_cell_max_length,
        progress_bar=progress_bar,
        as_json=as_json,
        write=write,
        verbose=verbose,
        sandbox=sandbox or sandbox_script is not None,
        sandbox_script=sandbox_script,
        dry_run=dry_run,
        strict=strict,
        fail_under=fail_under,
        resume=resume,
        retry_errors=retry_errors,
        rerun=one_of("--rerun", rerun, ("failed", "errors")),
        allow_changes=allow_changes,
        record=record,
        replay=replay,
        max_calls=max_calls,
        max_cost=max_cost,
        max_time_s=seconds_of("--max-time", max_time),
        failed_exit_code=failed_exit_code,
        shard=shard,
        shard_by=shard_by,
        shard_from=shard_from,
        process=dict(os.environ),
    )
    if watch:
        from sagemaker_eval.cli.watching import watch as keep_running

        raise typer.Exit(keep_running(request))
    raise typer.Exit(evaluate(request))
