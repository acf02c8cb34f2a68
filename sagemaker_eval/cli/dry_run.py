"""`sageval eval --dry-run`: what would be sent, rendered and checked case by case."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from sagemaker_eval.cli.estimate import Expected, estimate
from sagemaker_eval.cli.exit_codes import FINE
from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.errors import CaseError, ConfigError, Problem, SetupError
from sagemaker_eval.model import Call, Case, Request, Response
from sagemaker_eval.providers.base import Provider
from sagemaker_eval.providers.embedding import stored
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.terminal import visible

_SHOWN_REQUESTS = 3
_SHOWN_PROBLEMS = 20


def dry_run(run: Prepared) -> int:
    """Render every case and print the first requests; send nothing. Raises `ConfigError` for cases that cannot be."""
    expected = [Expected(spec) for spec in run.suite.providers]
    shown = asyncio.run(_rendered(run, {id(part.spec): part for part in expected}))
    rest = run.plan.total - shown
    _print(
        run, f"{counted(run.plan.total, 'case')} planned, nothing sent{f'; {rest:,} more not shown' if rest else ''}"
    )
    for line in estimate(run, [part for part in expected if part.calls or part.hits]):
        _print(run, line)
    return FINE


async def _rendered(run: Prepared, expected: Mapping[int, Expected]) -> int:
    """Render every case, and count what it would take; how many were shown."""
    problems: list[Problem] = []
    shown = 0
    for case in run.plan.cases():
        try:
            text = await _shown_request(run, case, expected, full=shown < _SHOWN_REQUESTS)
        except CaseError as error:
            several = len(run.suite.providers) > 1
            message = f"{error.message} (provider `{case.column.provider.name}`)" if several else error.message
            problems.append(Problem(message, case.row.test.where or case.column.prompt.where, error.hint))
            if len(problems) >= _SHOWN_PROBLEMS:
                break
            continue
        if text is not None:
            shown += 1
            _print(run, text)
    await run.bench.pool.close()
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return shown


async def _shown_request(run: Prepared, case: Case, expected: Mapping[int, Expected], *, full: bool) -> str | None:
    """What would be sent for a case, as text; None where it only had to be made."""
    rendered = await run.bench.renderer.render(case)
    call = run.bench.answering.call(case, rendered)
    given = case.row.test.provider_output is not None
    provider = run.bench.answering.provider(case)
    request = None if given else await provider.request(call)
    if request is not None:
        expected[id(case.column.provider)].add(await _stored(provider, call))
    return _as_text(run, case, call, request) if full else None


async def _stored(provider: Provider, call: Call) -> Response | None:
    """The answer in the cache. Where the way to an endpoint cannot be found, that is told by the request's address."""
    try:
        return await stored(provider, call)
    except (CaseError, SetupError):
        return None


def _print(run: Prepared, text: str) -> None:
    console = stdout()
    with writing_to_stdout():
        console.print(visible(run.scrubber.text(text), console), soft_wrap=True)


def _as_text(run: Prepared, case: Case, call: Call, request: Request | None) -> str:
    label = run.scrubber.text(case.column.prompt.label)
    title = f"test {case.row.index}, {case.column.provider.name}, prompt {label!r:.80}"
    if request is None:
        return f"{title}: no request\n{call.prompt}\n"
    try:
        body = json.dumps(json.loads(request.body), ensure_ascii=False, indent=2)
    except ValueError:
        body = request.body.decode("utf-8", "replace")
    return (
        f"{title}\nPOST {run.bench.answering.provider(case).address(request)}\n"
        f"Content-Type: {request.content_type}\nAccept: {request.accept}\n\n{body}\n"
    )
