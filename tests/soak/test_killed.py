"""`kill -9` at any moment: what was written is sound, what was answered is kept, the same command does the rest.

And so does `--resume`, however often it is killed itself: `test_resumed.py`.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.calling.cache_database import file_identity
from sagemaker_eval.calling.cache_store import FILE_NAME, CacheStore
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.soak.conftest import Child, Workshop

pytestmark = pytest.mark.soak

CASES = 240
IN_FLIGHT = 4
LATENCY_MS = 12
MUST_BE_KEPT_S = 0.5
"""Answers reach the disk within 50 ms; the rest is for a machine that has other things to do."""

ENDPOINTS = {"model": {"latency": LATENCY_MS, "jitter": 5, "answers": [{"pattern": r"(\d+)", "answer": r"Number \1"}]}}
SUITE = {
    "prompts": ["Write about {{n}}"],
    "providers": ["sagemaker:huggingface:model"],
    "defaultTest": {"assert": [{"type": "equals", "value": "Number {{n}}"}]},
    "tests": [{"vars": {"n": number}} for number in range(CASES)],
}


class Assassin:
    """Hears each request, and kills the client of the sandbox a moment after the one that it was hired for."""

    def __init__(self, at_request: int, delay: float) -> None:
        self.client: Child | None = None
        self._left = at_request
        self._delay = delay
        self._answered: list[tuple[float, str]] = []
        self._timer: threading.Timer | None = None
        self._struck = float("inf")

    def __call__(self, request: LoggedRequest) -> None:
        if request.endpoint is None:
            return
        self._answered.append((time.monotonic(), json.loads(request.body)["inputs"].split()[-1]))
        self._left -= 1
        if self._left == 0:
            self._timer = threading.Timer(self._delay, self._kill)
            self._timer.start()

    def _kill(self) -> None:
        assert self.client is not None
        self._struck = time.monotonic()
        self.client.process.kill()

    def rest(self) -> None:
        """Returns when no blow can fall any more."""
        if self._timer is not None:
            self._timer.join()

    def answered_long_before(self) -> set[str]:
        """The cases whose answers had left well before the blow."""
        deadline = self._struck - MUST_BE_KEPT_S - (LATENCY_MS + 5) / 1000
        return {number for moment, number in self._answered if moment < deadline}


def kept_numbers(cache: Path) -> set[str]:
    """The cases whose answers a cache holds, which must open without a word and be sound."""
    path = cache / FILE_NAME
    before, said = file_identity(path), list[str]()
    CacheStore(cache, said.append).close()
    assert (said, file_identity(path)) == ([], before)
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        bodies = connection.execute("SELECT body FROM answers").fetchall()
    finally:
        connection.close()
    return {json.loads(body)[0]["generated_text"].split()[-1] for (body,) in bodies}


def journal_numbers(journal: Path) -> list[int]:
    """The cases of the journal of a run that was killed: whole lines, and at most one that is cut."""
    *lines, _cut = journal.read_bytes().split(b"\n")
    rows: list[Json] = [json.loads(line) for line in lines]
    assert {(row["outcome"], row["response"]["output"] == f"Number {row['testIdx']}") for row in rows} <= {
        ("passed", True)
    }
    return [row["testIdx"] for row in rows]


def killed_once(workshop: Workshop, blow: float, rng: Random) -> int:
    """Kills a run once, checks what is left, runs it again. Returns how many answers had to be kept."""
    name = f"killed-{blow:.4f}"
    assassin = Assassin(1 + int(blow * CASES), rng.uniform(0, 0.05))
    sandbox = workshop.serve(ENDPOINTS, on_request=assassin)
    cache, runs = workshop.folder / name / "cache", workshop.folder / name / "runs"
    environ = workshop.environ(sandbox, SAGEVAL_CACHE_PATH=str(cache), SAGEVAL_RUNS_PATH=str(runs))
    config = str(workshop.write(SUITE))

    with workshop.child(environ, "eval", "-c", config, "-j", str(IN_FLIGHT), "--no-table", name=name) as child:
        assassin.client = child
        child.wait()
    assassin.rest()

    (journal,) = runs.glob("*/journal.jsonl")
    finished = journal_numbers(journal)
    assert len(finished) == len(set(finished)) <= sandbox.count()
    assert json.loads((journal.parent / "run.json").read_bytes())["total"] == CASES
    kept, due = kept_numbers(cache), assassin.answered_long_before()
    assert due <= kept
    finish_the_job(workshop, config, environ, sandbox, CASES - len(kept))
    return len(due)


def finish_the_job(workshop: Workshop, config: str, environ: dict[str, str], sandbox: Sandbox, left: int) -> None:
    """The same command again: it sends what is left, and ends as if nothing had happened."""
    sent = sandbox.count()
    again = workshop.run(Path(config), environ, max_concurrency=64)
    assert again.code == 0
    assert sandbox.count() - sent == left
    assert [row["testIdx"] for row in again.rows] == list(range(CASES))
    assert again.outputs == [f"Number {number}" for number in range(CASES)]


def test_kill_9_loses_nothing_that_was_written(workshop: Workshop, scaled: Callable[..., int], rng: Random) -> None:
    times = scaled(30, 3)
    blows = [(position + rng.random()) / times for position in range(times)]

    due = [killed_once(workshop, blow, rng) for blow in blows]

    assert any(due), "no run lived long enough to have anything to keep"
