"""Where the time goes: cProfile of a run of calls and of a run that the cache answers."""

from __future__ import annotations

import pstats
import sys
from pathlib import Path

from tests.bench.endpoint import Endpoint
from tests.bench.measures import CACHED_CASES, IN_FLIGHT
from tests.bench.suites import workplace

_SHOWN = 25


def profile(folder: Path) -> None:
    """Write `calls.prof` and `cached.prof` to `folder` and print the functions that take the most time."""
    folder.mkdir(parents=True, exist_ok=True)
    with Endpoint() as endpoint, workplace(CACHED_CASES, endpoint.url) as place:
        for name in ("calls", "cached"):
            stats = (folder / f"{name}.prof").absolute()
            place.profiled_eval(stats, "-j", str(IN_FLIGHT))
            sys.stdout.write(f"\n{name}: {CACHED_CASES:,} cases, in {stats}\n")
            pstats.Stats(str(stats)).sort_stats("tottime").print_stats(_SHOWN)
