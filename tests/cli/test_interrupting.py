"""Ctrl-C, once and twice, sent to a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from sagemaker_eval.cli.interrupts import Interrupts
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

CONFIG = """\
prompts: ['{{x}}']
providers: [sagemaker:huggingface:slow]
tests: tests.csv
"""
PATIENCE = 30.0


class Arrivals:
    """Told of each request; `reached` is set once enough have come."""

    def __init__(self, enough: int) -> None:
        self._missing = enough
        self.reached = threading.Event()

    def __call__(self, request: LoggedRequest) -> None:
        self._missing -= 1
        if self._missing <= 0:
            self.reached.set()


@contextmanager
def started(arguments: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """`sageval` with these arguments in a process of its own, which does not outlive the block."""
    command = [sys.executable, "-m", "sagemaker_eval", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(stream: IO[str] | None, wanted: str) -> str:
    """What is read up to and with the line that holds `wanted`."""
    assert stream is not None
    lines = []
    for line in stream:
        lines.append(line)
        if wanted in line:
            break
    return "".join(lines)


def test_ctrl_c_lets_calls_in_flight_finish_and_keeps_everything(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    arrivals = Arrivals(5)
    sandbox = serve("endpoints: {slow: {latency: 150}}", on_request=arrivals)
    cli.write("run.yaml", CONFIG)
    cli.write("tests.csv", "x\n" + "".join(f"{number}\n" for number in range(400)))

    with started(["eval", "-c", "run.yaml", "-o", "out.json", "-o", "out.csv"]) as process:
        assert arrivals.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    finished = sandbox.count()
    assert 5 <= finished < 400
    rows = cli.rows()
    assert len(rows) == finished
    assert [row["testIdx"] for row in rows] == sorted(row["testIdx"] for row in rows)
    (journal,) = (cli.folder.parent / "runs").glob("*/journal.jsonl")
    assert len(journal.read_text("utf-8").splitlines()) == finished
    assert len((cli.folder / "out.csv").read_text("utf-8").splitlines()) == finished + 1
    assert f"interrupted after {finished} of 400 cases" in err
    assert "Traceback" not in err

    again = cli.eval("-c", "run.yaml", "--filter-first-n", str(finished), "--delay", "60000")
    assert (again.code, sandbox.count()) == (0, finished)


def test_a_second_ctrl_c_drops_the_calls_in_flight(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    arrivals = Arrivals(1)
    serve("endpoints: {slow: {latency: 600000}}", on_request=arrivals)
    cli.write("run.yaml", CONFIG)
    cli.write("tests.csv", "x\n1\n2\n")

    with started(["eval", "-c", "run.yaml", "-o", "out.json"]) as process:
        assert arrivals.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        err = lines_until(process.stderr, "press Ctrl-C again to drop them")
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert cli.rows() == []
    assert "interrupted after 0 of 2 cases" in rest
    assert "Traceback" not in err + rest


def test_a_run_that_does_not_react_is_left_at_the_third_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    with pytest.raises(KeyboardInterrupt), Interrupts(lambda: asked.append("defer")) as interrupts:
        interrupts.react = lambda: asked.append("react")
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
    assert asked == ["react", "react"]
    assert capsys.readouterr().err.startswith("interrupted")


def test_writing_results_is_left_at_the_second_ctrl_c_however_often_the_run_was_asked_to_stop() -> None:
    asked: list[str] = []
    with pytest.raises(KeyboardInterrupt), Interrupts(lambda: asked.append("defer")) as interrupts:
        interrupts.react = lambda: asked.append("react")
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        interrupts.react = None
        signal.raise_signal(signal.SIGINT)
        assert asked == ["react", "react", "defer"]
        signal.raise_signal(signal.SIGINT)
    assert asked == ["react", "react", "defer"]


def test_answers_of_code_of_the_user_are_not_said_to_come_from_the_cache(cli: Cli) -> None:
    code = (
        "import os, signal\ndef call_api(prompt):\n    os.kill(os.getpid(), signal.SIGINT)\n    return {'output': 1}\n"
    )
    cli.write("stops.py", code)
    cli.write("tests.csv", "x\n1\n2\n3\n")
    ran = cli.eval("-p", "{{x}}", "-r", "file://stops.py", "-t", "tests.csv", "-j", "1", "--no-write")
    assert ran.code == 130
    assert "without a record and without the cache, the same command asks for everything anew" in ran.err
