"""A run that is killed again and again, and gone on with each time, ends as if nothing had happened."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.model import Json, Outcome
from sagemaker_eval.running.journal import Journal
from sagemaker_eval.running.run_files import JOURNAL
from sagemaker_eval.sandbox.request_log import LoggedRequest

if TYPE_CHECKING:
    from tests.soak.conftest import Child, Workshop

pytestmark = pytest.mark.soak

IN_FLIGHT = 4
STARTING_S = 0.8
"""Within this time from its start a process makes its first call, or is about to."""

ENDPOINTS = {"model": {"latency": 8, "jitter": 6, "answers": [{"pattern": r"(\d+)", "answer": r"Number \1"}]}}


def suite(cases: int, **config: Json) -> Json:
    return {
        "prompts": ["Write about {{n}}", "Tell me of {{n}}"],
        "providers": [{"id": "sagemaker:huggingface:model", "config": config}],
        "defaultTest": {"assert": [{"type": "equals", "value": "Number {{n}}", "metric": "exact"}]},
        "derivedMetrics": [{"name": "share", "value": "exact / __count"}],
        "tests": [{"vars": {"n": number}} for number in range(cases // 2)],
    }


class Attacker:
    """Sends a signal to the client of the sandbox a moment after a certain call, or else after its start."""

    def __init__(self) -> None:
        self._client: Child | None = None
        self._number = signal.SIGKILL
        self._left = 0
        self._delay = 0.0
        self._timer: threading.Timer | None = None

    def aim(self, client: Child, number: signal.Signals, at_call: int, delay: float) -> None:
        """With `at_call` 0 the delay is from now on."""
        self._client, self._number, self._left, self._delay = client, number, at_call, delay
        if not at_call:
            self._start()

    def __call__(self, request: LoggedRequest) -> None:
        if request.endpoint is None:
            return
        self._left -= 1
        if self._left == 0:
            self._start()

    def _start(self) -> None:
        assert self._client is not None
        self._timer = threading.Timer(self._delay, self._client.process.send_signal, [self._number])
        self._timer.start()

    def rest(self) -> None:
        """Returns when no blow can fall any more."""
        self._left = 0
        if self._timer is not None:
            self._timer.join()


def struck(
    workshop: Workshop, environ: dict[str, str], attacker: Attacker, arguments: list[str], **blow: float
) -> tuple[int, str]:
    """The exit code and the words of `sageval` with these arguments, under a blow."""
    number = signal.Signals(int(blow.get("number", signal.SIGKILL)))
    with workshop.child(environ, *arguments) as child:
        attacker.aim(child, number, int(blow["at_call"]), blow["delay"])
        code = child.wait()
    attacker.rest()
    return code, child.err


def run_of(runs: Path) -> Path | None:
    """The folder of the only run, None where no run has got so far."""
    folders = [path.parent for path in runs.glob(f"*/{JOURNAL}")]
    assert len(folders) <= 1
    return folders[0] if folders else None


def outcomes(runs: Path) -> Counter[Outcome]:
    folder = run_of(runs)
    return Counter() if folder is None else Counter(outcome for _, outcome in Journal.read(folder).outcomes())


def told(essence: Json) -> Json:
    """What a document tells apart from what its last process used of the endpoints."""
    results = essence["results"]
    return {**essence, "results": {**results, "stats": {**results["stats"], "endpoints": None}}}


def test_a_run_that_is_killed_and_resumed_ends_like_one_that_never_was(
    workshop: Workshop, scaled: Callable[..., int], rng: Random
) -> None:
    cases, kills = scaled(500, 50), scaled(100, 10)
    attacker = Attacker()
    sandbox = workshop.serve(ENDPOINTS, on_request=attacker)
    config, runs = workshop.write(suite(cases)), workshop.folder / "runs"
    environ = workshop.environ(sandbox)
    first = ["eval", "-c", str(config), "--no-cache", "-j", str(IN_FLIGHT), "--no-table", "-o", "out.json"]

    finished = blows = 0
    for _ in range(kills):
        early = rng.random() < 0.2
        at_call = 0 if early else rng.randint(1, max(1, 2 * cases // kills))
        delay = rng.uniform(0, STARTING_S if early else 0.03)
        folder = run_of(runs)
        arguments = first if folder is None else ["eval", "--resume", folder.name]
        code, words = struck(workshop, environ, attacker, arguments, at_call=at_call, delay=delay)
        assert code in (0, -signal.SIGKILL), words
        blows += code != 0
        now = outcomes(runs).total()
        assert now >= finished
        finished = now

    folder = run_of(runs)
    assert folder is not None
    with workshop.child(environ, "eval", "--resume", folder.name) as child:
        assert child.wait() == 0, child.err
    repeated = sandbox.count() - cases
    document = json.loads((workshop.folder / "out.json").read_bytes())
    whole = workshop.run(config, environ, cache=False, max_concurrency=IN_FLIGHT)

    assert whole.code == 0
    assert told(workshop.essence(document)) == told(whole.essence())
    assert 0 <= repeated <= blows * IN_FLIGHT
    assert blows


def test_interrupted_repetitions_of_errors_never_cost_a_good_case(
    workshop: Workshop, scaled: Callable[..., int], rng: Random
) -> None:
    cases = scaled(500, 60)
    attacker = Attacker()
    endpoints = {"model": {**ENDPOINTS["model"], "faults": {"modelError": 0.6}}}
    environ = workshop.environ(workshop.serve(endpoints, on_request=attacker))
    config, runs = workshop.write(suite(cases, maxRetries=0)), workshop.folder / "runs"
    with workshop.child(environ, "eval", "-c", str(config), "--no-cache", "--no-table") as child:
        assert child.wait() == 3, child.err
    folder = run_of(runs)
    assert folder is not None

    good = [outcomes(runs)[Outcome.PASSED]]
    for _ in range(5):
        number = rng.choice([signal.SIGINT, signal.SIGKILL])
        at_call = rng.randint(1, max(1, (cases - good[-1]) // 3))
        arguments = ["eval", "--retry-errors", folder.name]
        code, words = struck(workshop, environ, attacker, arguments, number=number, at_call=at_call, delay=0.004)
        assert code in (3, 130, -signal.SIGKILL), words
        found = outcomes(runs)
        assert found.total() == cases
        good.append(found[Outcome.PASSED])

    assert good == sorted(good)
    assert good[0] < good[-1]
