from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sagemaker_eval import __version__
from sagemaker_eval.cli.exit_codes import BROKEN, FINE, exit_code
from sagemaker_eval.events import RunFinished
from sagemaker_eval.model import Call, ColumnSummary, Response, RunSummary
from sagemaker_eval.providers.base import PROVIDERS, Local
from sagemaker_eval.sandbox.server import Sandbox

if TYPE_CHECKING:
    from tests.cli.conftest import Cli

TWO_OF_FOUR = """\
prompts: ['{{x}}']
providers: [echo]
tests:
  - vars: {x: ['yes', 'no', yes please, no way]}
    assert: [{type: contains, value: 'yes'}]
"""


@pytest.fixture
def half_passes(cli: Cli) -> Cli:
    """A run in which half of the cases pass."""
    cli.write("run.yaml", TWO_OF_FOUR)
    return cli


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 1),
        (("--fail-under", "50"), 0),
        (("--fail-under", "50.1"), 1),
        (("--fail-under", "0"), 0),
        (("--failed-exit-code", "42"), 42),
        (("--failed-exit-code", "0"), 0),
        (("--failed-exit-code", "42", "--fail-under", "50"), 0),
        (("--filter-first-n", "1", "--var", "x=yes"), 0),
        (("--fail-under", "101"), 2),
        (("--failed-exit-code", "256"), 2),
        (("--filter-pattern", "nothing is called that"), 2),
        (("--dry-run",), 0),
    ],
)
def test_the_pass_rate_decides(half_passes: Cli, options: tuple[str, ...], code: int) -> None:
    assert half_passes.eval("-c", "run.yaml", *options).code == code


def test_the_variables_of_promptfoo_stand_in_for_the_flags(half_passes: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMPTFOO_FAILED_TEST_EXIT_CODE", "17")
    assert half_passes.eval("-c", "run.yaml").code == 17
    assert half_passes.eval("-c", "run.yaml", "--failed-exit-code", "18").code == 18
    monkeypatch.setenv("PROMPTFOO_PASS_RATE_THRESHOLD", "50")
    assert half_passes.eval("-c", "run.yaml").code == 0
    assert half_passes.eval("-c", "run.yaml", "--fail-under", "60").code == 17


@pytest.mark.parametrize("name", ["PROMPTFOO_FAILED_TEST_EXIT_CODE", "PROMPTFOO_PASS_RATE_THRESHOLD"])
def test_a_variable_that_is_no_number_is_refused(half_passes: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "most")
    ran = half_passes.eval("-c", "run.yaml")
    assert ran.code == 2
    assert f"the environment variable {name} is `most`" in ran.err


def test_answers_without_assertions_fail_nobody(cli: Cli) -> None:
    cli.write("run.yaml", "prompts: [Hi]\nproviders: [echo]")
    assert cli.eval("-c", "run.yaml").code == 0


def test_too_many_errors_win_over_a_low_pass_rate(cli: Cli, serve: Callable[..., Sandbox]) -> None:
    serve("endpoints: {'*': {answers: [{pattern: bad, body: {detail: 1}}]}}")
    cli.write(
        "run.yaml",
        "prompts: ['{{x}}']\n"
        "providers: [sagemaker:huggingface:e]\n"
        "defaultTest: {assert: [{type: equals, value: impossible}]}\n"
        "tests: [{vars: {x: [good, bad]}}]",
    )
    assert cli.eval("-c", "run.yaml", "--failed-exit-code", "9").code == 3


class Broken(Local):
    """A provider with a bug in it."""

    async def answer(self, call: Call) -> Response:
        if call.prompt == "two":
            raise RuntimeError("a wheel came off")
        return Response(output=call.prompt, attempts=0)


@pytest.fixture
def broken_echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """`echo` as it would be with a bug."""
    monkeypatch.setitem(PROVIDERS._entries, "echo", lambda spec, services: Broken())


@pytest.mark.usefixtures("broken_echo")
def test_a_bug_ends_with_the_path_of_the_log_that_tells(
    cli: Cli, tmp_path: Path, matches_golden: Callable[[str, str], None]
) -> None:
    cli.write("run.yaml", "prompts: ['{{x}}']\nproviders: [echo]\ntests: [{vars: {x: [one, two, three]}}]")
    ran = cli.eval("-c", "run.yaml", "-j", "1", "-o", "out.json")
    assert ran.code == 4
    matches_golden("exit_codes/bug.txt", ran.err.replace(str(tmp_path), "TMP").replace(__version__, "VERSION"))
    assert [row["vars"]["x"] for row in cli.rows()] == ["one"]
    (log,) = tmp_path.glob("runs/*/log.txt")
    assert str(log) in ran.err
    assert "RuntimeError: a wheel came off" in log.read_text("utf-8")


@pytest.mark.usefixtures("broken_echo")
def test_the_log_of_a_bug_outlives_a_run_without_a_record(cli: Cli) -> None:
    ran = cli.eval("-p", "two", "-r", "echo", "--no-write")
    assert ran.code == 4
    log = Path(ran.err.partition("the details are in ")[2].partition(";")[0])
    assert "RuntimeError: a wheel came off" in log.read_text("utf-8")
    log.unlink()


@pytest.mark.parametrize(("skipped", "code"), [(0, FINE), (1, BROKEN)])
def test_a_run_that_lost_cases_is_never_fine(skipped: int, code: int) -> None:
    finished = RunFinished(RunSummary(ColumnSummary(passed=3, skipped=skipped)))
    assert exit_code(finished, fail_under=100, max_error_rate=0, failed_exit_code=1) == code
