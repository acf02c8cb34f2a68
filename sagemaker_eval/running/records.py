"""What is written of a case: the row of the journal.

A row has the shape of an element of `results.results[]` in promptfoo's version 3 document, plus fields of our own
(`outcome`, `asserted`, `repeat`, `timings`, `attempts`, `hint`, `errorKind`); `docs/results.md` lists them all.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sagemaker_eval.model import (
    EMPTY,
    AssertionSpec,
    CaseResult,
    Grade,
    Json,
    Outcome,
    ProviderSpec,
    Response,
    Row,
    TestCase,
    Timings,
    TokenUsage,
    UserCode,
    Verdict,
    compact_json,
)

FAILURE_REASONS = {Outcome.PASSED: 0, Outcome.FAILED: 1, Outcome.ERRORED: 2}
"""promptfoo's `failureReason`: none, assertion, error."""


def row_of(result: CaseResult) -> dict[str, Json]:
    """The journal's row for a finished case."""
    row, column = result.case.row, result.case.column
    response, grade, error = result.response, result.grade, result.error
    usage = usage_json(response.usage if response else TokenUsage())
    grading = grading_usage(grade)
    timings = response.timings if response else Timings()
    return {
        "testIdx": row.index,
        "promptIdx": column.index,
        "repeat": row.repeat,
        "promptId": column.prompt.id,
        "provider": {"id": column.provider.id, "label": column.provider.label or ""},
        "prompt": {"raw": _exported(result.prompt), "label": column.prompt.label},
        "vars": row.vars if result.vars is None else result.vars,
        "response": _response_json(response, usage) if response else None,
        "error": _error_text(result),
        "hint": error.hint if error else None,
        "errorKind": error.kind if error else None,
        "errorCode": error.code if error else None,
        "failureReason": FAILURE_REASONS[result.outcome],
        "outcome": result.outcome.value,
        "success": result.outcome is Outcome.PASSED,
        "asserted": bool(row.test.assertions),
        "score": grade.score if grade else 0.0,
        "gradingResult": _grade_json(grade, grading) if grade else None,
        "namedScores": dict(grade.named_scores) if grade else {},
        "latencyMs": _milliseconds(response.latency_ms) if response else None,
        "cost": response.cost if response else None,
        "tokenUsage": usage if grading is None else {**usage, "assertions": usage_json(grading)},
        "timings": _timings_json(timings),
        "attempts": response.attempts if response else (error.attempts if error else 0),
        "metadata": {**row.test.metadata, **(response.metadata if response else EMPTY)},
        "testCase": test_json(row),
    }


def _exported(prompt: str) -> str:
    """A rendered prompt as documents show it: one that is a JSON array or object on one line."""
    if prompt.lstrip()[:1] not in ("[", "{"):
        return prompt
    try:
        return compact_json(json.loads(prompt))
    except (ValueError, RecursionError):
        return prompt


def grading_usage(grade: Grade | None) -> TokenUsage | None:
    """The tokens that graders used for a grade; None where no grader was asked."""
    if grade is None:
        return None
    used = [verdict.usage for verdict in grade.flat_verdicts() if verdict.usage is not None]
    return sum(used, TokenUsage()) if used else None


def usage_json(usage: TokenUsage, grading: TokenUsage | None = None) -> dict[str, Json]:
    """Token usage in promptfoo's field names, plus `estimated`; `assertions` has that of graders, if any."""
    document: dict[str, Json] = {
        "prompt": usage.prompt,
        "completion": usage.completion,
        "cached": usage.cached,
        "total": usage.total,
        "numRequests": usage.requests,
        "estimated": usage.estimated,
    }
    if grading is not None:
        document["assertions"] = usage_json(grading)
    return document


def test_json(row: Row) -> dict[str, Json]:
    """The merged test of a row, with the row's combination of variables."""
    test: TestCase = row.test
    document: dict[str, Any] = {
        "vars": written(row.vars),
        "assert": [assertion_json(spec) for spec in test.assertions],
    }
    if test.description is not None:
        document["description"] = test.description
    if test.threshold is not None:
        document["threshold"] = test.threshold
    if test.options:
        document["options"] = written(test.options)
    if test.metadata:
        document["metadata"] = dict(test.metadata)
    if test.provider is not None:
        document["provider"] = test.provider.id
    named = {"providers": test.providers, "prompts": test.prompts, "providerOutput": test.provider_output}
    document |= {key: value for key, value in named.items() if value is not None}
    return document


def written(values: Mapping[str, Any]) -> Mapping[str, Json]:
    """`values` as the configuration has them: code by its text."""
    if not any(isinstance(value, UserCode | list | Mapping) for value in values.values()):
        return values
    return {name: _source(value) for name, value in values.items()}


def _source(value: Any) -> Json:
    if isinstance(value, list):
        return [_source(item) for item in value]
    if isinstance(value, Mapping) and any(isinstance(part, ProviderSpec) for part in value.values()):
        return {role: spec.id for role, spec in value.items()}
    return value.source if isinstance(value, UserCode) else value


def assertion_json(spec: AssertionSpec) -> dict[str, Json]:
    """An assertion as the configuration wrote it, without what it left at the default."""
    document: dict[str, Any] = {"type": spec.type}
    if spec.value is not None:
        document["value"] = _source(spec.value)
    if spec.threshold is not None:
        document["threshold"] = spec.threshold
    if spec.weight != 1.0:
        document["weight"] = spec.weight
    if spec.metric is not None:
        document["metric"] = spec.metric
    return document


def _response_json(response: Response, usage: dict[str, Json]) -> dict[str, Json]:
    stages = {"providerOutput": response.stages[0]} if response.stages else {}
    return {
        "output": response.output,
        "raw": response.raw,
        "cached": response.cached,
        "tokenUsage": usage,
        "finishReason": response.finish_reason,
        "metadata": {**response.metadata, **_origin(response)},
        **stages,
    }


def _origin(response: Response) -> dict[str, Json]:
    """Who answered, as far as SageMaker told."""
    origin = {"variant": response.variant, "requestId": response.request_id, **dict(response.told)}
    return {name: value for name, value in origin.items() if value is not None}


def _error_text(result: CaseResult) -> str | None:
    if result.error:
        return result.error.message
    if result.outcome is Outcome.FAILED and result.grade:
        return result.grade.reason
    return None


def _grade_json(grade: Grade, usage: TokenUsage | None) -> dict[str, Json]:
    document: dict[str, Json] = {
        "pass": grade.passed,
        "score": grade.score,
        "reason": grade.reason,
        "namedScores": dict(grade.named_scores),
        "namedScoreWeights": dict(grade.named_score_weights),
        "componentResults": [_verdict_json(verdict) for verdict in grade.flat_verdicts()],
    }
    if usage is not None:
        document["tokensUsed"] = usage_json(usage)
    return document


def _verdict_json(verdict: Verdict) -> dict[str, Json]:
    document: dict[str, Any] = {"pass": verdict.passed, "score": verdict.score, "reason": verdict.reason}
    if verdict.spec is not None:
        document["assertion"] = assertion_json(verdict.spec)
    if verdict.named_scores:
        document["namedScores"] = dict(verdict.named_scores)
    if verdict.usage is not None:
        document["tokensUsed"] = usage_json(verdict.usage)
    if verdict.metadata:
        document["metadata"] = dict(verdict.metadata)
    return document


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _timings_json(timings: Timings) -> dict[str, Json]:
    """The ledger of a case; what only streams have is left out for others."""
    told: dict[str, Json] = {
        "queueMs": round(timings.queue, 3),
        "backoffMs": round(timings.backoff, 3),
        "coldStartMs": round(timings.cold_start, 3),
        "wireMs": round(timings.wire, 3),
        "totalMs": round(timings.total, 3),
    }
    if timings.first_token is not None:
        told |= {"firstTokenMs": round(timings.first_token, 3), "interTokenMs": _milliseconds(timings.inter_token)}
    return told
