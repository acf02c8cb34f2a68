"""How a run ends that a limit, an error or its user ends: what is recorded, what is not, and what is cancelled."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import LimitReached, SetupError
from sagemaker_eval.events import CaseFinished, RunFinished
from sagemaker_eval.model import AssertionSpec, Call, Json, Prompt, ProviderSpec, Response, Suite, TestCase
from sagemaker_eval.providers.base import PROVIDERS, Local
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.providers.threads import in_thread
from sagemaker_eval.running import watchdog
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.checking import Checker
from sagemaker_eval.running.deadlines import TimeLimit, TimeLimits
from sagemaker_eval.running.engine import Bench, Engine
from sagemaker_eval.running.graders import RunGraders
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.rendering import Renderer
from sagemaker_eval.running.run_record import RunRecord, columns_of
from sagemaker_eval.sagemaker.session import Targets
from sagemaker_eval.sagemaker.transport import ConnectionPool
from sagemaker_eval.text.templating.templates import Templates

SOON = 0.05
"""Seconds: time enough for what does not wait, none for what waits for ever."""

SPEC = ProviderSpec("scripted", "scripted")
GRADER = ProviderSpec("grader", "scripted")


class Scripted(Local):
    """Answers a prompt with itself, and does what some prompts say."""

    def __init__(self) -> None:
        self.cancelled: list[str] = []
        self.asked: list[str] = []

    async def answer(self, call: Call) -> Response:
        word = call.prompt.split()[0]
        self.asked.append(word)
        if word in ("hang", "later"):
            await self._wait(word)
        if word == "block":
            await in_thread(threading.Event().wait)
        if word == "limit":
            raise LimitReached("enough")
        if word == "denied":
            raise SetupError("no access")
        return Response(call.prompt, call.prompt)

    async def _wait(self, word: str) -> None:
        try:
            await (asyncio.sleep(SOON) if word == "later" else asyncio.Event().wait())
        except asyncio.CancelledError:
            self.cancelled.append(word)
            raise


@dataclass(frozen=True, slots=True)
class Ended:
    rows: list[dict[str, Json]]
    finished: RunFinished
    provider: Scripted
    notices: list[str]

    @property
    def told(self) -> list[tuple[int, str, Any]]:
        return [(row["testIdx"], row["outcome"], row["errorCode"]) for row in self.rows]


@pytest.fixture
def provider() -> Iterator[Scripted]:
    with PROVIDERS.restored():
        scripted = Scripted()
        PROVIDERS.register("scripted")(lambda spec, services: scripted)
        yield scripted


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, provider: Scripted) -> Run:
    """`run(words, case=…, run=…)`: a run with a case for each of the words, within limits in seconds."""

    def carry_out(words: str, *, case: float = 0, run: float = 0, **more: Any) -> Ended:
        limits = TimeLimits(
            TimeLimit(case, "timeoutMs") if case else None, TimeLimit(run, "--max-time") if run else None
        )
        tests = [TestCase(vars={"q": word}, **more.get("test", {})) for word in words.split()]
        suite = Suite(
            prompts=tuple(Prompt(text, text, text) for text in more.get("prompts", ["{{q}}"])),
            providers=(SPEC,),
            tests=tests,
            max_concurrency=more.get("max_concurrency", 2),
        )
        return asyncio.run(_ended(suite, tmp_path, provider, limits))

    return carry_out


async def _ended(suite: Suite, folder: Path, provider: Scripted, limits: TimeLimits) -> Ended:
    templates = Templates()
    pool = ProviderPool(Services(ConnectionPool(1), Targets({}, lambda message: None)))
    renderer, answering = Renderer(templates), Answering(pool)
    judge = Judge(templates, RunGraders(pool, suite.max_concurrency))
    plan = Checker(suite, suite, renderer, answering, judge).plan()
    record = RunRecord("run", "", None, columns_of(plan), plan.var_names, plan.total, slots=plan.slots)
    finished, notices = None, list[str]()
    with Journal.create(folder, record) as journal:
        bench = Bench(plan, pool, renderer, answering, judge, journal, grace=SOON, limits=limits, notice=notices.append)
        engine = Engine(bench, "run")
        async for event in engine.run():
            if isinstance(event, RunFinished):
                finished = event
            if isinstance(event, CaseFinished) and event.result.prompt == "interrupt":
                engine.stop()
        assert finished is not None
        return Ended(list(journal.rows()), finished, provider, notices)


def test_a_case_that_takes_too_long_is_an_error_and_the_others_go_on(run: Run) -> None:
    ended = run("hang a hang b", case=SOON, max_concurrency=1)
    assert ended.told == [
        (0, "errored", "CaseTimeout"),
        (1, "passed", None),
        (2, "errored", "CaseTimeout"),
        (3, "passed", None),
    ]
    assert ended.provider.cancelled == ["hang", "hang"]
    assert ended.finished.stopped_by is None
    assert ended.rows[0]["error"] == "timed out after 0.05 s (`timeoutMs`)"
    assert ended.rows[0]["errorKind"] == "timeout"
    assert ended.rows[0]["prompt"]["raw"] == "hang"


def test_a_grader_that_hangs_costs_the_case_but_not_its_answer(run: Run) -> None:
    asserted = AssertionSpec("llm-rubric", "polite", graders={"text": GRADER}, rubric_prompt="hang {{output}}")
    ended = run("a", case=SOON, test={"assertions": (asserted,)})
    assert ended.told == [(0, "errored", "CaseTimeout")]
    assert ended.rows[0]["response"]["output"] == "a"
    assert ended.provider.cancelled == ["hang"]


def test_a_comparison_that_hangs_is_an_error_of_all_that_are_compared(run: Run) -> None:
    asserted = AssertionSpec("select-best", "shortest", graders={"text": GRADER}, rubric_prompt="hang")
    ended = run("a", case=SOON, prompts=["{{q}}", "more {{q}}"], test={"assertions": (asserted,)})
    assert [row["errorCode"] for row in ended.rows] == ["CaseTimeout", "CaseTimeout"]
    assert [row["response"]["output"] for row in ended.rows] == ["a", "more a"]


def test_the_end_of_the_runs_time_is_an_error_of_what_is_in_flight(run: Run) -> None:
    ended = run("a hang hang b c", run=SOON)
    assert ended.told == [(0, "passed", None), (1, "errored", "MaxTime"), (2, "errored", "MaxTime")]
    assert ended.finished.summary.total.skipped == 2
    assert isinstance(ended.finished.stopped_by, LimitReached)
    assert "0.05 s (`--max-time`)" in ended.finished.stopped_by.message


def test_the_turns_of_a_conversation_that_never_came_are_skipped(run: Run) -> None:
    ended = run("hang a b", run=SOON, prompts=["{{q}} {{_conversation}}"])
    assert ended.told == [(0, "errored", "MaxTime")]
    assert ended.provider.asked == ["hang"]


def test_code_in_a_thread_cannot_hold_up_the_end(run: Run) -> None:
    ended = run("block a", run=SOON, max_concurrency=1)
    assert ended.told == [(0, "errored", "MaxTime")]


def test_a_run_that_is_done_in_time_ends_as_without_a_limit(run: Run) -> None:
    ended = run("a b c", case=3600, run=3600)
    assert [outcome for _, outcome, _ in ended.told] == ["passed"] * 3
    assert ended.finished.stopped_by is None


def test_a_limit_of_the_user_skips_its_case_and_lets_those_in_flight_finish(run: Run) -> None:
    ended = run("later limit b")
    assert ended.told == [(0, "passed", None)]
    assert ended.provider.cancelled == []
    assert isinstance(ended.finished.stopped_by, LimitReached)


@pytest.mark.parametrize("kind", ["llm-rubric", "select-best"])
def test_a_grader_at_the_limit_leaves_its_case_undone(run: Run, kind: str) -> None:
    asserted = AssertionSpec(kind, "best", graders={"text": GRADER}, rubric_prompt="limit")
    alone = AssertionSpec("contains", "a")
    ended = run("a b", prompts=["{{q}}", "more {{q}}"], test={"assertions": (asserted, alone)}, max_concurrency=1)
    assert ended.rows == []
    assert isinstance(ended.finished.stopped_by, LimitReached)


def test_after_an_error_that_ends_the_run_what_is_in_flight_has_the_grace_left(run: Run) -> None:
    ended = run("hang denied b")
    assert ended.rows == []
    assert ended.provider.cancelled == ["hang"]
    assert isinstance(ended.finished.stopped_by, SetupError)


def test_an_interrupted_run_gives_what_is_in_flight_the_grace(run: Run) -> None:
    ended = run("hang interrupt b c", max_concurrency=2)
    assert ended.finished.interrupted
    assert ended.provider.cancelled == ["hang"]
    assert (1, "passed", None) in ended.told


def test_a_run_that_makes_no_headway_says_what_it_waits_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "FIRST_SILENCE", SOON / 10)
    ended = run("hang", case=SOON)
    assert re.match(r"nothing has finished for 0 s; in flight: scripted, test 0, for 0 s, wait", ended.notices[0])


def test_a_full_disk_ends_the_run_and_keeps_what_was_written(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    writes, real = [0], os.write

    def write(file: int, data: bytes) -> int:
        writes[0] += 1
        if writes[0] == 3:
            return real(file, data[:20])
        if writes[0] > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(file, data)

    monkeypatch.setattr(os, "write", write)
    ended = run("a b c d", max_concurrency=1)
    assert [index for index, _, _ in ended.told] == [0, 1]
    assert ended.finished.stopped_by is not None
    assert "No space left on device" in ended.finished.stopped_by.message
