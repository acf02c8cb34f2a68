"""Code of the user, in whichever language it is written, as one kind of function."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, UserCode
from sagemaker_eval.text.javascript.script import Script, Style, compile_javascript, load_javascript
from sagemaker_eval.text.scripts import call, load_function, positional_arguments

PYTHON_MARK = "python:"
"""Begins inline code that is Python; any other inline code is JavaScript."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a piece of code is for.

    `name` is the configuration's word for it, which begins messages (`transform`). Inline code sees what it is called
    with under the names of `parameters`. `python_function` and `javascript_function` are what a file's function is
    called where the reference names none; JavaScript's default export counts first.
    """

    name: str
    parameters: tuple[str, ...]
    python_function: str = "get_transform"
    javascript_function: str | None = None
    style: Style = Style.ANY


class Code(Protocol):
    """Compiled code. Both ways of calling raise `ScriptError`; JavaScript that returns nothing yields `UNDEFINED`."""

    def call(self, *arguments: Json) -> Json:
        """What it returns, waited for. Not for code that has to be awaited while an event loop runs."""
        ...

    async def acall(self, *arguments: Json) -> Json:
        """What it returns, while the event loop goes on."""
        ...


def compile_code(code: UserCode, role: Role) -> Code:
    """The code, loaded and compiled once. Raises `ConfigError` placed at `code.where`."""
    try:
        return _compiled(code, role)
    except ConfigError as error:
        raise ConfigError(replace(problem, where=problem.where or code.where) for problem in error.problems) from None


def is_python(source: str) -> bool:
    """Whether code is Python: inline after `python:`, or a `.py` file."""
    if source.startswith("file://"):
        return source.endswith(".py") or ".py:" in source
    return source.startswith(PYTHON_MARK)


def _compiled(code: UserCode, role: Role) -> Code:
    if not code.source.startswith("file://"):
        return JavaScriptCode(compile_javascript(code.source, role.parameters, code.where, role.style), role.name)
    if is_python(code.source):
        return PythonCode(load_function(code.source, code.base_path, role.python_function), role)
    return JavaScriptCode(load_javascript(code.source, code.base_path, role.javascript_function), role.name)


@dataclass(frozen=True, slots=True)
class JavaScriptCode:
    """A script, its errors beginning with the word that the configuration has for it."""

    script: Script
    name: str

    def call(self, *arguments: Json) -> Json:
        try:
            return self.script.call(*arguments)
        except ScriptError as error:
            raise ScriptError(f"{self.name}: {error.message}", error.hint) from error

    async def acall(self, *arguments: Json) -> Json:
        try:
            return await self.script.acall(*arguments)
        except ScriptError as error:
            raise ScriptError(f"{self.name}: {error.message}", error.hint) from error


class PythonCode:
    """A Python function, called with as many of its arguments as it takes."""

    def __init__(self, function: Callable[..., Any], role: Role) -> None:
        self._function = function
        self._name = role.name
        self._count = max(positional_arguments(function), default=len(role.parameters))

    def call(self, *arguments: Json) -> Json:
        made = call(self._function, *arguments[: self._count], what=self._name)
        return asyncio.run(made) if inspect.iscoroutine(made) else made

    async def acall(self, *arguments: Json) -> Json:
        made = call(self._function, *arguments[: self._count], what=self._name)
        return await made if inspect.isawaitable(made) else made
