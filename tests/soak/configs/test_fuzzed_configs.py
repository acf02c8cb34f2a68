"""Configurations that ran before they were changed at random: an honest run or a readable refusal, never a bug."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from types import FrameType
from typing import TYPE_CHECKING, Any

import pytest

from sagemaker_eval.cli import evaluation
from sagemaker_eval.cli.app import run

if TYPE_CHECKING:
    from tests.soak.configs.conftest import Seed
    from tests.soak.conftest import Workshop

pytestmark = pytest.mark.soak

HANGS_AFTER = 20.0
"""Seconds after which a run counts as hanging."""

OPTIONS: tuple[list[str], ...] = (
    *(["--json"], ["--dry-run"], ["-j", "3"], ["--repeat", "2"], ["--filter-first-n", "1"], ["--var", "n=5"]),
    *(["--fail-under", "0"], ["--strict"], ["--filter-pattern", "r"], ["-r", "echo"], ["--delay", "1"], ["--no-write"]),
    *(["-p", "Say {{n}}"], ["-o", "out.csv"], ["-o", "out.yaml"], ["-o", "out.jsonl"], ["--cache"], ["--table"]),
)
LOOPBACK = ("127.", "::1", "localhost")


class Hanging(BaseException):
    """A run took too long. Not an `Exception`, so that nothing on the way takes it for its own."""


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code and what it wrote; `planned` are its cases, where it kept a record of them."""

    code: int
    out: str
    err: str
    document: dict[str, Any] | None
    planned: int | None


class Runs:
    """Runs the command on a copy of a seed."""

    def __init__(self, workshop: Workshop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._workshop, self._capsys, self._monkeypatch = workshop, capsys, monkeypatch

    @contextmanager
    def copy(self, seed: Seed, number: int) -> Iterator[Path]:
        """A copy of the files in a folder of its own, so that no script is known from an earlier run."""
        folder = self._workshop.folder / f"run-{number}"
        seed.copied_to(folder)
        yield folder
        shutil.rmtree(folder)

    def __call__(self, seed: Seed, folder: Path, options: list[str]) -> Ended:
        with self._monkeypatch.context() as here:
            here.chdir(folder)
            here.setenv("SAGEVAL_RUNS_PATH", str(folder / "runs"))
            for name, value in seed.environment:
                here.setenv(name, value)
            with limited_to(HANGS_AFTER):
                code = run(["eval", *seed.arguments, "--no-progress-bar", "--no-cache", "-o", "out.json", *options])
        written = self._capsys.readouterr()
        records = [json.loads(path.read_bytes()) for path in folder.glob("runs/*/run.json")]
        path = folder / "out.json"
        document = json.loads(path.read_bytes()) if path.exists() else None
        return Ended(code, written.out, written.err, document, next((record["total"] for record in records), None))


@contextmanager
def limited_to(seconds: float) -> Iterator[None]:
    """Raises `Hanging` in a block that lasts longer. A timer that runs already goes on afterwards."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise Hanging

    began, handler = time.monotonic(), signal.signal(signal.SIGALRM, stop)
    left, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, max(0.01, left - (time.monotonic() - began)) if left else 0)
        signal.signal(signal.SIGALRM, handler)


@pytest.fixture
def runs(workshop: Workshop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Runs without a setting of whoever runs the tests. Back-off takes no time; what runs leave behind is collected."""
    for name in [*os.environ]:
        monkeypatch.delenv(name)
    for name, value in workshop.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(evaluation, "evaluate", partial(evaluation.evaluate, sleep=workshop.at_once))
    monkeypatch.setattr(evaluation, "spare_collector", lambda: None)
    return Runs(workshop, capsys, monkeypatch)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The hosts other than this one that something wanted to reach, and did not."""
    hosts: set[str] = set()
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and not str(address[0]).startswith(LOOPBACK):
            hosts.add(str(address[0]))
            raise ConnectionRefusedError("the test lets nothing out")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    return hosts


def assert_honest(ended: Ended, options: list[str]) -> None:
    """A run ends in one of the ways that users are told of, and its document has a row for each planned case."""
    assert ended.code in {0, 1, 2, 3}
    assert "Traceback" not in ended.err
    assert "bug in sageval" not in ended.err
    if ended.code == 2:
        assert ended.err.strip()
        return
    if "--dry-run" in options:
        return
    assert ended.document is not None
    rows = ended.document["results"]["results"]
    assert ended.planned in (None, len(rows))
    assert len({(row["testIdx"], row["promptIdx"]) for row in rows}) == len(rows) > 0
    if "--json" in options:
        assert json.loads(ended.out)["results"]["results"] == rows


def test_the_configurations_run_before_they_are_changed(runs: Runs, seeds: tuple[list[Seed], list[Seed]]) -> None:
    codes: Counter[int] = Counter()
    for number, seed in enumerate(chain(*seeds)):
        with runs.copy(seed, number) as folder:
            ended = runs(seed, folder, [])
        assert_honest(ended, [])
        codes[ended.code] += 1
    assert codes[2] < codes.total() / 10, "more than those that show what is refused"


def test_no_changed_configuration_is_a_bug(
    runs: Runs,
    seeds: tuple[list[Seed], list[Seed]],
    mutate: Callable[[Seed, Path, Random], str],
    scaled: Callable[..., int],
    rng: Random,
    called: set[str],
) -> None:
    codes: Counter[int] = Counter()
    for number in range(scaled(5000)):
        seed = rng.choice(rng.choices(seeds, (70, 30))[0])
        options = rng.choice(OPTIONS) if rng.random() < 0.3 else []
        with runs.copy(seed, number) as folder:
            changes = [mutate(seed, folder, rng) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
            try:
                ended = runs(seed, folder, options)
                assert_honest(ended, options)
            except BaseException as error:
                error.add_note(f"{number}: {seed.folder.name} {' '.join((*seed.arguments, *options))} after {changes}")
                raise
        codes[ended.code] += 1
    assert called == set()
    assert codes[2] < codes.total() / 2, "too few of the changed configurations run"
    assert codes.keys() >= {0, 1, 2, 3}
