"""A sandbox in a process of its own, and what it knows of the streams that it wrote.

`python -m tests.bench.sandbox` takes its script as one line of JSON on stdin and prints its URL; for each further line
it prints the moments of all requests, as JSON. It ends with stdin.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

from sagemaker_eval.model import Json
from sagemaker_eval.sandbox.script import SandboxScript
from sagemaker_eval.sandbox.server import Sandbox
from tests.bench.processes import REPOSITORY


class SandboxProcess:
    """A sandbox that takes no time of this process. It ends with the block."""

    def __init__(self, endpoints: Json) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.sandbox"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.url = self._asked(json.dumps({"endpoints": endpoints})).strip()

    def first_tokens(self) -> Mapping[bytes, float]:
        """When the first token of each stream was written, by `time.perf_counter` and by the body of the request.

        The clock is the same in all processes where it is the system's monotonic one, as on Linux and macOS.
        """
        return {body.encode(): moment for body, moment in json.loads(self._asked("")).items()}

    def _asked(self, line: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()

    def __enter__(self) -> SandboxProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=10)


def main() -> None:
    """Serve until stdin ends."""
    script = SandboxScript.parse(json.loads(sys.stdin.readline()), "script")
    with Sandbox(script) as sandbox:
        _say(sandbox.url)
        for _ in sys.stdin:
            moments = {request.body.decode(): request.first_token_at for request in sandbox.requests}
            _say(json.dumps({body: moment for body, moment in moments.items() if moment is not None}))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
