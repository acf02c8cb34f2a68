"""Code of the user, in whichever language it is written, as one kind of function.

JavaScript runs in its own engine, every call from nothing. Python runs in this process: a file is imported once, and
an ordinary function holds up everything else while it runs (an `async def` lets other cases go on).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from sagemaker_eval.errors import ConfigError, ScriptError
from sagemaker_eval.model import Json, UserCode
from sagemaker_eval.text.inline_python import compile_python
from sagemaker_eval.text.javascript.script import Script, Style, compile_javascript, load_javascript
from sagemaker_eval.text.python_code import PythonCode
from sagemaker_eval.text.scripts import PREFIX, load_function

PYTHON_MARK = "python:"
"""Begins inline code that is Python; any other inline code is JavaScript."""

_PYTHON_FILE = re.compile(r"file://.+\.py(:[^:/\\]*)?", re.IGNORECASE | re.DOTALL)
_JAVASCRIPT_FILE = re.compile(r"file://.+\.[cm]?[jt]s(:[^:/\\]*)?", re.IGNORECASE | re.DOTALL)
_KEPT = 512


@dataclass(frozen=True, slots=True)
class Role:
    """What a piece of code is for.

    `name` is the configuration's word for it, which begins messages (`transform`). Inline code sees what it is called
    with under the names of `parameters`; a last one `...args` takes all that follow. `python_function` and
    `javascript_function` are what a file's function is called where the reference names none; JavaScript's default
    export counts first.
    """

    name: str
    parameters: tuple[str, ...]
    python_function: str = "get_transform"
    javascript_function: str | None = None
    style: Style = Style.ANY
    least: int = 0
    """How many of the arguments a Python function has to take at least."""


class Code(Protocol):
    """Compiled code. Its arguments are copies, and what it returns is JSON; both ways of calling raise `ScriptError`.

    JavaScript that returns nothing yields `UNDEFINED`, Python None.
    """

    def call(self, *arguments: Json) -> Json:
        """What it returns, waited for. Not for an async Python function while an event loop runs."""
        ...

    async def acall(self, *arguments: Json) -> Json:
        """What it returns, while the event loop goes on (an ordinary Python function holds it up)."""
        ...


def compile_code(code: UserCode, role: Role) -> Code:
    """The code, loaded and compiled; equal inline code is compiled once, and an unchanged file is loaded once.

    Raises `ConfigError` placed at `code.where`: code that is not valid, a file that is missing, broken or of another
    language, a function that is not there or cannot be called with the arguments of its role.
    """
    source = code.source.strip()
    try:
        if source.startswith(PREFIX):
            return _loaded(source, code.base_path, role)
        return _inline(code.source, role)
    except ConfigError as error:
        raise ConfigError(replace(problem, where=problem.where or code.where) for problem in error.problems) from None


def is_python(source: str) -> bool:
    """Whether code is Python: inline after `python:`, or a `.py` file."""
    source = source.strip()
    return source.startswith(PYTHON_MARK) or _PYTHON_FILE.fullmatch(source) is not None


@lru_cache(_KEPT)
def _inline(source: str, role: Role) -> Code:
    """Inline code; without its place, so that the same words in many places are compiled once."""
    code = source.lstrip()
    if code.startswith(PYTHON_MARK):
        function = compile_python(code.removeprefix(PYTHON_MARK), role.parameters)
        return NamedCode(PythonCode(function, role.name, role.parameters, role.least), role.name)
    return NamedCode(compile_javascript(source, role.parameters, None, role.style), role.name)


def _loaded(reference: str, base_path: str, role: Role) -> Code:
    if is_python(reference):
        function = load_function(reference, base_path, role.python_function)
        return NamedCode(PythonCode(function, role.name, role.parameters, role.least), role.name)
    if not _JAVASCRIPT_FILE.fullmatch(reference):
        raise ConfigError.of(
            f"`{reference}` is neither a Python nor a JavaScript file",
            hint="name a file that ends in `.py`, `.js`, `.mjs` or `.cjs`; a function follows after a colon",
        )
    return NamedCode(load_javascript(reference, base_path, role.javascript_function), role.name)


@dataclass(frozen=True, slots=True)
class NamedCode:
    """Code whose errors begin with the word that the configuration has for it."""

    code: Script | PythonCode
    name: str

    def call(self, *arguments: Json) -> Json:
        try:
            return self.code.call(*arguments)
        except ScriptError as error:
            raise ScriptError(f"{self.name}: {error.message}", error.hint) from error

    async def acall(self, *arguments: Json) -> Json:
        try:
            return await self.code.acall(*arguments)
        except ScriptError as error:
            raise ScriptError(f"{self.name}: {error.message}", error.hint) from error
