"""Everything about a plan that can be wrong before the first call: templates, assertions. All problems at once."""

from __future__ import annotations

from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Prompt, Suite, TestCase
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.text.templating.templates import Templates

MOST_CASES = 10_000_000
"""The journal's index takes 9 bytes for each planned case."""

_MOST_PROBLEMS = 50


def checked_plan(suite: Suite, templates: Templates, judge: Judge) -> Plan:
    """The plan of a suite whose templates parse and whose assertions can be judged, in one pass over its tests.

    Raises one `ConfigError` with everything that is wrong.
    """
    problems = [problem for prompt in suite.prompts for problem in _prompt_problems(prompt, templates)]

    def inspect(test: TestCase) -> None:
        if len(problems) < _MOST_PROBLEMS:
            problems.extend(judge.prepare(test.assertions))

    plan = Plan.of(suite, inspect)
    if not plan.columns:
        problems.append(Problem("no provider is allowed any of the prompts", hint="see the `prompts` of the providers"))
    if plan.total > MOST_CASES:
        problems.append(
            Problem(
                f"the plan has {plan.total:,} cases, and a run takes at most {MOST_CASES:,}",
                hint="lower `repeat`, shorten the lists among the variables, or split the tests over several runs",
            )
        )
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return plan


def _prompt_problems(prompt: Prompt, templates: Templates) -> tuple[Problem, ...]:
    try:
        templates.prompt(prompt.raw, prompt.where)
    except ConfigError as error:
        return error.problems
    return ()
