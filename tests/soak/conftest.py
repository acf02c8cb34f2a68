"""What the load and fault tests share: their scale, their seed, whole runs in this process and in others.

`SAGEVAL_SOAK` scales the tests (1.0 in `make soak`, 0.1 elsewhere). A failing test says with which `SAGEVAL_SOAK_SEED`
it can be repeated; where that is not set, the seed is fixed below full scale and drawn anew at it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sagemaker_eval.cli.evaluation import evaluate
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox

SCALE = float(os.environ.get("SAGEVAL_SOAK") or "0.1")
SEED = int(os.environ.get("SAGEVAL_SOAK_SEED") or (secrets.randbits(32) if SCALE >= 1 else 20260101))

HANGS_AFTER = 60.0
"""Seconds after which a child process counts as hanging."""

_TIMES = {"latencyMs", "timings", "totalLatencyMs", "latencyP50Ms", "latencyP95Ms", "durationMs"}
_MOMENTS = {"evalId", "timestamp", "exportedAt", "evaluationCreatedAt", "requestId"}
_CALLS = {"attempts", "maxConcurrency", "endpoints"}
_CACHE = {"cached", "cachedCount", "tokenUsage"}

Environ = Mapping[str, str]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections.append(("to repeat it", f"SAGEVAL_SOAK={SCALE} SAGEVAL_SOAK_SEED={SEED}"))
    return report


@pytest.fixture
def scaled() -> Callable[..., int]:
    """`scaled(n, least=1)`: `n` at full scale, proportionally fewer otherwise."""
    return lambda n, least=1: max(least, round(n * SCALE))


@pytest.fixture
def seed() -> int:
    return SEED


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Draws the same for the same seed and test."""
    return Random(f"{SEED} {request.node.name}")


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended: its exit code, its JSON document, and its journal in the order of completion.

    A run that could not start has no document, and one that does not write has no journal.
    """

    code: int
    document: dict[str, Json]
    journal: tuple[dict[str, Json], ...]

    @property
    def rows(self) -> list[dict[str, Json]]:
        rows: list[dict[str, Json]] = self.document["results"]["results"]
        return rows

    @property
    def outputs(self) -> list[Json]:
        """What each case answered, in plan order."""
        return [row["response"]["output"] if row["response"] else None for row in self.rows]

    def essence(self, *, cache: bool = True) -> Json:
        return essence(self.document, cache=cache)


def essence(document: Json, *, cache: bool = True) -> Json:
    """A document without moments, times and counts of attempts; `cache=False`: nor what came from the cache."""
    return _without(document, _TIMES | _MOMENTS | _CALLS | (set() if cache else _CACHE))


def _without(value: Json, names: set[str]) -> Json:
    if isinstance(value, dict):
        return {name: _without(inner, names) for name, inner in value.items() if name not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value


async def at_once(seconds: float) -> None:
    """In place of a pause: gives way to whoever else can go on."""
    await asyncio.sleep(0)


class Child:
    """A `sageval` process, its output in files, so that no pipe can fill up."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    def wait(self) -> int:
        """The exit code. Raises `subprocess.TimeoutExpired` where it hangs."""
        return self.process.wait(HANGS_AFTER)

    @property
    def out(self) -> str:
        return self._out.read_text("utf-8")

    @property
    def err(self) -> str:
        return self._err.read_text("utf-8")


class Workshop:
    """Makes runs in a folder of its own: configurations, sandboxes, runs in this process, child processes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self._count = 0

    essence = staticmethod(essence)
    at_once = staticmethod(at_once)

    def write(self, document: Json, name: str = "sageval.yaml") -> Path:
        """A configuration; JSON is YAML."""
        path = self.folder / name
        path.write_text(json.dumps(document), "utf-8")
        return path

    def serve(self, endpoints: Json = None, **options: Any) -> Sandbox:
        """A sandbox that behaves as the `endpoints` of a script say; `options` are the server's."""
        script = SandboxScript.parse({"endpoints": endpoints or {}}, "script.yaml")
        return self._stack.enter_context(Sandbox(script, **options))

    def environ(self, sandbox: Sandbox | None = None, **more: str) -> dict[str, str]:
        """An environment that holds no setting of whoever runs the tests, and reaches nothing but the sandbox."""
        inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG", "TMPDIR") if name in os.environ}
        own = {
            "HOME": str(self.folder),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAGEVAL_CACHE_PATH": str(self.folder / "cache"),
            "SAGEVAL_RUNS_PATH": str(self.folder / "runs"),
            "COLUMNS": "120",
        }
        return {**inherited, **own, **(sandbox.environment() if sandbox else {}), **more}

    def run(self, config: Path, environ: Environ, *, outputs: Sequence[str] = (), **options: Any) -> Ended:
        """One `sageval eval` in this process, in which back-off takes no time. `options` are those of `EvalRequest`."""
        self._count += 1
        runs = self.folder / f"runs-{self._count}"
        written = self.folder / f"out-{self._count}.json"
        request = EvalRequest(
            config=(str(config),),
            outputs=(str(written), *outputs),
            process={**environ, "SAGEVAL_RUNS_PATH": str(runs)},
            **{"table": False, "progress_bar": False, **options},
        )
        code = evaluate(request, at_once)
        journal = [row for path in runs.glob("*/journal.jsonl") for row in rows_of(path)]
        document = json.loads(written.read_bytes()) if written.exists() else {}
        return Ended(code, document, tuple(journal))

    @contextmanager
    def child(self, environ: Environ, *arguments: str, name: str = "child") -> Iterator[Child]:
        """`sageval` with these arguments in a process of its own, which does not outlive the block."""
        out, err = self.folder / f"{name}.out", self.folder / f"{name}.err"
        with out.open("wb") as stdout, err.open("wb") as stderr:
            command = [sys.executable, "-m", "sagemaker_eval", *arguments]
            process = subprocess.Popen(command, cwd=self.folder, env=dict(environ), stdout=stdout, stderr=stderr)
        try:
            yield Child(process, out, err)
        finally:
            process.kill()
            process.wait()


def rows_of(journal: Path) -> list[dict[str, Json]]:
    """The rows of a journal, each of which must be whole."""
    return [json.loads(line) for line in journal.read_bytes().splitlines()]


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    with ExitStack() as stack:
        yield Workshop(tmp_path, stack)
