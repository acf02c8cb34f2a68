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
    whole = finished.stopped_by is None and not finished.interrupted and not finished.summary.total.skipped
    left, uses = _added(earlier, await run.services.endpoints.used(ask=whole))
    counted = [_counted(run, finished.summary, use) for use in left]
    counted += [_counted(run, finished.summary, use, shared) for shared, use in uses]
    return replace(finished.summary, endpoints=tuple(counted))


async def uses_so_far(run: Prepared, earlier: Sequence[EndpointUse]) -> tuple[EndpointUse, ...]:
    """The use of each endpoint up to now, the cases aside."""
    left, uses = _added(earlier, await run.services.endpoints.used(ask=False))
    return (*left, *(use for _, use in uses))


def _added(
    earlier: Sequence[EndpointUse], uses: Sequence[tuple[Shared, EndpointUse]]
) -> tuple[list[EndpointUse], list[tuple[Shared, EndpointUse]]]:
    """What was only used earlier, and the uses with what was used of the same endpoint earlier.

    What an endpoint costs while no process runs is not the run's.
    """
    left, added = list(earlier), []
    for shared, use in uses:
        before = next((each for each in left if each.endpoint == use.endpoint), None)
        if before is not None:
            left.remove(before)
        added.append((shared, use if before is None else _sum(before, use)))
    return left, added


def _sum(before: EndpointUse, use: EndpointUse) -> EndpointUse:
    """The price is the one that is known last."""
    priced = before if use.hourly_usd is None else use
    return replace(priced, calls=before.calls + use.calls, seconds=before.seconds + use.seconds)


def _counted(run: Prepared, summary: RunSummary, use: EndpointUse, shared: Shared | None = None) -> EndpointUse:
    """The use with the cases of the providers that call this endpoint; where none did now, they go by its name."""
    specs = [spec for spec in run.suite.providers if any(column.provider is spec for column in run.plan.columns)]
    endpoints = run.services.endpoints
    parts = [
        part
        for spec, part in zip(specs, summary.providers, strict=True)
        if (endpoints.shared_by(spec) is shared if shared else getattr(spec.options, "endpoint", None) == use.endpoint)
    ]
    fresh = sum(_answered(part) - part.cached for part in parts)
    passed = sum(part.passed - part.unasserted for part in parts) if all(not part.cached for part in parts) else 0
    return replace(use, cases=fresh, passed=passed)


def _answered(part: ColumnSummary) -> int:
    return part.passed + part.failed
