"""`--shard`, `--shard-by` and `--shard-from`: the part of a plan that this process carries out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sagemaker_eval.cli.requests import EvalRequest, one_of
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.running.folders import LATEST
from sagemaker_eval.running.merge_parts import read_part
from sagemaker_eval.running.overview import overviews
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.reading import find_run
from sagemaker_eval.running.run_files import read_record
from sagemaker_eval.running.run_record import columns_of
from sagemaker_eval.running.sharding import Converses, Shard, recorded_costs, sharded


def in_shard(
    request: EvalRequest, plan: Plan, converses: Converses, environ: Mapping[str, str], notice: Callable[[str], None]
) -> tuple[EvalRequest, Plan]:
    """The plan of the shard that is asked for, and the request with the run that decided on it put down.

    Raises `ConfigError` for options that do not go together, or where there is no such run.
    """
    by = one_of("--shard-by", request.shard_by, ("id", "cost"))
    if request.shard is None:
        if by or request.shard_from:
            raise ConfigError.of("--shard-by and --shard-from go with --shard", hint="for example `--shard 1/4`")
        return request, plan
    if request.shard_from and by != "cost":
        raise ConfigError.of("--shard-from goes with `--shard-by cost`")
    shard = Shard.parse(request.shard)
    costs = None
    if by == "cost":
        source = _source(request.shard_from, plan, environ)
        costs = recorded_costs(_rows(source, environ))
        request = replace(request, shard_from=source)
    part = sharded(plan, shard, converses, costs)
    if plan.stores:
        notice("tests with `storeOutputAs` keep all cases of a run in one shard")
    notice(f"shard {shard}: {part.total:,} of {plan.total:,} cases")
    return request, part


def _source(asked: str | None, plan: Plan, environ: Mapping[str, str]) -> str:
    """The name of the run whose latencies count: the one that is asked for, else the newest of these columns."""
    if asked is not None:
        return find_run(LATEST, environ).name if asked == LATEST else asked
    columns = [(column.prompt_id, column.provider_name) for column in columns_of(plan)]
    for run in overviews(environ).runs:
        record = read_record(run.folder)
        known = [(column.prompt_id, column.provider_name) for column in record.columns]
        if known == columns and run.done and "shard" not in record.options:
            return run.run_id
    raise ConfigError.of(
        "`--shard-by cost` knows no earlier run of these providers and prompts",
        hint="give --shard-from RUN or a .json or .jsonl result file, the same to all shards",
    )


def _rows(source: str, environ: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    part = read_part(source, environ)
    yield from part.journal.rows() if part.journal is not None else part.rows.values()
