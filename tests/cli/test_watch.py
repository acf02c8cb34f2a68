"""`sageval eval --watch` in a process of its own: every step waits for what the command says, never for time."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PATIENCE = 30.0
WATCHING = "press Ctrl-C to end"
CONFIG = """\
prompts: [file://prompt.txt]
providers: [sagemaker:openai:e]
tests: tests.csv
"""


class Watched:
    """A running command, and what it has said so far on stdout and stderr together."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        threading.Thread(target=self._listen, args=(process.stdout,), daemon=True).start()

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            self._lines.put(line)

    def said(self, wanted: str) -> str:
        """What it says next, up to and with the line that holds `wanted`."""
        deadline, lines = time.monotonic() + PATIENCE, ""
        while wanted not in lines:
            try:
                lines += self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                pytest.fail(f"no {wanted!r} in:\n{lines}")
        return lines

    def end(self, number: int = signal.SIGINT) -> int:
        """The exit code after a signal."""
        self.process.send_signal(number)
        return self.process.wait(timeout=PATIENCE)


@contextmanager
def watching(*arguments: str) -> Iterator[Watched]:
    command = [sys.executable, "-m", "sagemaker_eval", "eval", "--watch", "--no-progress-bar", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            yield Watched(process)
        finally:
            process.kill()


@pytest.fixture
def files(cli: Cli) -> Callable[[str, str], Path]:
    cli.write("run.yaml", CONFIG)
    cli.write("prompt.txt", "Say {{word}}")
    cli.write("tests.csv", "word\ntea\ncocoa\n")
    return cli.write


def test_an_edited_prompt_is_run_and_only_what_changed_is_paid_for(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    sandbox = serve()
    with watching("-c", "run.yaml") as watched:
        first = watched.said(WATCHING)
        assert "2 cases in" in first
        assert "watching 3 files; press Ctrl-C to end" in first
        assert sandbox.count() == 2

        files("tests.csv", "word\ntea\ncocoa\ncoffee\n")
        second = watched.said(WATCHING)
        assert "note: tests.csv changed" in second
        assert "3 cases in" in second
        assert sandbox.count() == 3

        files("prompt.txt", "Sing {{word}}")
        assert "3 cases in" in watched.said(WATCHING)
        assert sandbox.count() == 6
        assert watched.end() == 0


def test_a_broken_configuration_is_told_and_waited_for(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    sandbox = serve()
    files("run.yaml", CONFIG + "promts: []\n")
    with watching("-c", "run.yaml") as watched:
        said = watched.said(WATCHING)
        assert "run.yaml:4:1: unknown key `promts`" in said
        assert sandbox.count() == 0
        files("run.yaml", CONFIG)
        assert "2 cases in" in watched.said(WATCHING)
        assert watched.end(signal.SIGTERM) == 0


def test_files_that_are_missing_and_globs_are_watched_for(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    serve()
    files("run.yaml", CONFIG.replace("file://prompt.txt", "file://prompts/*.txt, file://more/late.txt"))
    files("prompts/one.txt", "One {{word}}")
    with watching("-c", "run.yaml") as watched:
        assert "`file://more/late.txt` does not exist" in watched.said(WATCHING)
        files("more/late.txt", "Late {{word}}")
        assert "4 cases in" in watched.said(WATCHING)
        files("prompts/two.txt", "Two {{word}}")
        assert "6 cases in" in watched.said(WATCHING)
        files(".env", "WORD=tea\n")
        assert "note: .env changed" in watched.said(WATCHING)
        assert watched.end() == 0


def test_scripts_and_what_they_import_are_read_anew(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    serve()
    provider = "{id: 'sagemaker:openai:e', transform: 'file://change.py'}"
    files("run.yaml", CONFIG.replace("sagemaker:openai:e", provider))
    files("change.py", "from words import WORD\n\ndef get_transform(prompt):\n    return f'{WORD} {prompt}'\n")
    files("words.py", "WORD = 'please'\n")
    with watching("-c", "run.yaml") as watched:
        assert "watching 5 files" in watched.said(WATCHING)
        files("words.py", "WORD = undefined_name\n")
        said = watched.said(WATCHING)
        assert "note: words.py changed" in said
        assert "NameError" in said
        files("words.py", "WORD = 'kindly'\n")
        assert "2 cases in" in watched.said(WATCHING)
        assert watched.end() == 0


def test_a_module_that_a_script_misses_is_watched_for(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    serve()
    files("run.yaml", CONFIG.replace("sagemaker:openai:e", "{id: 'sagemaker:openai:e', transform: 'file://change.py'}"))
    files("change.py", "from words import WORD\n\ndef get_transform(prompt):\n    return WORD\n")
    with watching("-c", "run.yaml") as watched:
        assert "No module named 'words'" in watched.said(WATCHING)
        files("words.py", "WORD = broken(\n")
        assert "is not valid Python" in watched.said(WATCHING)
        files("words.py", "WORD = 'please'\n")
        assert "2 cases in" in watched.said(WATCHING)
        assert watched.end() == 0


def test_results_that_a_glob_matches_are_no_reason_to_run_again(
    serve: Callable[..., Sandbox], files: Callable[[str, str], Path]
) -> None:
    serve()
    files("run.yaml", CONFIG.replace("tests.csv", "'file://*.csv'"))
    with watching("-c", "run.yaml", "-o", "out.csv") as watched:
        watched.said(WATCHING)
        files("tests.csv", "word\nmate\n")
        said = watched.said(WATCHING)
        assert "note: tests.csv changed" in said
        assert watched.end() == 0


def test_json_on_stdout_cannot_be_watched(cli: Cli) -> None:
    ran = cli("eval", "--watch", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "--watch and --json exclude each other" in ran.err


@pytest.mark.parametrize("option", ["--resume", "--retry-errors", "--record", "--replay"])
def test_a_watch_makes_new_runs_alone(cli: Cli, option: str) -> None:
    ran = cli.eval("-p", "Hi", "-r", "echo", "--watch", option, "latest")
    assert ran.code == 2
    assert f"--watch and {option} exclude each other" in ran.err
