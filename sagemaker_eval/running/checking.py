"""Everything about a plan that can be wrong before the first call: templates, assertions. All problems at once."""

from __future__ import annotations

from sagemaker_eval.assertions.judging import Judge
from sagemaker_eval.errors import ConfigError, Problem
from sagemaker_eval.model import Place, TestCase
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.text.templating import Templates

_MOST_PROBLEMS = 50


def check(plan: Plan, templates: Templates, judge: Judge) -> None:
    """Raises one `ConfigError` with every template that does not parse and every assertion that cannot be judged."""
    problems: list[Problem] = []
    if not plan.columns:
        problems.append(Problem("no provider is allowed any of the prompts", hint="see the `prompts` of the providers"))
    for prompt in plan.suite.prompts:
        problems += _template_problems(prompt.raw, prompt.where, templates)
    for test in plan.suite.tests:
        problems += judge.prepare(test.assertions)
        problems += _variable_problems(test, templates)
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise ConfigError(dict.fromkeys(problems))


def _variable_problems(test: TestCase, templates: Templates) -> list[Problem]:
    """Problems of the templates that stand in variables."""
    return [
        problem
        for value in test.vars.values()
        if isinstance(value, str) and ("{{" in value or "{%" in value)
        for problem in _template_problems(value, test.where, templates)
    ]


def _template_problems(source: str, where: Place | None, templates: Templates) -> tuple[Problem, ...]:
    try:
        templates.check(source, where)
    except ConfigError as error:
        return error.problems
    return ()
