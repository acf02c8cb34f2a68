from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sagemaker_eval.errors import SetupError
from sagemaker_eval.events import CaseFinished, Notice, RunFinished, RunStarted
from sagemaker_eval.model import AssertionSpec, Case, CaseResult, Outcome, Row, RunSummary, TestCase
from sagemaker_eval.reporting.progress import Progress

New = Callable[..., Any]
Golden = Callable[[str, str], bool]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def finished(run: Any, outcome: Outcome = Outcome.PASSED, asserted: bool = True) -> CaseFinished:
    test = TestCase(assertions=(AssertionSpec("contains", "x"),) if asserted else ())
    return CaseFinished(CaseResult(Case(0, Row(0, test, 0, {}), run.columns[0]), outcome, "prompt"))


def ended(run: Any, **how: Any) -> RunFinished:
    return RunFinished(run.summary, **how)


def test_lines_off_a_terminal(new_run: New, new_paper: New, matches_golden: Golden) -> None:
    run, paper, clock = new_run(), new_paper(), Clock()
    outcomes = [Outcome.PASSED] * 940 + [Outcome.FAILED] * 40 + [Outcome.ERRORED] * 20
    with Progress(paper.console, clock=clock) as progress:
        progress.on_event(RunStarted(run.record.run_id, run.columns, 1000))
        for outcome in outcomes:
            clock.now += 0.02
            progress.on_event(finished(run, outcome))
        progress.on_event(ended(run))
    assert matches_golden("progress_lines", paper.text)


def test_half_a_minute_of_silence_is_broken(new_run: New, new_paper: New) -> None:
    run, paper, clock = new_run(), new_paper(), Clock()
    with Progress(paper.console, clock=clock) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 1000))
        progress.on_event(finished(run))
        clock.now += 29
        progress.tick()
        assert len(paper.text.splitlines()) == 1
        clock.now += 1
        progress.tick()
        progress.tick()
        assert paper.text.splitlines()[1:] == ["1/1,000 (0%): 1 passed, 0 failed, 0 errors, 0.0/s, 8 h 20 min left"]


def test_answers_without_assertions_are_not_called_passed(new_run: New, new_paper: New) -> None:
    run, paper = new_run(), new_paper()
    with Progress(paper.console, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 1))
        progress.on_event(finished(run, asserted=False))
        progress.on_event(ended(run))
    assert paper.text.splitlines()[-1] == "Finished 1 case in 0.0 ms: 1 answered, 0 failed, 0 errors"


@pytest.mark.parametrize(
    ("how", "word"), [({"interrupted": True}, "Interrupted"), ({"stopped_by": SetupError("no credentials")}, "Stopped")]
)
def test_a_run_that_ended_early_says_so(how: dict[str, Any], word: str, new_run: New, new_paper: New) -> None:
    run, paper = new_run(), new_paper()
    with Progress(paper.console, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 9))
        progress.on_event(ended(run, **how))
    assert paper.text.splitlines()[-1].startswith(f"{word} after 0 of 9 cases in ")


def test_disabled_shows_notices_alone(new_run: New, new_paper: New) -> None:
    run, paper = new_run(), new_paper()
    with Progress(paper.console, enabled=False, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 1))
        progress.on_event(Notice("the `delay` of [bold]llama[/bold] has no effect"))
        progress.on_event(finished(run))
        progress.on_event(ended(run))
    assert paper.text == "note: the `delay` of [bold]llama[/bold] has no effect\n"


def test_a_terminal_gets_a_bar_that_goes_away(new_run: New, new_paper: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    run, paper = new_run(), new_paper(width=80, terminal=True, environ={"NO_COLOR": "1"})
    with Progress(paper.console, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 2000))
        assert "0/2,000" in paper.text
        progress.on_event(finished(run, Outcome.FAILED))
        progress.on_event(Notice("look"))
        assert "note: look" in paper.text
        progress.on_event(ended(run))
    assert "1/2,000" in paper.text
    assert "1 failed" in paper.text
    assert paper.text.endswith("\x1b[2K")


def test_a_dumb_terminal_gets_lines(new_run: New, new_paper: New, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    run, paper = new_run(), new_paper(terminal=True)
    with Progress(paper.console, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 1))
    assert paper.text == "Running 1 case: 2 providers, 1 prompt (run eval-abc)\n"


def test_leaving_early_stops_the_lines(new_run: New, new_paper: New) -> None:
    run, paper, clock = new_run(), new_paper(), Clock()
    with Progress(paper.console, clock=clock) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 10))
    clock.now += 60
    progress.tick()
    progress.on_event(finished(run))
    assert len(paper.text.splitlines()) == 1


def test_nothing_to_run_is_no_trouble(new_run: New, new_paper: New) -> None:
    run, paper = new_run(), new_paper()
    with Progress(paper.console, clock=Clock()) as progress:
        progress.on_event(RunStarted("eval-abc", run.columns, 0))
        progress.on_event(RunFinished(RunSummary(run.summary.total)))
    assert "Finished 0 cases" in paper.text
