"""What stands around the rows of a result document: promptfoo's version 3 fields, and ours."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from datetime import UTC, datetime

from sagemaker_eval import __version__
from sagemaker_eval.model import ColumnSummary, EndpointUse, Json, Percentiles, RunSummary
from sagemaker_eval.running.records import usage_json
from sagemaker_eval.running.run_record import REPLAYED, ColumnRecord, RunRecord

VERSION = 3


@dataclass(frozen=True, slots=True)
class Envelope:
    """The members of the document in its order: with the rows, they are all of it."""

    head: dict[str, Json]
    """Members that precede `results`."""
    before_rows: dict[str, Json]
    """Members of `results` that precede its `results`."""
    after_rows: dict[str, Json]
    """Members of `results` that follow it."""
    rest: dict[str, Json]
    """Members that follow `results`."""


def envelope_of(record: RunRecord, summary: RunSummary) -> Envelope:
    """The envelope of a run, exported now."""
    return Envelope(
        head={"evalId": record.run_id},
        before_rows={
            "version": VERSION,
            "timestamp": record.started_at,
            "prompts": [
                _prompt(column, counts) for column, counts in zip(record.columns, summary.columns, strict=True)
            ],
        },
        after_rows={"stats": _stats(summary)},
        rest={
            "config": record.config,
            "vars": list(record.var_names),
            "metadata": _metadata(record),
            "runtimeOptions": record.options,
        },
    )


def _prompt(column: ColumnRecord, summary: ColumnSummary) -> dict[str, Json]:
    return {
        "id": column.prompt_id,
        "raw": column.prompt_raw,
        "label": column.prompt_label,
        "provider": column.provider_name,
        "metrics": _metrics(summary),
    }


def _metrics(summary: ColumnSummary) -> dict[str, Json]:
    """promptfoo's metrics of a column; `cost` is null where no provider told it. From `latencyP50Ms` on: ours."""
    return {
        "score": summary.score,
        "testPassCount": summary.passed,
        "testFailCount": summary.failed,
        "testErrorCount": summary.errored,
        "assertPassCount": summary.assertions_passed,
        "assertFailCount": summary.assertions_failed,
        "totalLatencyMs": round(summary.latency_total, 3),
        "tokenUsage": usage_json(summary.usage, summary.grading),
        "namedScores": dict(summary.named_scores),
        "namedScoresCount": dict(summary.named_score_counts),
        "namedScoreWeights": dict(summary.named_score_weights),
        "cost": summary.cost,
        "latencyP50Ms": summary.latency_p50,
        "latencyP95Ms": summary.latency_p95,
        "testSkippedCount": summary.skipped,
        "testUnassertedCount": summary.unasserted,
        "cachedCount": summary.cached,
        "firstTokenMs": _percentiles(summary.first_token),
        "interTokenMs": _percentiles(summary.inter_token),
        "tokensPerSecond": _percentiles(summary.tokens_per_second),
        "variants": {name: _metrics(part) for name, part in summary.variants},
    }


def _percentiles(measure: Percentiles | None) -> Json:
    if measure is None:
        return None
    return {"p50": round(measure.p50, 3), "p95": round(measure.p95, 3), "p99": round(measure.p99, 3)}


def _stats(summary: RunSummary) -> dict[str, Json]:
    total = summary.total
    return {
        "successes": total.passed,
        "failures": total.failed,
        "errors": total.errored,
        "skipped": total.skipped,
        "unasserted": total.unasserted,
        "tokenUsage": usage_json(total.usage, total.grading),
        "durationMs": round(summary.duration_ms, 3),
        "endpoints": [_endpoint(use) for use in summary.endpoints],
    }


def _endpoint(use: EndpointUse) -> dict[str, Json]:
    return {
        "endpoint": use.endpoint,
        "calls": use.calls,
        "seconds": round(use.seconds, 3),
        "instances": use.fleet or None,
        "hourlyUsd": use.hourly_usd,
        "priceSource": use.source or None,
        "cost": use.dollars,
        "costPer1000Cases": per_case(use.dollars, use.cases, 1000),
        "costPerPassedCase": per_case(use.dollars, use.passed, 1),
    }


def per_case(dollars: float | None, cases: int, thousand: int) -> float | None:
    """The share of `thousand` cases in what an endpoint cost; None where there is no price, or no case."""
    return None if dollars is None or not cases else dollars * thousand / cases


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _metadata(record: RunRecord) -> dict[str, Json]:
    exported = record.options.get(REPLAYED) or _now()
    return {
        "sagevalVersion": __version__,
        "pythonVersion": platform.python_version(),
        "platform": sys.platform,
        "exportedAt": exported,
        "evaluationCreatedAt": record.started_at,
    }
