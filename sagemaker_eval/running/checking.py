"""Everything about a plan that can be wrong before the first call: templates, code, references, assertions, providers.

All problems are told at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sagemaker_eval.assertions.judging import Judge, comparing
from sagemaker_eval.config.explaining import listed, shortened
from sagemaker_eval.config.places import within
from sagemaker_eval.config.prompts import prompt_matches
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Place, Suite, TestCase
from sagemaker_eval.registry import nearest_name
from sagemaker_eval.running.answering import Answering
from sagemaker_eval.running.derived_metrics import DerivedMetrics
from sagemaker_eval.running.plan import Plan, columns_of, provider_matches, suits
from sagemaker_eval.running.rendering import Renderer

MOST_CASES = 10_000_000
"""The journal's index takes 9 bytes for each planned case."""

_MOST_PROBLEMS = 50


@dataclass(frozen=True, slots=True)
class Checker:
    """Checks a suite with what will carry it out, so that whatever is compiled on the way stays compiled."""

    suite: Suite
    whole: Suite
    """The suite before filters: what tests may name, even where it is not run this time."""
    renderer: Renderer
    answering: Answering
    judge: Judge
    partial: bool = False
    """Whether parts of the suite are missing because they are wrong: how much is left then means nothing."""

    def plan(self) -> Plan:
        """The plan of a suite in which nothing is wrong, in one pass over its tests.

        Raises one `ConfigError` with everything that is wrong, `SetupError` where a provider cannot be set up.
        """
        problems = [problem for check in self._of_suite() for problem in _raised(check)]

        def inspect(test: TestCase) -> None:
            if len(problems) < _MOST_PROBLEMS:
                problems.extend(problem for check in self._of_test(test) for problem in _raised(check))
                problems.extend(self._references(test))
                problems.extend(self._comparisons(test))
                problems.extend(self.judge.prepare(test.assertions))

        try:
            plan = Plan.of(self.suite, inspect)
        except ConfigError as error:
            raise ConfigError(dict.fromkeys([*problems, *error.problems])) from None
        problems += () if self.partial else _of_size(plan)
        if problems:
            raise ConfigError(dict.fromkeys(problems))
        return plan

    def _of_suite(self) -> Iterator[Callable[[], object]]:
        for prompt in self.suite.prompts:
            yield lambda prompt=prompt: self.renderer.check_prompt(prompt)  # type: ignore[misc]
        yield lambda: DerivedMetrics(self.suite.derived_metrics)
        for spec in self.suite.providers:
            yield lambda spec=spec: self.answering.check_provider(spec)  # type: ignore[misc]

    def _of_test(self, test: TestCase) -> Iterator[Callable[[], object]]:
        yield lambda: self.renderer.check_test(test, self.suite.prompts)
        yield lambda: self.answering.check_test(test)
        yield lambda: self.judge.check_test(test)

    def _references(self, test: TestCase) -> Iterator[Problem]:
        """What is wrong with the providers and prompts that a test names."""
        for index, name in enumerate(test.providers or ()):
            if not any(provider_matches(name, spec) for spec in self.whole.providers):
                names = tuple(spec.name for spec in self.whole.providers)
                yield _unknown("provider", name, names, _inside(test, "providers", index))
        for index, name in enumerate(test.prompts or ()):
            if not any(prompt_matches(name, prompt) for prompt in self.whole.prompts):
                labels = tuple(prompt.name or prompt.label for prompt in self.whole.prompts)
                yield _unknown("prompt", name, labels, _inside(test, "prompts", index))

    def _comparisons(self, test: TestCase) -> Iterator[Problem]:
        """Assertions that compare answers where there is only one to each test."""
        specs = comparing(test.assertions)
        if specs and sum(suits(test, column) for column in columns_of(self.suite)) < 2:
            for spec in specs:
                hint = "give the test a second provider or prompt, or take the assertion out"
                yield Problem(f"`{spec.type}` compares answers, and this test gets only one", spec.where, hint)


def _inside(test: TestCase, key: str, index: int) -> Place | None:
    return within(test.where, key, index) if test.where else None


def _unknown(what: str, name: str, known: tuple[str, ...], where: Place | None) -> Problem:
    nearest = nearest_name(name, known)
    suggestion = f"did you mean `{shortened(nearest)}`? " if nearest else ""
    shown = listed(tuple(shortened(one) for one in known))
    return Problem(f"unknown {what} `{name}`", where, f"{suggestion}the {what}s are {shown}")


def _raised(check: Callable[[], object]) -> tuple[Problem, ...]:
    try:
        check()
    except ConfigError as error:
        return error.problems
    return ()


def _of_size(plan: Plan) -> Iterator[Problem]:
    if not plan.columns:
        yield Problem("no provider is allowed any of the prompts", hint="see the `prompts` of the providers")
    elif plan.row_count and not plan.total:
        hint = "see `providers` and `prompts` of the tests, and the filters of the command line"
        yield Problem("no test is left any column of the table", hint=hint)
    if plan.slots > MOST_CASES:
        yield Problem(
            f"the plan has {plan.slots:,} cases, and a run takes at most {MOST_CASES:,}",
            hint="lower `repeat`, shorten the lists among the variables, or split the tests over several runs",
        )
