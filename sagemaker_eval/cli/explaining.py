"""What `sageval cache explain` does: each request goes its whole way up to the cache, and is looked up there."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from itertools import islice

from sagemaker_eval.calling.cache_explaining import differences, entry, nearest
from sagemaker_eval.calling.cache_folder import default_cache_folder
from sagemaker_eval.calling.cache_limits import AGE_VARIABLE, Limits, limits_of
from sagemaker_eval.calling.cache_probe import LookedUp, Probe
from sagemaker_eval.cli.caching import moment
from sagemaker_eval.cli.preparing import Prepared, prepared
from sagemaker_eval.cli.requests import EvalRequest, is_set
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.errors import CaseError, SagevalError
from sagemaker_eval.model import Case
from sagemaker_eval.providers.base import Local
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.terminal import visible


class Finding(StrEnum):
    """What the cache has for a case."""

    HIT = "HIT"
    MISS = "MISS"
    NONE = "not cached"
    ERROR = "error"


def explain_cache(request: EvalRequest, first: int) -> None:
    """Print of the first cases what the cache has and why. Raises `ConfigError`, `SetupError`, `SagevalError`."""
    with prepared(request) as run:
        limits = limits_of(run.suite.env)
        with Probe(default_cache_folder(run.suite.env), run.notices, limits=Limits(None, None)) as probe:
            run.services.store = probe
            database = probe.connection
            if database is None:
                raise SagevalError(
                    f"the answer cache `{probe.path}` cannot be used",
                    "name another folder in `SAGEVAL_CACHE_PATH`, or give it room",
                )
            run.bench.pool.prepare()
            found = asyncio.run(_explained(run, database, limits, first))
        _print(run, f"{_counts(found)} among the first {found.total():,} of {counted(run.plan.total, 'case')}")
        _tell_of_switches(run)


async def _explained(run: Prepared, database: sqlite3.Connection, limits: Limits, first: int) -> Counter[Finding]:
    found: Counter[Finding] = Counter()
    oldest = 0.0 if limits.max_age_s is None else time.time() - limits.max_age_s
    try:
        for case in islice(run.plan.cases(), first):
            finding, lines = await _of_case(run, case, database, oldest)
            found[finding] += 1
            _print(run, f"{_title(case)}: {finding}")
            for line in lines:
                _print(run, f"  {line}")
    finally:
        await run.bench.pool.close()
    return found


async def _of_case(run: Prepared, case: Case, database: sqlite3.Connection, oldest: float) -> tuple[Finding, list[str]]:
    try:
        looked_up = await _lookup(run, case)
        if looked_up is None:
            return Finding.NONE, ["no request is sent for it that could be stored"]
        return _told(looked_up, database, oldest)
    except CaseError as error:
        return Finding.ERROR, [error.message]
    except sqlite3.Error as error:
        raise SagevalError(f"the answer cache cannot be read: {error}") from error


async def _lookup(run: Prepared, case: Case) -> LookedUp | None:
    """What the cache is asked for a case; None for those that never ask it. Raises `CaseError`."""
    tools = run.bench
    rendered = await tools.renderer.render(case)
    if case.row.test.provider_output is not None:
        return None
    provider = tools.answering.provider(case)
    if isinstance(provider, Local):
        return None
    try:
        await provider.answer(tools.answering.call(case, rendered))
    except LookedUp as looked_up:
        return looked_up
    return None


def _told(asked: LookedUp, database: sqlite3.Connection, oldest: float) -> tuple[Finding, list[str]]:
    kept = entry(database, asked.key)
    if kept is not None:
        stored = _stored(kept.created, kept.origin.run if kept.origin else "")
        if kept.created >= oldest:
            return Finding.HIT, [stored]
        return Finding.MISS, [f"{stored}, longer ago than `{AGE_VARIABLE}` allows"]
    near = nearest(database, asked.origin)
    if near is None or near.origin is None:
        return Finding.MISS, list(_nothing_near(asked.origin.endpoint, database))
    told = [f"the nearest answer was {_stored(near.created, near.origin.run)}"]
    return Finding.MISS, told + differences(near.origin, asked.origin, asked.body)


def _stored(created: float, run_id: str) -> str:
    return f"stored at {moment(created)}{f' by run {run_id}' if run_id else ''}"


def _nothing_near(endpoint: str, database: sqlite3.Connection) -> Iterator[str]:
    yield f"no answer of endpoint `{endpoint}` is stored whose parts are known"
    (unknown,) = database.execute("SELECT count(*) FROM answers WHERE origin = ''").fetchone()
    if unknown:
        yield f"{counted(unknown, 'answer')} of earlier versions cannot be compared"


def _title(case: Case) -> str:
    repetition = f", repetition {case.row.repeat + 1}" if case.row.repeat else ""
    return f"test {case.row.index}{repetition}, {case.column.provider.name}, prompt {case.column.prompt.label!r:.80}"


def _counts(found: Counter[Finding]) -> str:
    words = {Finding.HIT: "hit", Finding.MISS: "miss", Finding.NONE: "without a request", Finding.ERROR: "error"}
    plurals = {Finding.MISS: "misses", Finding.NONE: "without a request"}
    shown = [kind for kind in Finding if found[kind] or kind in (Finding.HIT, Finding.MISS)]
    return ", ".join(counted(found[kind], words[kind], plurals.get(kind)) for kind in shown)


def _tell_of_switches(run: Prepared) -> None:
    """What keeps `sageval eval` from using what is there."""
    if not run.suite.cache:
        run.notices("the cache is switched off in this configuration: `sageval eval` uses none of it without `--cache`")
    if is_set(run.suite.env, "DEBUG"):
        run.notices("DEBUG is set: `sageval eval` asks anew without `--cache`")


def _print(run: Prepared, text: str) -> None:
    console = stdout()
    with writing_to_stdout():
        console.print(visible(run.scrubber.text(text), console), soft_wrap=True, highlight=False)
