"""Filters that the configuration adds: `nunjucksFilters` in JavaScript, `filters` in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Undefined

from sagemaker_eval.errors import ConfigError, Problem, RenderError
from sagemaker_eval.model import Json, UserCode
from sagemaker_eval.text.code import Code, Role, compile_code, is_python
from sagemaker_eval.text.javascript.script import UNDEFINED
from sagemaker_eval.text.python_values import NotJson, to_json_value
from sagemaker_eval.text.templating.environment import Notices, NunjucksEnvironment

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def add_filters(environment: NunjucksEnvironment, filters: Mapping[str, UserCode]) -> None:
    """Give an environment the user's filters, which take the place of built-in ones of the same name, with a notice.

    A filter is called with its value and its arguments, as JSON, with null for undefined. Raises `ConfigError` with
    every filter that cannot be loaded.
    """
    problems: list[Problem] = []
    for name, code in filters.items():
        try:
            compiled = _compiled(name, code)
        except ConfigError as error:
            problems += error.problems
            continue
        if name in environment.filters:
            environment.notices.once(
                ("filter", name), f"the filter `{name}` of the configuration takes the place of the built-in one"
            )
        environment.filters[name] = _filter(name, compiled, is_python(code.source), environment.notices)
    if problems:
        raise ConfigError(problems)


def _compiled(name: str, code: UserCode) -> Code:
    if not _NAME.fullmatch(name):
        raise ConfigError.of(
            f"`{name}` is not a name that a template can call a filter by",
            code.where,
            hint="use letters, digits and underscores",
        )
    role = Role(f"filter `{name}`", ("value", "...args"), python_function=name, javascript_function=name, least=1)
    return compile_code(code, role)


def _filter(name: str, code: Code, in_python: bool, notices: Notices) -> Callable[..., Json]:
    def user_filter(value: Any, *arguments: Any, **named: Any) -> Json:
        if named and in_python:
            raise RenderError(f"the filter `{name}` is written in Python, and takes its arguments by position")
        passed = [_json(name, argument) for argument in (value, *arguments)]
        if named:
            # nunjucks gives a JavaScript filter its keyword arguments as one last object, marked like this
            passed.append({**{key: _json(name, item) for key, item in named.items()}, "__keywords": True})
        made = code.call(*passed)
        if made is UNDEFINED:
            notices.once(("nothing", name), f"the filter `{name}` returned nothing; it renders as empty")
            return None
        return made

    return user_filter


def _json(name: str, value: object) -> Json:
    if isinstance(value, Undefined):
        return None
    try:
        return to_json_value(value)
    except NotJson as error:
        raise RenderError(f"the filter `{name}` cannot be given {error}") from None
