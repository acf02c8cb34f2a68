"""A whole run in memory: a suite goes in, the rows of its journal come out in plan order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval import assertions, providers
from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.events import Event
from sagemaker_eval.model import Json, Prompt, ProviderSpec, Suite, TestCase
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.checking import Checker
from sagemaker_eval.running.engine import Bench, Engine
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.rendering import Renderer
from sagemaker_eval.running.run_record import ColumnRecord, RunRecord
from sagemaker_eval.sagemaker.session import Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool
from sagemaker_eval.text.templating.templates import Templates

assert assertions.__all__ and providers.__all__

Carried = Callable[..., list[dict[str, Json]]]


@pytest.fixture
def carried_out(tmp_path: Path) -> Carried:
    """`carried_out(tests, prompts=[...], providers=[...])`: the rows of a run; the provider is `echo` by default."""

    def carry_out(tests: list[TestCase], **more: Any) -> list[dict[str, Json]]:
        prompts = tuple(Prompt(text, text, text) for text in more.get("prompts", ["{{q}}"]))
        specs = tuple(more.get("providers", (ProviderSpec("echo", "echo"),)))
        suite = Suite(prompts=prompts, providers=specs, tests=tests)
        return asyncio.run(_rows(suite, tmp_path))

    return carry_out


async def _rows(suite: Suite, folder: Path) -> list[dict[str, Json]]:
    templates = Templates()
    pool = ProviderPool(Services(ConnectionPool(1), Targets({}, lambda message: None)))
    renderer, answering, judge = Renderer(templates), Answering(pool), Judge(templates)
    plan = Checker(suite, suite, renderer, answering, judge).plan()
    columns = tuple(ColumnRecord.of(column) for column in plan.columns)
    record = RunRecord("run", "2026-01-01T00:00:00.000Z", None, columns, plan.var_names, plan.total, slots=plan.slots)
    with Journal.create(folder, record) as journal:
        events: list[Event] = [
            event async for event in Engine(Bench(plan, pool, renderer, answering, judge, journal), "run").run()
        ]
        assert events
        return list(journal.rows())
