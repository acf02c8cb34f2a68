"""`make bench`: the figures of sageval beside those of its peers, measured in the same run.

Exits with 1 where a limit is not kept. It is a benchmark, not a test: on a busy machine it may fail.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.ledger import ledger
from tests.bench.measures import PARTS as RUNS
from tests.bench.measures import Measured
from tests.bench.pace import adaptive
from tests.bench.profiling import profile
from tests.bench.streams import streams

PARTS = {**RUNS, "g": adaptive, "h": ledger, "i": streams}

_STATUS = {True: "ok", False: "[red]over[/red]", None: ""}


def main() -> int:
    """Measure what the arguments ask for, print the table, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of {' '.join(PARTS)}; all if none is given")
    parser.add_argument("--profile", type=Path, metavar="FOLDER", help="profile instead of measuring")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if arguments.profile is not None:
        profile(arguments.profile)
        return 0
    began = os.getloadavg()[0]
    rows = [row for name in arguments.parts or PARTS for row in _measured(name)]
    _print(rows, f"load average {began:.1f} before, {os.getloadavg()[0]:.1f} after; {os.cpu_count()} cores")
    return int(any(row.holds is False for row in rows))


def _measured(name: str) -> list[Measured]:
    sys.stderr.write(f"{name}: {PARTS[name].__doc__}\n")
    return list(PARTS[name]())


def _print(rows: Sequence[Measured], circumstances: str) -> None:
    table = Table(caption=f"Python {platform.python_version()}, {circumstances}")
    table.add_column("")
    table.add_column("what")
    table.add_column("measured", justify="right")
    table.add_column("limit", justify="right")
    table.add_column("")
    for row in rows:
        table.add_row(row.part, row.what, row.figure, row.limit, _STATUS[row.holds])
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
