"""`sageval eval --dry-run`: what would be sent, rendered and checked case by case."""

from __future__ import annotations

import asyncio
import json

from sagemaker_eval.cli.exit_codes import FINE
from sagemaker_eval.cli.preparing import Prepared
from sagemaker_eval.cli.streams import stdout, writing_to_stdout
from sagemaker_eval.errors import CaseError, ConfigError, Problem
from sagemaker_eval.model import Call, Case, Request
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.reporting.terminal import visible

_SHOWN_REQUESTS = 3
_SHOWN_PROBLEMS = 20


def dry_run(run: Prepared) -> int:
    """Render every case and print the first requests; send nothing. Raises `ConfigError` for cases that cannot be."""
    shown = asyncio.run(_rendered(run))
    rest = run.plan.total - shown
    _print(f"{counted(run.plan.total, 'case')} planned, nothing sent{f'; {rest:,} more not shown' if rest else ''}")
    return FINE


async def _rendered(run: Prepared) -> int:
    """Render every case; how many were shown."""
    problems: list[Problem] = []
    shown = 0
    for case in run.plan.cases():
        try:
            text = await _shown_request(run, case, full=shown < _SHOWN_REQUESTS)
        except CaseError as error:
            several = len(run.suite.providers) > 1
            message = f"{error.message} (provider `{case.column.provider.name}`)" if several else error.message
            problems.append(Problem(message, case.row.test.where or case.column.prompt.where, error.hint))
            if len(problems) >= _SHOWN_PROBLEMS:
                break
            continue
        if text is not None:
            shown += 1
            _print(run.scrubber.text(text))
    await run.bench.pool.close()
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return shown


async def _shown_request(run: Prepared, case: Case, full: bool) -> str | None:
    """What would be sent for a case, as text; None where it only had to be made."""
    rendered = await run.bench.renderer.render(case)
    call = run.bench.answering.call(case, rendered)
    given = case.row.test.provider_output is not None
    request = None if given else await run.bench.answering.provider(case).request(call)
    return _as_text(run, case, call, request) if full else None


def _print(text: str) -> None:
    console = stdout()
    with writing_to_stdout():
        console.print(visible(text, console), soft_wrap=True)


def _as_text(run: Prepared, case: Case, call: Call, request: Request | None) -> str:
    title = f"test {case.row.index}, {case.column.provider.name}, prompt {case.column.prompt.label!r:.80}"
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
