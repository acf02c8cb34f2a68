"""The instant endpoint, from the point of view of who measures against it."""

from __future__ import annotations

import subprocess
import sys
from types import TracebackType

from tests.bench.processes import REPOSITORY


class Endpoint:
    """An instant endpoint in a process of its own, which ends with the block."""

    def __init__(self, latency: float = 0.0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.instant_server", "--latency", str(latency)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = self._read_number()
        self.url = f"http://127.0.0.1:{self.port}"

    def requests(self) -> int:
        """How many requests have come in so far."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read_number()

    def _read_number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def __enter__(self) -> Endpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)
