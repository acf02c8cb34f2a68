"""Ctrl-C at any moment: what is done is kept and written, in plan order, and nothing else."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.request_log import LoggedRequest

if TYPE_CHECKING:
    from tests.soak.conftest import Child, Workshop

pytestmark = pytest.mark.soak

CASES = 160
COLUMNS = 2
BUSY = 200
"""Requests after which the run is still under way for a while."""
ENDPOINTS = {"*": {"latency": 8, "jitter": 6}}
INTERRUPTED = {130, -signal.SIGINT}
"""What a shell reports as 130: the exit code, and death by the signal itself while Python starts or ends."""

SUITE = {
    "prompts": ["Write about {{n}}"],
    "providers": ["sagemaker:huggingface:one", "sagemaker:openai:two"],
    "tests": [{"vars": {"n": number}} for number in range(CASES)],
}


class Interrupter:
    """Hears each request, and sends SIGINT to the client of the sandbox a moment after a certain one."""

    def __init__(self, at_request: int, delay: float = 0.0) -> None:
        self.client: Child | None = None
        self._left = at_request
        self._delay = delay
        self._timer: threading.Timer | None = None

    def __call__(self, request: LoggedRequest) -> None:
        self._left -= 1
        if self._left == 0:
            self._timer = threading.Timer(self._delay, self.interrupt)
            self._timer.start()

    def interrupt(self) -> None:
        assert self.client is not None
        self.client.process.send_signal(signal.SIGINT)

    def rest(self) -> None:
        """Returns when no signal can come any more."""
        if self._timer is not None:
            self._timer.join()


@contextmanager
def started(workshop: Workshop, interrupter: Interrupter, name: str) -> Iterator[Child]:
    """A run in a process of its own that writes every kind of document under `name`."""
    sandbox = workshop.serve(ENDPOINTS, on_request=interrupter)
    environ = workshop.environ(sandbox, SAGEVAL_RUNS_PATH=str(workshop.folder / name))
    outputs = [part for ending in ("json", "jsonl", "csv", "yaml") for part in ("-o", f"{name}.{ending}")]
    config = str(workshop.write(SUITE))
    with workshop.child(environ, "eval", "-c", config, "--no-cache", "-j", "8", *outputs, name=name) as child:
        interrupter.client = child
        yield child
    interrupter.rest()


def rows_written(folder: Path, name: str) -> list[Json]:
    """The rows of the documents of a run, which must agree with its journal and with each other."""
    (journal,) = (folder / name).glob("*/journal.jsonl")
    document = json.loads((folder / f"{name}.json").read_bytes())
    rows: list[Json] = document["results"]["results"]
    places = [(row["testIdx"], row["promptIdx"]) for row in rows]
    assert places == sorted(set(places))
    lines = (folder / f"{name}.jsonl").read_bytes().splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert sorted(lines) == sorted(journal.read_bytes().splitlines())
    stats = document["results"]["stats"]
    assert stats["successes"] == len(rows) == CASES * COLUMNS - stats["skipped"]
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        _header, *records = csv.reader(file)
    assert len(records) == len({row["testIdx"] for row in rows})
    return rows


def test_ctrl_c_at_any_moment_keeps_what_is_done(workshop: Workshop, scaled: Callable[..., int], rng: Random) -> None:
    times = scaled(30, 3)
    for position in range(times):
        at_request = 1 + int((position + rng.random()) / times * BUSY)
        name = f"interrupted-{at_request}"

        with started(workshop, Interrupter(at_request, rng.uniform(0, 0.005)), name) as child:
            code = child.wait()

        rows = rows_written(workshop.folder, name)
        assert "Traceback" not in child.err
        assert code == 130 or (code == 0 and len(rows) == CASES * COLUMNS), child.err
        if code:
            assert f"interrupted after {len(rows)} of {CASES * COLUMNS} cases" in child.err


def test_ctrl_c_while_the_documents_are_written_does_not_cost_them(
    workshop: Workshop, scaled: Callable[..., int], rng: Random
) -> None:
    tests = [{"vars": {"n": number, "text": "long " * 100}} for number in range(1500)]
    config = str(workshop.write({"prompts": ["{{n}} {{text}}"], "providers": ["echo"], "tests": tests}))
    for _ in range(scaled(20, 2)):
        documents = [workshop.folder / f"late.{ending}" for ending in ("yaml", "json")]
        outputs = [part for path in documents for part in ("-o", str(path))]
        with workshop.child(workshop.environ(), "eval", "-c", config, *outputs, name="late") as child:
            while "Finished" not in child.err:
                assert child.process.poll() is None
            threading.Event().wait(rng.uniform(0.03, 0.1))
            child.process.send_signal(signal.SIGINT)
            code = child.wait()

        assert code in {0, *INTERRUPTED}
        assert len(json.loads(documents[1].read_bytes())["results"]["results"]) == len(tests)
        assert documents[0].stat().st_size > 0
        for path in documents:
            path.unlink()


def test_a_second_ctrl_c_drops_the_calls_that_hang(workshop: Workshop, scaled: Callable[..., int]) -> None:
    hanging = threading.Event()

    async def hang(seconds: float) -> None:
        hanging.set()
        await asyncio.Event().wait()

    for _ in range(scaled(10)):
        hanging.clear()
        sandbox = workshop.serve({"*": {"latency": 1}}, sleep=hang)
        config = str(workshop.write(SUITE))
        arguments = ("eval", "-c", config, "--no-cache", "-o", "hung.json")
        with workshop.child(workshop.environ(sandbox), *arguments, name="hung") as child:
            assert hanging.wait(20)
            child.process.send_signal(signal.SIGINT)
            while "press Ctrl-C again" not in child.err:
                assert child.process.poll() is None
            child.process.send_signal(signal.SIGINT)
            code = child.wait()

        assert code == 130
        assert "Traceback" not in child.err
        assert json.loads((workshop.folder / "hung.json").read_bytes())["results"]["results"] == []


def test_ctrl_c_before_the_first_call_ends_the_process(
    workshop: Workshop, scaled: Callable[..., int], rng: Random
) -> None:
    config = str(workshop.write(SUITE))
    for _ in range(scaled(30, 2)):
        sandbox = workshop.serve({"*": {"latency": 1000}})
        with workshop.child(workshop.environ(sandbox), "eval", "-c", config, name="early") as child:
            threading.Event().wait(rng.uniform(0, 0.4))
            child.process.send_signal(signal.SIGINT)

            assert child.wait() in INTERRUPTED
