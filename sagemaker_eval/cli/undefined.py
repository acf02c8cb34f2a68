"""`--strict` before the first call: prompts that would print a variable which their test does not define."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sagemaker_eval.errors import ConfigError, Problem, RenderError
from sagemaker_eval.model import Json, Prompt, Row, UserCode
from sagemaker_eval.running.plan import Plan
from sagemaker_eval.running.rendering import CONVERSATION
from sagemaker_eval.text.templating.templates import Templates

_MOST_PROBLEMS = 50


def refuse_undefined(plan: Plan, templates: Templates) -> None:
    """Render every prompt that depends on nothing but its row; `templates` are strict. Raises `ConfigError`.

    What only the run makes (code among the variables, prompt functions, stored outputs, the conversation) is left to
    it: there, an undefined variable is an error of the case.
    """
    problems: dict[Problem, None] = {}
    if plan.stores:
        return
    for row in plan.rows():
        for problem in _problems(row, plan, templates):
            problems[problem] = None
        if len(problems) >= _MOST_PROBLEMS:
            break
    if problems:
        raise ConfigError(problems)


def _problems(row: Row, plan: Plan, templates: Templates) -> Iterator[Problem]:
    if any(isinstance(item, UserCode) for value in row.vars.values() for item in _items(value)):
        return
    try:
        variables = templates.expand(row.vars)
    except RenderError as error:
        yield Problem(error.message, row.test.where, error.hint)
        return
    for prompt in {column.prompt.id: column.prompt for column in plan.columns_for(row.test)}.values():
        if fault := _fault(prompt, variables, templates):
            yield Problem(f"prompt `{_named(prompt)}`: {fault.message}", row.test.where or prompt.where, fault.hint)


def _fault(prompt: Prompt, variables: Mapping[str, Json], templates: Templates) -> RenderError | None:
    if prompt.function is not None:
        return None
    template = templates.prompt(prompt.raw, prompt.where)
    if CONVERSATION in template.variables:
        return None
    try:
        template.render(variables)
    except RenderError as error:
        return error
    return None


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _named(prompt: Prompt) -> str:
    line = " ".join(prompt.label.split())
    return line if len(line) <= 40 else f"{line[:39]}…"
