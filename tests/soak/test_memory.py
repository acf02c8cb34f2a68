"""What a run takes and does not give back: memory that grows with the cases, files, threads."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.soak.conftest import Workshop

pytestmark = pytest.mark.soak

BYTES_PER_CASE = 200
"""More than the journal's index and the latencies need, less than any row."""
ALLOWANCE = 2_000_000
"""Bytes that may wait for the disk in a large run and not in a small one: the cache lets 1,000 answers wait."""

MEASURED = """
import resource, sys, tracemalloc
from sagemaker_eval.cli.app import run
code = run(["eval", "-c", "warm-up.yaml", *sys.argv[2:]])
tracemalloc.start()
code = code or run(["eval", "-c", sys.argv[1], *sys.argv[2:]])
sys.stderr.write(f"\\n{code} {tracemalloc.get_traced_memory()[1]} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")
"""


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes of Python objects that a run held at most, beyond those that were there before it; resident kilobytes."""

    objects: int
    resident_kb: int


def peak_of(workshop: Workshop, environ: Mapping[str, str], provider: str, cases: int, *arguments: str) -> Peak:
    """The peaks of a process that runs so many cases."""
    for name, count in (("warm-up", 20), ("measured", cases)):
        rows = "".join(f"{number},{'text ' * 20}{name}\n" for number in range(count))
        (workshop.folder / f"{name}.csv").write_text("n,text\n" + rows, "utf-8")
        workshop.write(
            {"prompts": ["{{n}} {{text}}"], "providers": [provider], "tests": f"file://{name}.csv"}, f"{name}.yaml"
        )
    ended = subprocess.run(
        [sys.executable, "-c", MEASURED, "measured.yaml", "--no-progress-bar", *arguments],
        cwd=workshop.folder,
        env=dict(environ),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    code, objects, resident = map(int, ended.stderr.splitlines()[-1].split())
    assert code == 0, ended.stderr
    return Peak(objects, resident)


@pytest.mark.parametrize(
    ("provider", "arguments"),
    [
        ("echo", ["-o", "all.json", "-o", "all.csv"]),
        ("sagemaker:huggingface:model", ["-j", "32"]),
    ],
    ids=["documents", "calls"],
)
def test_memory_does_not_grow_with_the_run(
    workshop: Workshop, scaled: Callable[..., int], provider: str, arguments: list[str]
) -> None:
    small, large = scaled(5_000, 400), scaled(20_000, 1_600)
    sandbox = workshop.serve()

    less, more = (
        peak_of(workshop, workshop.environ(sandbox, SAGEVAL_CACHE_PATH=f"cache-{cases}"), provider, cases, *arguments)
        for cases in (small, large)
    )

    assert more.objects - less.objects < ALLOWANCE + BYTES_PER_CASE * (large - small)
    assert more.resident_kb - less.resident_kb < 30_000


def test_runs_give_back_files_threads_and_folders(
    workshop: Workshop, scaled: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = workshop.serve({"*": {"faults": {"disconnect": 0.2, "throttling": 0.2, "truncated": 0.1}}})
    document = {
        "prompts": ["Describe {{n}}"],
        "providers": ["sagemaker:huggingface:one", "sagemaker:openai:two"],
        "tests": [{"vars": {"n": number}} for number in range(40)],
    }
    config, environ = workshop.write(document), workshop.environ(sandbox)
    temporary = workshop.folder / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    workshop.run(config, environ, max_concurrency=16)
    before = in_use()

    for number in range(scaled(40)):
        workshop.run(config, environ, max_concurrency=1 + number, cache=number % 2 == 0, write=False)

    assert settled(in_use, before) == before
    assert list(temporary.iterdir()) == []


def in_use() -> tuple[int, int]:
    """How many files and sockets this process has open, and how many threads."""
    return len(os.listdir("/dev/fd")), threading.active_count()


def settled(count: Callable[[], tuple[int, int]], wanted: tuple[int, int]) -> tuple[int, int]:
    """What is counted once it is what is wanted, or after 10 seconds: the server notices by and by who has gone."""
    deadline = time.monotonic() + 10
    while (found := count()) != wanted and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return found
