"""What `sageval regrade` does: a run whose answers are there already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path

from sagemaker_eval.cli.evaluation import carry_out
from sagemaker_eval.cli.guests import Guests
from sagemaker_eval.cli.preparing import Prepared, Work, prepared
from sagemaker_eval.cli.requests import EvalRequest
from sagemaker_eval.cli.resumption import resumed
from sagemaker_eval.config.csv_tests import csv_delimiter
from sagemaker_eval.errors import ConfigError
from sagemaker_eval.model import Place, Suite
from sagemaker_eval.providers.pool import ProviderPool
from sagemaker_eval.providers.services import Services
from sagemaker_eval.reporting.figures import counted
from sagemaker_eval.running.answer_matching import AnsweredPlan, Matched, match
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.earlier_answers import Answers, narrowed
from sagemaker_eval.running.given_answers import read_given_answers
from sagemaker_eval.running.reading import find_run_or_folder
from sagemaker_eval.running.recorded_answers import answers_of_file, answers_of_run
from sagemaker_eval.running.regrading import AnswersByCase, EarlierAnswering, EarlierRenderer, ungraded
from sagemaker_eval.running.rendering import Renderer

_DELIMITER = "PROMPTFOO_CSV_DELIMITER"


@dataclass(frozen=True, slots=True)
class RegradeRequest:
    """The options of one `sageval regrade`: whose answers, and what they have in common with those of `sageval eval`.

    Either `run` (an id, `latest`, a run's folder or a result file) or `given` (a file of answers) is there.
    """

    options: EvalRequest
    run: str | None = None
    given: str | None = None
    graders: bool = True


def regrade(request: RegradeRequest) -> int:
    """Carry out one `sageval regrade` and return its exit code. Raises `ConfigError` and `SetupError` before it."""
    options, judging = _asked(request)
    guests = Guests(quiet=options.as_json)
    with ExitStack() as stack:
        with guests.at_work():
            run = stack.enter_context(prepared(options, work=judging))
        return carry_out(judging.settled(run), guests)


def _asked(request: RegradeRequest) -> tuple[EvalRequest, Judging]:
    """The options of the new run, and where its answers are."""
    options = request.options
    if bool(request.run) == bool(request.given):
        raise ConfigError.of(
            "sageval regrade takes a run or a file of answers",
            hint="`sageval regrade latest`, or `sageval regrade --outputs answers.jsonl -c sageval.yaml`",
        )
    if request.given:
        path = Path(request.given)
        return replace(options, regraded=f"`{path}`"), Judging(None, path, request.graders)
    assert request.run
    path = Path(request.run)
    answers: Answers
    if path.is_file():
        answers = answers_of_file(path)
    else:
        folder = find_run_or_folder(request.run, options.process).resolve()
        answers = answers_of_run(folder)
        options = _over(_from_here(options), folder)
    return replace(options, regraded=answers.name), Judging(answers, None, request.graders)


def _from_here(options: EvalRequest) -> EvalRequest:
    """The options with paths that stay right where the folder of the run is gone to."""
    return replace(
        options,
        config=tuple(map(os.path.abspath, options.config)),
        outputs=tuple(map(os.path.abspath, options.outputs)),
        env_files=tuple(map(_absolute, options.env_files)),
    )


def _absolute(entry: str) -> str:
    """The files of one --env-file, which may be several between commas."""
    paths = [entry] if os.path.exists(entry) else entry.split(",")
    return ",".join(os.path.abspath(os.path.expanduser(path.strip())) for path in paths)


def _over(options: EvalRequest, folder: Path) -> EvalRequest:
    """The options of the run in `folder`, in its working folder, with `options` over them.

    What the run wrote is not written again, and its answers are not recorded again.
    """
    plain = EvalRequest()
    whole = EvalRequest(resume=str(folder), allow_changes=True, process=options.process)
    then, _ = resumed(whole)
    given = {each.name: getattr(options, each.name) for each in fields(EvalRequest)}
    given = {name: value for name, value in given.items() if value != getattr(plain, name) and name != "filters"}
    own = {name: value for name in ("providers", "prompts") if (value := getattr(options.filters, name)) is not None}
    kept = {
        name: getattr(options, name) for name in ("outputs", "cache", "resume", "allow_changes", "record", "replay")
    }
    return replace(then, **{**given, **kept, "filters": replace(then.filters, **own)})


class Judging(Work):
    """How the cases come by answers that are there: those of a run, or those in the file `given`."""

    def __init__(self, answers: Answers | None, given: Path | None, graders: bool) -> None:
        self._answers = answers
        self._given = given
        self._graders = graders
        self._by_case = AnswersByCase()
        self._left_out: tuple[str, ...] = ()
        self._ungraded = 0

    def suite(self, suite: Suite) -> Suite:
        """The suite without columns that have no answers, and without graded assertions where they are not wanted."""
        if self._given is not None:
            names = {name for test in suite.tests for name in test.vars}
            delimiter = csv_delimiter(suite.env.get(_DELIMITER, ","), Place(_DELIMITER))
            self._answers = read_given_answers(self._given, names, delimiter)
        assert self._answers is not None
        suite, self._left_out = narrowed(suite, self._answers)
        if not self._graders:
            suite, self._ungraded = ungraded(suite)
        return suite

    def carriers(self, pool: ProviderPool, services: Services) -> tuple[Renderer, Answering]:
        templates = services.templates
        assert templates is not None
        return EarlierRenderer(templates, self._by_case), EarlierAnswering(pool, services, self._by_case)

    def settled(self, run: Prepared) -> Prepared:
        """The run over the cases that have an answer. Raises `ConfigError` where none has."""
        answers = self._answers
        assert answers is not None
        matched = match(run.plan, answers)
        if matched.unanswered == run.plan.total:
            raise ConfigError.of(
                f"{answers.name} has no answer to any of the {counted(run.plan.total, 'case')} of the configuration",
                hint=_example(matched),
            )
        self._by_case.settle(answers, matched.numbers)
        for note in (*self._notes(run), *_notes_of(matched, answers.name, self._given is None)):
            run.notices(note)
        plan = AnsweredPlan.over(run.plan, matched.numbers)
        return replace(run, plan=plan, suite=replace(run.suite, output_paths=run.request.outputs))

    def _notes(self, run: Prepared) -> Iterator[str]:
        assert self._answers is not None
        yield f"judging the answers of {self._answers.name}: no endpoint is asked for an answer"
        if self._left_out:
            names = ", ".join(f"`{name}`" for name in self._left_out)
            yield f"{names}: there are no answers, left out of the table"
        if self._ungraded:
            yield f"{counted(self._ungraded, 'assertion')} that a model judges left out: scores are without them"
        elif isinstance(run.bench.answering, EarlierAnswering) and (asking := run.bench.answering.graded):
            yield f"{counted(asking, 'assertion')} of the tests ask a model, or the cache; --no-graders leaves them out"


def _notes_of(matched: Matched, name: str, recorded: bool) -> Iterator[str]:
    if matched.changed and recorded:
        yield (
            f"{counted(matched.changed, 'case')} changed since (prompt, variables or names), judged by the answers "
            "given then"
        )
    if matched.by_order:
        yield f"{counted(matched.by_order, 'answer')} without variables: taken in their order"
    if matched.unanswered:
        shown = _such_as(matched.unanswered_shown)
        yield f"{counted(matched.unanswered, 'case')} without an answer in {name}, skipped{shown}"
    if matched.incomparable:
        yield (
            f"{counted(matched.incomparable, 'answer')} left out: another answer that theirs is to be compared with "
            "is missing"
        )
    if matched.unused:
        yield f"{counted(matched.unused, 'answer')} of {name} fit no case{_such_as(matched.unused_shown)}"


def _such_as(examples: tuple[str, ...]) -> str:
    return f", such as {', '.join(examples)}" if examples else ""


def _example(matched: Matched) -> str:
    asked, has = (", ".join(shown) for shown in (matched.unanswered_shown, matched.unused_shown))
    return f"asked for: {asked or 'nothing'}; there is: {has or 'nothing'}"
