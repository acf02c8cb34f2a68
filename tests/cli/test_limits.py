"""Limits of time and what else ends a run before its last case: nothing that was done is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval.running import watchdog
from sagemaker_eval.sandbox.request_log import LoggedRequest
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

PATIENCE = 30.0
SANDBOX = "endpoints: {'*': {answers: [{pattern: 'hang', fault: timeout}, {pattern: '(.+)', answer: 'Said \\1'}]}}"
CONFIG = "prompts: ['{{{{x}}}}']\nproviders: ['sagemaker:huggingface:e']\ntests: tests.csv\n{more}"

UNDER_A_SMALL_QUOTA = """\
import resource, sys
from sagemaker_eval.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
sys.argv = ["sageval", *{arguments!r}]
main()
"""


def write_suite(cli: Cli, words: Sequence[str], more: str = "") -> None:
    cli.write("run.yaml", CONFIG.format(more=more))
    cli.write("tests.csv", "x\n" + "".join(f"{word}\n" for word in words))


def outcomes(cli: Cli, name: str = "out.json") -> list[tuple[str, str, str | None]]:
    return [(row["vars"]["x"], row["outcome"], row["errorCode"]) for row in cli.rows(name)]


class Arrivals:
    """Told of each request; `reached` is set once enough invocations have come."""

    def __init__(self, enough: int) -> None:
        self._missing = enough
        self.reached = threading.Event()

    def __call__(self, request: LoggedRequest) -> None:
        self._missing -= request.endpoint is not None
        if self._missing <= 0:
            self.reached.set()


@contextmanager
def started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Python with these arguments in a process of its own, which does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_case_that_is_never_answered_is_an_error_and_the_run_goes_on(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve(SANDBOX)
    write_suite(cli, ["a", "hang", "b"], "evaluateOptions: {timeoutMs: 700}")
    ran = cli.eval("-c", "run.yaml", "-o", "out.json", "-j", "1")
    assert ran.code == 3
    assert outcomes(cli) == [("a", "passed", None), ("hang", "errored", "CaseTimeout"), ("b", "passed", None)]
    assert "timed out after 0.7 s (`evaluateOptions.timeoutMs`)" in ran.out


def test_a_server_that_never_answers_cannot_hang_a_run(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve(SANDBOX)
    write_suite(cli, ["a", "b", *["hang"] * 20])
    began = time.monotonic()
    ran = cli.eval("-c", "run.yaml", "-o", "out.json", "-o", "out.csv", "--max-time", "1.5s")
    assert time.monotonic() - began < PATIENCE
    assert ran.code == 3
    told = outcomes(cli)
    assert told[:2] == [("a", "passed", None), ("b", "passed", None)]
    assert set(told[2:]) == {("hang", "errored", "MaxTime")}
    assert cli.document()["results"]["stats"]["skipped"] == 22 - len(told) > 0
    assert len((cli.folder / "out.csv").read_text("utf-8").splitlines()) == len(told) + 1
    assert "the run reached its limit of 1.5 s (`--max-time`)" in ran.err
    assert f"the run had to stop after {len(told)} of 22 cases; these are kept; go on with `sageval eval --resume" in (
        ran.err
    )


def test_a_run_that_makes_no_headway_says_what_it_waits_for(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(SANDBOX)
    monkeypatch.setattr(watchdog, "FIRST_SILENCE", 0.1)
    write_suite(cli, ["hang"], "evaluateOptions: {timeoutMs: 700}")
    ran = cli.eval("-c", "run.yaml")
    assert "note: nothing has finished for 0 s; in flight: sagemaker:huggingface:e, test 0 (Row #1), for 0 s" in ran.err


def test_a_run_that_ran_out_of_time_is_gone_on_with(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve(SANDBOX)
    write_suite(cli, ["hang 1", "hang 2", "a", "b"])
    first = cli.eval("-c", "run.yaml", "--max-time", "1", "-j", "2", "--no-cache")
    serve()
    resumed = cli.eval("--resume", "latest", "-o", "resumed.json")
    repeated = cli.eval("--retry-errors", "latest", "-o", "repeated.json")
    assert (first.code, resumed.code, repeated.code) == (3, 3, 0)
    assert [outcome for _, outcome, _ in outcomes(cli, "resumed.json")] == ["errored", "errored", "passed", "passed"]
    assert [outcome for _, outcome, _ in outcomes(cli, "repeated.json")] == ["passed"] * 4


def test_an_answer_is_not_replaced_by_a_case_that_only_came_to_the_end_of_its_time(
    cli: Cli, serve: Callable[..., Sandbox]
) -> None:
    serve()
    write_suite(cli, ["a", "hang"], "defaultTest: {assert: [{type: equals, value: no}]}")
    cli.eval("-c", "run.yaml", "--no-cache")
    serve(SANDBOX)
    again = cli.eval("--rerun", "failed", "--max-time", "1", "-o", "out.json")
    assert (again.code, outcomes(cli)) == (3, [("a", "failed", None), ("hang", "failed", None)])
    assert cli.rows()[0]["response"]["output"] == "Said a"


def test_the_flag_wins_over_the_configuration_and_that_over_the_environment(
    cli: Cli, serve: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(SANDBOX)
    monkeypatch.setenv("PROMPTFOO_MAX_EVAL_TIME_MS", "300")
    monkeypatch.setenv("PROMPTFOO_EVAL_TIMEOUT_MS", "200")
    write_suite(cli, ["hang"], "evaluateOptions: {maxEvalTimeMs: 400, timeoutMs: 0}")
    by_flag = cli.eval("-c", "run.yaml", "--max-time", "0.5")
    by_key = cli.eval("-c", "run.yaml")
    write_suite(cli, ["hang"], "evaluateOptions: {timeoutMs: 0}")
    by_variable = cli.eval("-c", "run.yaml")
    write_suite(cli, ["hang"])
    case_by_variable = cli.eval("-c", "run.yaml")
    assert "0.5 s (`--max-time`)" in by_flag.err
    assert "0.4 s (`evaluateOptions.maxEvalTimeMs`)" in by_key.err
    assert "0.3 s (`PROMPTFOO_MAX_EVAL_TIME_MS`)" in by_variable.err
    assert "timed out after 0.2 s (`PROMPTFOO_EVAL_TIMEOUT_MS`)" in case_by_variable.out
    assert "no effect" not in by_flag.err


@pytest.mark.parametrize("text", ["soon", "", "0", "-5", "500ms", "5d", "1m2h"])
def test_what_is_no_time_is_refused(cli: Cli, text: str) -> None:
    ran = cli.eval("-r", "echo", "-p", "hi", "--max-time", text)
    assert ran.code == 2
    assert f"--max-time takes a time, not `{text}`" in ran.err


@pytest.mark.parametrize("text", ["90", "90s", "1.5m", "2h", "1h30m", "2H"])
def test_a_time_has_a_unit_or_is_in_seconds(cli: Cli, text: str) -> None:
    assert cli.eval("-r", "echo", "-p", "hi", "--max-time", text).code == 0


def test_a_time_in_the_environment_that_is_none_is_refused_before_the_run(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPTFOO_EVAL_TIMEOUT_MS", "soon")
    ran = cli.eval("-r", "echo", "-p", "hi")
    assert ran.code == 2
    assert "PROMPTFOO_EVAL_TIMEOUT_MS is `soon`" in ran.err


def test_blocking_code_of_the_user_cannot_hold_up_the_end_of_the_run(cli: Cli) -> None:
    cli.write("blocks.py", "import threading\ndef call_api(prompt):\n    threading.Event().wait()\n")
    arguments = ["-m", "sagemaker_eval", "eval", "-r", "file://blocks.py", "-p", "hi", "--max-time", "0.5"]
    with started([*arguments, "-o", "out.json"]) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert [row["errorCode"] for row in cli.rows()] == ["MaxTime"]
    assert "Traceback" not in err


def test_an_interrupted_run_is_gone_on_with_as_its_last_words_say(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    arrivals = Arrivals(5)
    sandbox = serve("endpoints: {'*': {latency: 100}}", on_request=arrivals)
    write_suite(cli, [str(number) for number in range(60)])
    with started(["-m", "sagemaker_eval", "eval", "-c", "run.yaml", "-o", "out.json", "--no-cache"]) as process:
        assert arrivals.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    finished = len(cli.rows())
    assert process.returncode == 130
    assert 5 <= finished == sandbox.count() < 60

    (command,) = [line.split("`")[1] for line in err.splitlines() if "interrupted after" in line]
    again = cli(*command.split()[1:], "--no-progress-bar")

    assert again.code == 0
    assert [row["testIdx"] for row in cli.rows()] == list(range(60))
    assert sandbox.count() == 60


def test_two_interruptions_lose_nothing_that_was_written(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    arrivals = Arrivals(4)
    sandbox = serve(SANDBOX, on_request=arrivals)
    write_suite(cli, ["a", "b", "hang 1", "hang 2", "c"])
    with started(["-m", "sagemaker_eval", "eval", "-c", "run.yaml", "-o", "out.json", "-j", "2"]) as process:
        assert arrivals.reached.wait(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert any("press Ctrl-C again" in line for line in process.stderr)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert outcomes(cli) == [("a", "passed", None), ("b", "passed", None)]
    assert sandbox.count() == 4


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such quotas")
def test_a_full_disk_is_told_and_what_was_written_can_be_gone_on_with(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    sandbox = serve("endpoints: {'*': {answers: [{answer: '" + "long words " * 90 + "'}]}}")
    write_suite(cli, [str(number) for number in range(40)])
    arguments = ["eval", "-c", "run.yaml", "-j", "2", "--no-cache", "--no-table", "-o", "out.json", "-o", "out.csv"]
    with started(["-c", UNDER_A_SMALL_QUOTA.format(size=30_000, arguments=arguments)]) as process:
        _, err = process.communicate(timeout=PATIENCE)

    (journal,) = (cli.folder.parent / "runs").glob("*/journal.jsonl")
    kept = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    assert process.returncode == 3
    assert 5 < len(kept) < 40
    assert "cannot write the run's journal" in err
    assert f"the run had to stop after {len(kept)} of 40 cases" in err
    assert "Traceback" not in err

    asked = sandbox.count()
    assert cli.eval("--resume", "latest").code == 0
    assert len(cli.rows()) == 40
    assert sandbox.count() - asked == 40 - len(kept)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such quotas")
def test_outputs_that_cannot_be_written_are_told_one_by_one(cli: Cli) -> None:
    cli.write("tests.csv", "x\n" + "long words\n" * 30)
    outputs = [part for ending in ("json", "yaml", "csv") for part in ("-o", f"out.{ending}")]
    arguments = ["eval", "-r", "echo", "-p", "{{x}}", "-t", "tests.csv", "--no-table", *outputs]
    with started(["-c", UNDER_A_SMALL_QUOTA.format(size=30_000, arguments=arguments)]) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3
    assert [f"cannot write `out.{ending}`: file too large" in err for ending in ("json", "yaml")] == [True, True]
    assert "results written to out.csv" in err
    assert not (cli.folder / "out.json").exists()
