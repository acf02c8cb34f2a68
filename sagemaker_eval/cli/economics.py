"""What a run took of its endpoints, with the cases that they answered: for the summary and the documents."""

from __future__ import annotations

from dataclasses import replace

from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.events import RunFinished
from sagemaker_eval.model import ColumnSummary, EndpointUse, RunSummary
from sagemaker_eval.providers.endpoints import Shared


async def with_endpoints(run: Prepared, finished: RunFinished) -> RunSummary:
    """The summary with the use of each endpoint that was called.

    Prices are looked up where they can be; a run that was stopped early is not held up for that.
    """
    summary = finished.summary
    whole = finished.stopped_by is None and not finished.interrupted and not summary.total.skipped
    uses = await run.services.endpoints.used(ask=whole)
    return replace(summary, endpoints=tuple(_counted(run, shared, use, summary) for shared, use in uses))


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
