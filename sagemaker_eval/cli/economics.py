"""What a run took of its endpoints, with the cases that they answered: for the summary and the documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.events import RunFinished
from sagemaker_eval.model import ColumnSummary, EndpointUse, RunSummary
from sagemaker_eval.providers.endpoints import Shared


async def with_endpoints(run: Prepared, finished: RunFinished, earlier: Sequence[EndpointUse] = ()) -> RunSummary:
    """The summary with the use of each endpoint that was called; `earlier` was used before the run was gone on with.

    Prices are looked up where they can be; a run that was stopped early is not held up for that.
    """
    summary = finished.summary
    whole = finished.stopped_by is None and not finished.interrupted and not summary.total.skipped
    uses = await run.services.endpoints.used(ask=whole)
    counted = [_counted(run, shared, use, summary) for shared, use in uses]
    return replace(summary, endpoints=_added(earlier, counted))


async def uses_so_far(run: Prepared, earlier: Sequence[EndpointUse]) -> tuple[EndpointUse, ...]:
    """The use of each endpoint up to now, the cases aside."""
    return _added(earlier, [use for _, use in await run.services.endpoints.used(ask=False)])


def _added(earlier: Sequence[EndpointUse], uses: Sequence[EndpointUse]) -> tuple[EndpointUse, ...]:
    """The uses of both, those of one endpoint as one. What it costs while no process runs is not the run's."""
    left, added = list(earlier), []
    for use in uses:
        before = next((each for each in left if each.endpoint == use.endpoint), None)
        if before is not None:
            left.remove(before)
        added.append(use if before is None else _sum(before, use))
    return (*left, *added)


def _sum(before: EndpointUse, use: EndpointUse) -> EndpointUse:
    """The cases and the price are as they are known last."""
    priced = before if use.hourly_usd is None else use
    calls, seconds = before.calls + use.calls, before.seconds + use.seconds
    return replace(priced, calls=calls, seconds=seconds, cases=use.cases, passed=use.passed)


def _counted(run: Prepared, shared: Shared, use: EndpointUse, summary: RunSummary) -> EndpointUse:
    """The use with the cases of the providers that call this endpoint."""
    specs = [spec for spec in run.suite.providers if any(column.provider is spec for column in run.plan.columns)]
    parts = [
        part
        for spec, part in zip(specs, summary.providers, strict=True)
        if run.services.endpoints.shared_by(spec) is shared
    ]
    fresh = sum(_answered(part) - part.cached for part in parts)
    passed = sum(part.passed - part.unasserted for part in parts) if all(not part.cached for part in parts) else 0
    return replace(use, cases=fresh, passed=passed)


def _answered(part: ColumnSummary) -> int:
    return part.passed + part.failed
