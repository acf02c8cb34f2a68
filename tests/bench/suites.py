"""The configurations that are measured, and their runs."""

from __future__ import annotations

import csv
import json
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import SAGEVAL, Finished, environment, run

ENDPOINT = "bench-endpoint"
SAGEMAKER = f"sagemaker:huggingface:{ENDPOINT}"
_CONFIG = """\
description: benchmark
prompts:
  - "Answer the question in one sentence. Question: {{{{question}}}}"
providers:
  - id: {provider}
defaultTest:
  assert:
    - type: contains
      value: Paris
    - type: icontains
      value: "{{{{expected}}}}"
    - type: not-contains
      value: as a language model
tests: file://{tests}
"""
_DURATION = re.compile(rb'"durationMs":([0-9.]+)')


@dataclass(frozen=True, slots=True)
class Workplace:
    """A temporary folder with a configuration, its tests, a cache and the records of its runs."""

    folder: Path
    environ: dict[str, str]

    def eval(self, *options: str) -> Finished:
        """One `sageval eval` of the configuration."""
        return run([SAGEVAL, *self._command(options)], self.environ, self.folder)

    def timed_eval(self, *options: str) -> tuple[Finished, float]:
        """One `sageval eval`, and the seconds from its first case to its last, as the result document tells."""
        document = self.folder / "results.json"
        finished = self.eval(*options, "-o", str(document))
        return finished, engine_seconds(document)

    def profiled_eval(self, stats: Path, *options: str) -> Finished:
        """One `sageval eval` under cProfile, whose figures go to `stats`."""
        command = [sys.executable, "-m", "cProfile", "-o", str(stats), "-m", "sagemaker_eval"]
        return run([*command, *self._command(options)], self.environ, self.folder)

    def forget(self) -> None:
        """Remove the cache and the records of earlier runs."""
        for name in ("cache", "runs"):
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _command(self, options: tuple[str, ...]) -> list[str]:
        return ["eval", "-c", str(self.folder / "sageval.yaml"), *options]


@contextmanager
def workplace(tests: int, url: str = "", ending: str = ".jsonl", provider: str = SAGEMAKER) -> Iterator[Workplace]:
    """A folder with a suite of so many tests, in a CSV or a JSONL file; it is removed with the block."""
    with tempfile.TemporaryDirectory(prefix="sageval-bench-") as name:
        folder = Path(name)
        path = folder / f"tests{ending}"
        (folder / "sageval.yaml").write_text(_CONFIG.format(provider=provider, tests=path.name))
        write_tests(path, tests)
        yield Workplace(folder, environment(folder, url))


def write_tests(path: Path, count: int) -> None:
    """Write so many different tests to `path`, which ends in .csv or .jsonl."""
    questions = (
        (f"What is the capital of France? (asked for the {number}th time)", "paris") for number in range(count)
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            writer = csv.writer(file)
            writer.writerow(("question", "expected"))
            writer.writerows(questions)
        else:
            for question, expected in questions:
                file.write(json.dumps({"vars": {"question": question, "expected": expected}}) + "\n")


def engine_seconds(document: Path) -> float:
    """The `durationMs` of a result document, which stands behind its rows, in seconds."""
    with document.open("rb") as file:
        file.seek(-min(document.stat().st_size, 65536), 2)
        found = _DURATION.search(file.read())
    if found is None:
        raise RuntimeError(f"{document} does not tell how long the run took")
    return float(found[1]) / 1000
