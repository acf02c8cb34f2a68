from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from sagemaker_eval.cli.evaluation import evaluate
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
prompts: ['Name {{thing}}']
providers: [sagemaker:huggingface:mistral-7b]
tests: tests.csv
defaultTest: {assert: [{type: not-equals, value: ''}]}
"""


async def no_time(seconds: float) -> None:
    """Lets the others run, and waits no longer than that: the pauses of 12 attempts would add up to minutes."""
    await asyncio.sleep(0)


def outputs(cli: Cli, **options: Json) -> list[Json]:
    """The outputs of a run without any real pause, in plan order."""
    request = EvalRequest(
        config=("run.yaml",),
        outputs=("out.json",),
        max_concurrency=32,
        cache=False,
        table=False,
        progress_bar=False,
        process=dict(os.environ),
        **options,
    )
    assert evaluate(request, sleep=no_time) == 0
    return [row["response"]["output"] for row in cli.rows()]


def test_a_thousand_cases_under_heavy_throttling_end_as_on_a_calm_day(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    cli.write("run.yaml", CONFIG)
    cli.write("tests.csv", "thing\n" + "".join(f"thing number {number}\n" for number in range(1000)))

    serve()
    calm = outputs(cli)
    sandbox = serve("endpoints: {'*': {faults: {throttling: 0.3}}}")
    throttled = outputs(cli)

    assert sum(request.status == 400 for request in sandbox.requests) > 300
    assert cli.document()["results"]["stats"]["errors"] == 0
    assert max(row["attempts"] for row in cli.rows()) > 1
    assert throttled == calm
